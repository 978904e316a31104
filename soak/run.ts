// A soak for as long as one likes: `node --conditions=godwit-source soak/run.ts --seconds 3600 [--seed N]`
import { parseArgs } from 'node:util'
import { type Settled, soak } from './soak.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } } })
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(seconds > 0) || !Number.isInteger(seed)) throw new RangeError('--seconds takes a number above 0, --seed a whole number')

const { cycles, failures, witnessed, start, rounds, exitStatus } = await soak({ seed, seconds })
console.log(`seed ${seed}: ${cycles} cycles, ${witnessed} messages witnessed, exit status ${exitStatus}`)
for (const failure of failures) console.log(failure)
console.table([line('start', start), ...rounds.map((round, index) => line(`round ${index + 1}`, round))])
if (failures.length > 0) process.exitCode = 1

function line(when: string, { objects, handles, heapUsedBytes, externalBytes, residentBytes }: Settled): object {
  const toMiB = (bytes: number): number => Math.round(bytes / 104_857.6) / 10
  return {
    when,
    ...objects,
    handles,
    heapMiB: toMiB(heapUsedBytes),
    externalMiB: toMiB(externalBytes),
    residentMiB: toMiB(residentBytes)
  }
}
