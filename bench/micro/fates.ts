import { FateLedger } from '../../packages/broker/src/fates.ts'
import type { Measurement } from './measurement.ts'

const DROPS = 1_000_000

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
    operations: DROPS,
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
    operations: DROPS,
    prepare() {
      const fates = ledger()
      const ids = clientIds(clients)
      return () => {
        for (let count = 0; count < DROPS; count += clients) fates.recordForMany('subscriber-offline', MESSAGE, ids)
      }
    }
  }
}

export const fatesMeasurements: readonly Measurement[] = [
  oneByOne(1),
  oneByOne(1000),
  oneByOne(100_000),
  oneByOne(200_000),
  forMany(10),
  forMany(10_000),
  forMany(100_000)
]
