/**
 * What it costs to count a message that is not delivered, in CPU time, each the median of several rounds.
 *
 *     node --expose-gc --conditions=godwit-source bench/micro/fates.ts
 */
import { FateLedger } from '../../packages/broker/src/fates.ts'

const ROUNDS = 9
const DROPS = 1_000_000

interface Measurement {
  readonly title: string
  /** Makes everything ready, and returns what is timed: `DROPS` of it. */
  readonly prepare: () => () => void
}

const MESSAGE = { topicName: 'sensors/building-7/temperature', payload: new Uint8Array(64) }

function clientIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `device-${index}`)
}

function ledger(): FateLedger {
  return new FateLedger(1000, () => 0)
}

/** One message after another, each lost to one of so many clients in turn. */
function oneByOne(clients: number): Measurement {
  return {
    title: `record, ${clients.toLocaleString('en')} clients in turn`,
    prepare() {
      const fates = ledger()
      const ids = clientIds(clients)
      return () => {
        for (let count = 0; count < DROPS; count++) fates.record('slow-subscriber', MESSAGE, ids[count % clients] ?? '')
      }
    }
  }
}

/** Messages of which each is lost to all of so many clients. */
function forMany(clients: number): Measurement {
  return {
    title: `recordForMany, ${clients.toLocaleString('en')} clients, for each of them`,
    prepare() {
      const fates = ledger()
      const ids = clientIds(clients)
      return () => {
        for (let count = 0; count < DROPS; count += clients) fates.recordForMany('subscriber-offline', MESSAGE, ids)
      }
    }
  }
}

const MEASUREMENTS = [
  oneByOne(1),
  oneByOne(1000),
  oneByOne(100_000),
  oneByOne(200_000),
  forMany(10),
  forMany(10_000),
  forMany(100_000)
]

/** Of this thread alone: the machine may have other work. */
function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

for (const { title, prepare } of MEASUREMENTS) {
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const timed = prepare()
    globalThis.gc?.()
    const start = cpuMicroseconds()
    timed()
    costs.push(((cpuMicroseconds() - start) * 1000) / DROPS)
  }
  const median = costs.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0
  console.log(`${title.padEnd(56)} ${median.toFixed(1).padStart(8)} ns of CPU time`)
}
