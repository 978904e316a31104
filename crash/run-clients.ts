// Crash runs of the client: `node --conditions=godwit-source crash/run-clients.ts --kills 300 [--seed N] [--server godwit|mosquitto]`
import { parseArgs } from 'node:util'
import { clientCrashRun } from './client/client-crash-run.ts'
import { MortalGodwit, MortalMosquitto } from './client/mortal-server.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    server: { type: 'string', default: 'godwit' }
  }
})
const kills = Number(values.kills)
const seed = Number(values.seed)
if (!Number.isInteger(kills) || kills < 0 || !Number.isInteger(seed)) {
  throw new RangeError('--kills takes a whole number from 0, --seed a whole number')
}
if (values.server !== 'godwit' && values.server !== 'mosquitto') throw new RangeError('--server takes godwit or mosquitto')

console.log(`seed ${seed}`)
const isGodwit = values.server === 'godwit'
const server = isGodwit ? new MortalGodwit() : new MortalMosquitto()
const { failures, folder, ...figures } = await clientCrashRun({ seed, kills, server, serverEnds: isGodwit ? 3 : 0 })
console.table(figures)
for (const failure of failures) console.log(failure)
if (failures.length === 0) console.log('everything that was stored has arrived')
else {
  console.log(`the outboxes are in ${folder}`)
  process.exitCode = 1
}
