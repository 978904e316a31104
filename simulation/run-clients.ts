// Histories of clients for as long as one likes: `node --conditions=godwit-source simulation/run-clients.ts --runs 100000 [--seed N]`
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runClientHistories } from './client/client-histories.ts'

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
  const { failedSeed, error, owed } = await runClientHistories(firstSeed + done, Math.min(STRETCH, runs - done))
  if (failedSeed !== undefined) {
    console.log(error)
    console.log(`To replay: GODWIT_CLIENT_SIMULATION_SEED=${failedSeed} npx vitest run simulation/client`)
    process.exitCode = 1
    break
  }
  owedBefore += owed
  console.log(
    `seeds ${firstSeed} to ${firstSeed + Math.min(done + STRETCH, runs) - 1}: ${owedBefore} messages owed, all delivered`
  )
}
