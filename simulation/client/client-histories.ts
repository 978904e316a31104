import { seededRandom } from '@godwit/testkit'
import { Choices } from '../choices.ts'
import { ClientWorld } from './client-world.ts'
import type { Device } from './device.ts'
import type { OutboxFault } from './sim-outbox.ts'

const KINDS = {
  publish: 8,
  work: 8,
  acknowledge: 3,
  pass: 2,
  cut: 2,
  crash: 2,
  start: 3,
  'crash the broker': 1,
  'start the broker': 2,
  'fail a commit': 0.5,
  rest: 0.5
} as const

export interface ClientOutcome {
  /** The seed of the first history that failed; undefined: none did. */
  readonly failedSeed: number | undefined
  readonly error: unknown
  /** Messages that had to arrive, and did. */
  readonly owed: number
}

/** Plays histories of one seed after the other, until one fails. */
export async function runClientHistories(firstSeed: number, runs: number, fault?: OutboxFault): Promise<ClientOutcome> {
  let owed = 0
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    try {
      owed += await playClientHistory(seed, fault)
    } catch (error) {
      return { failedSeed: seed, error, owed }
    }
  }
  return { failedSeed: undefined, error: undefined, owed }
}

/** Plays one history. Returns how many messages had to arrive. */
async function playClientHistory(seed: number, fault?: OutboxFault): Promise<number> {
  const choose = new Choices(seededRandom(seed))
  const world = new ClientWorld(seed, fault)
  await world.begins()
  for (let actions = 10 + choose.below(60); actions > 0; actions--) await act(world, choose)
  await world.comesToRest()
  await world.ends()
  return world.ledger.owed
}

async function act(world: ClientWorld, choose: Choices): Promise<void> {
  const device = choose.one<Device | undefined>(undefined, ...world.devices) ?? world.devices[0]
  switch (choose.weighted<keyof typeof KINDS>(KINDS, 'work')) {
    case 'publish':
      publish(device, choose)
      return
    case 'work':
      return world.works(choose.one(1, 3, 10, 50))
    case 'acknowledge':
      return device?.acknowledges(choose.one(1, 5, 100))
    case 'pass':
      return world.passes(choose.one(100, 1_000, 10_000, 100_000))
    // Exchanges are under way in most cases.
    case 'cut':
      publish(device, choose)
      await world.works(choose.below(choose.one(50, 200, 1000)))
      return device?.isCut(choose.chance(0.7))
    case 'crash':
      publish(device, choose)
      await world.works(choose.below(choose.one(50, 200, 1000)))
      return device?.crashes()
    case 'start':
      return device?.starts()
    case 'crash the broker':
      return world.brokerCrashes()
    case 'start the broker':
      return world.brokerStarts()
    case 'fail a commit':
      return device?.disk.failsNextCommit()
    case 'rest':
      return world.comesToRest()
  }
}

function publish(device: Device | undefined, choose: Choices): void {
  for (let count = choose.one(1, 1, 3, 10); count > 0; count--) {
    device?.publishes(choose.one('data/a', 'data/b'), choose.one(1, 2))
  }
}
