// Histories for as long as one likes: `node --conditions=godwit-source simulation/run.ts --runs 100000 [--seed N]`
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { explain, runHistories } from './run-histories.ts'

/** Seeds between two lines of output. */
const STRETCH = 1000

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: String(randomInt(2 ** 30)) } }
})
const runs = Number(values.runs)
const firstSeed = Number(values.seed)
if (!(runs > 0) || !Number.isInteger(firstSeed)) throw new RangeError('--runs takes a number above 0, --seed a whole number')

let owedBefore = 0
for (let done = 0; done < runs; done += STRETCH) {
  const { failedSeed, owed } = await runHistories(firstSeed + done, Math.min(STRETCH, runs - done))
  if (failedSeed !== undefined) {
    console.log(await explain(failedSeed))
    process.exitCode = 1
    break
  }
  owedBefore += owed
  console.log(
    `seeds ${firstSeed} to ${firstSeed + Math.min(done + STRETCH, runs) - 1}: ${owedBefore} messages owed, all delivered`
  )
}
