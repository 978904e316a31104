import { describe, expect, it } from 'vitest'
import { World } from './world.test.support.ts'

const MINUTE_MS = 60_000

function retain(world: World, topicName: string, messageExpiryInterval?: number): void {
  world.publish(topicName, { payload: 'x', retain: true, properties: { messageExpiryInterval } })
}

/** Moves the time in steps small enough for every page of a sweep. */
async function passes(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    world.clock.advance(100)
    await world.settle()
  }
}

describe('retained messages that nobody asks for', () => {
  it.each([
    ['answers at once', false],
    ['answers later', true]
  ])('given some that expire, more than a page, and a store that %s, then only these go', async (_, readsLate) => {
    const world = await World.open({ readsLate })
    for (let device = 0; device < 700; device++) {
      retain(world, `short/${device}`, 10)
      retain(world, `stays/${device}`)
    }
    retain(world, 'long', 300)
    await passes(world, 2 * MINUTE_MS)
    expect(world.engine.store.retainedCount).toBe(701)
    expect(world.engine.store.hasRetained('long')).toBe(true)
    await passes(world, 5 * MINUTE_MS)
    expect(world.engine.store.hasRetained('long')).toBe(false)
    expect(world.engine.store.retainedCount).toBe(700)
  })

  it('given a broker that is restarted, then what expired meanwhile goes as well', async () => {
    const world = await World.open()
    retain(world, 'a', 10)
    await world.restart()
    await passes(world, 2 * MINUTE_MS)
    expect(world.engine.store.retainedCount).toBe(0)
  })

  it('given nothing that can expire, then no time is spent on it', async () => {
    const world = await World.open()
    retain(world, 'a')
    expect(world.clock.waiting).toBe(0)
    retain(world, 'b', 10)
    await passes(world, 2 * MINUTE_MS)
    expect(world.clock.waiting).toBe(0)
  })
})
