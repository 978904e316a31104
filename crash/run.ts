// Crash runs for as long as one likes: `node --conditions=godwit-source crash/run.ts --kills 300 [--seed N] [--io-threads N] [--quiet]`
import { parseArgs } from 'node:util'
import { crashRun } from './crash-run.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    'io-threads': { type: 'string', default: '0' },
    quiet: { type: 'boolean', default: false }
  }
})
const kills = Number(values.kills)
const seed = Number(values.seed)
const ioThreads = Number(values['io-threads'])
if (!Number.isInteger(kills) || kills < 0 || !Number.isInteger(seed) || !Number.isInteger(ioThreads)) {
  throw new RangeError('--kills takes a whole number from 0, --seed and --io-threads a whole number')
}

console.log(`seed ${seed}`)
const startedAt = performance.now()
const result = await crashRun({ seed, kills, ioThreads, ...(values.quiet ? {} : { onLife: (life) => console.log(life) }) })
const seconds = Math.round((performance.now() - startedAt) / 1000)
console.log(`seed ${seed}: ${kills} kills in ${seconds} s, ${result.messages} messages, ${result.deliveries} deliveries`)
console.table(result.kills)
for (const failure of result.failures) console.log(failure)
if (result.failures.length === 0) console.log('everything that was acknowledged is accounted for')
else {
  console.log(`the data is in ${result.data}`)
  process.exitCode = 1
}
