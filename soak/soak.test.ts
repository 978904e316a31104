import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import type { LiveObjects } from './live-objects.ts'
import { soak } from './soak.ts'

const MiB = 1024 * 1024

/**
 * An empty tree has its root. What trims queues, cuts histories, removes expired retained messages and feeds $SYS, keep
 * their timers.
 */
const NOTHING: LiveObjects = {
  connections: 0,
  sessions: 0,
  subscriptions: 0,
  sharedSubscriptions: 0,
  filterNodes: 1,
  durableQueues: 0,
  logConsumers: 0,
  messages: 0,
  deliveries: 0,
  timers: 4
}

it('is as it was after thousands of clients have come and gone in every way', { timeout: 180_000 }, async () => {
  const seed = randomInt(2 ** 31)
  console.log(`soak: seed ${seed}`)
  const { cycles, failures, witnessed, start, rounds, exitStatus } = await soak({ seed, seconds: 24 })
  console.log(`soak: ${cycles} cycles, ${witnessed} messages witnessed`)
  expect(failures).toEqual([])
  expect(cycles).toBeGreaterThan(1000)
  expect(witnessed).toBeGreaterThan(100)
  const [warm] = rounds
  for (const round of rounds) {
    expect(round.objects).toEqual(NOTHING)
    expect(round.handles).toBe(start.handles)
    expect(round.heapUsedBytes).toBeLessThan((warm?.heapUsedBytes ?? 0) + 2 * MiB)
    expect(round.externalBytes).toBeLessThan((warm?.externalBytes ?? 0) + 2 * MiB)
    expect(round.residentBytes).toBeLessThan((warm?.residentBytes ?? 0) + 128 * MiB)
  }
  expect(exitStatus).toBe(0)
})
