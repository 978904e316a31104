import { PacketType, ReasonCode, type QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { Routed } from './router.ts'
import { message } from './samples.test.support.ts'
import { type Client, World, type WorldOptions } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }

async function openWith(bounds: { seconds?: number; messages?: number; bytes?: number }, options: WorldOptions = {}) {
  return World.open({ history: [{ topicFilter: 'h/#', ...bounds }], ...options })
}

function publishes(world: World, from: number, to: number, qos: QoS = 1): void {
  for (let index = from; index < to; index++) world.publish('h/x', { payload: `m${index}`, qos })
}

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `m${from + index}`)
}

/** What a client gets that comes now and asks for everything. */
async function kept(world: World): Promise<string[]> {
  const client = await world.connects({ clientId: 'asking', cleanStart: true })
  await client.subscribes('h/#', { replay: 'all' })
  const payloads = await client.drains()
  await client.drops()
  return payloads
}

async function publisherIn(world: World): Promise<Client> {
  const publisher = await world.connects({ clientId: 'p' })
  publisher.takes()
  return publisher
}

/** Lets the timers that look after histories and queues do so. */
async function waits(world: World): Promise<void> {
  world.clock.advance(2_000)
  await world.settle()
}

describe('what a history keeps', () => {
  it('given a bound in messages, then the last of them, and the store soon has no more', async () => {
    const world = await openWith({ messages: 10 })
    publishes(world, 0, 50)
    expect(await kept(world)).toEqual(names(40, 50))
    publishes(world, 50, 1000)
    await world.settle()
    expect(world.store.storedBytes).toBeLessThanOrEqual((10 + 64) * 'h/xm999'.length)
    await waits(world)
    expect(world.store.storedBytes).toBe(10 * 'h/xm999'.length)
    expect(await kept(world)).toEqual(names(990, 1000))
  })

  it('given a bound in bytes, then the last that fit', async () => {
    const world = await openWith({ bytes: 35 })
    publishes(world, 0, 100)
    await world.settle()
    expect(world.store.storedBytes).toBeLessThanOrEqual(35 + 6)
    expect(await kept(world)).toEqual(names(95, 100).slice(-5))
  })

  it.each([false, true])('given a bound in seconds, and reading late: %s, then what is no older', async (readsLate) => {
    const world = await openWith({ seconds: 60 }, { readsLate })
    publishes(world, 0, 10)
    world.clock.advance(40_000)
    publishes(world, 10, 20)
    world.clock.advance(19_900)
    expect(await kept(world)).toEqual(names(0, 20))
    world.clock.advance(200)
    expect(await kept(world)).toEqual(names(10, 20))
    await waits(world)
    expect(world.store.storedBytes).toBe(10 * 'h/xm19'.length)
    world.clock.advance(60_000)
    await waits(world)
    expect(world.store.storedBytes).toBe(0)
    publishes(world, 20, 21)
    expect(await kept(world)).toEqual(['m20'])
  })

  it('given several bounds, then each holds', async () => {
    const world = await openWith({ seconds: 60, messages: 5, bytes: 100_000 })
    publishes(world, 0, 3)
    world.clock.advance(61_000)
    publishes(world, 3, 5)
    expect(await kept(world)).toEqual(names(3, 5))
    publishes(world, 5, 20)
    expect(await kept(world)).toEqual(names(15, 20))
  })

  it('given a restart, then what was there is there, and bounded as before', async () => {
    const world = await openWith({ seconds: 60, messages: 5 })
    publishes(world, 0, 20)
    await world.restart()
    expect(await kept(world)).toEqual(names(15, 20))
    world.clock.advance(61_000)
    expect(await kept(world)).toEqual([])
  })

  it('given a durable subscription of the same filter, then each has its own queue, and the bodies are shared', async () => {
    const world = await openWith({ messages: 100 })
    const subscriber = await world.connects({ clientId: 's', ...DURABLE })
    await subscriber.subscribes('h/#')
    publishes(world, 0, 5, 0)
    publishes(world, 5, 10, 1)
    expect(await subscriber.drains()).toEqual(names(0, 10))
    await subscriber.drops()
    publishes(world, 10, 15)
    const [queue] = world.engine.queues.values()
    expect(world.store.backlog({ queue: queue?.id ?? 0, after: 0 }).messages).toBeLessThanOrEqual(10)
    expect(await kept(world)).toEqual(names(0, 15))
    const again = await world.connects({ clientId: 's', ...DURABLE })
    expect(await again.drains()).toEqual(names(10, 15))
  })
})

describe('what a publisher is told', () => {
  it('given QoS 1 and a history, then PUBACK waits for the commit and is a success, and there is no drop', async () => {
    const world = await openWith({ messages: 10 })
    const publisher = await publisherIn(world)
    publisher.publishes('h/x', 'a')
    await world.turn()
    await world.turn()
    expect(publisher.takes()).toEqual([])
    await world.settle()
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback, reasonCode: ReasonCode.Success }])
    expect(world.engine.fates.count('no-subscriber')).toBe(0)
  })

  it('given QoS 1, a history, and a keen durable subscriber, then the PUBACK waits for the commit all the same', async () => {
    const world = await openWith({ messages: 10 })
    const subscriber = await world.connects({ clientId: 's', ...DURABLE })
    await subscriber.subscribes('h/#')
    const publisher = await publisherIn(world)
    publisher.publishes('h/x', 'a')
    for (let turn = 0; turn < 5; turn++) {
      await world.turn()
      for (const publish of subscriber.takesPublishes()) subscriber.acknowledges(publish)
    }
    expect(publisher.takes()).toEqual([])
    await world.settle()
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback }])
  })

  it('given QoS 0 and a history, then nobody waits for anything', async () => {
    const world = await openWith({ messages: 10 })
    expect(world.engine.router.publish(message('h/x', { qos: 0 }))).toBe(Routed.InMemory)
    expect(world.engine.router.publish(message('h/x', { qos: 1 }))).toBe(Routed.Stored)
    expect(world.engine.router.publish(message('other', { qos: 1 }))).toBe(Routed.Nowhere)
  })

  it('given QoS 2 and a history, then PUBREC does not say that nobody subscribes', async () => {
    const world = await openWith({ messages: 10 })
    const publisher = await publisherIn(world)
    publisher.publishes('h/x', 'a', 2)
    await world.settle()
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Pubrec, reasonCode: ReasonCode.Success }])
  })
})

describe('when there is no room', () => {
  const MiB = 1024 * 1024
  const big = (world: World, topicName: string, qos: QoS = 1) => {
    world.publish(topicName, { payload: Buffer.alloc(100_000), qos })
  }

  it('given a store that is full, then histories give way to what must be kept', async () => {
    const world = await openWith({ messages: 1000 }, { limits: { storedBytesMax: MiB } })
    const subscriber = await world.connects({ clientId: 's', ...DURABLE })
    await subscriber.subscribes('work')
    await subscriber.drops()
    for (let index = 0; index < 11; index++) big(world, 'h/x')
    expect(world.store.storedBytes).toBeGreaterThan(MiB)
    const publisher = await publisherIn(world)
    for (let index = 0; index < 10; index++) {
      publisher.publishes('work', 'x'.repeat(100_000))
      await world.settle()
      expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback, reasonCode: ReasonCode.Success }])
    }
    // What has no history left to give way is refused.
    for (let index = 0; index < 3; index++) publisher.publishes('work', 'x'.repeat(100_000))
    await world.settle()
    expect(publisher.takes().at(-1)).toMatchObject({ reasonCode: ReasonCode.QuotaExceeded })
    expect(await kept(world)).toEqual([])
  })

  it('given QoS 0 that comes faster than it is written, then it is sent on, and kept only up to the limit', async () => {
    const world = await openWith({ messages: 1000 }, { limits: { unsavedHistoryBytesMax: 5 * 'h/xm1'.length } })
    const subscriber = await world.connects({ clientId: 's' })
    await subscriber.subscribes('h/#')
    publishes(world, 1, 9, 0)
    expect(await subscriber.drains()).toEqual(names(1, 9))
    expect(world.engine.fates.count('not-in-history')).toBe(3)
    // What is committed is no longer counted.
    publishes(world, 1, 6, 0)
    await world.settle()
    expect(world.engine.fates.count('not-in-history')).toBe(3)
    expect(await kept(world)).toEqual([...names(1, 6), ...names(1, 6)])
  })

  it('given a store that fails, then QoS 0 is sent on and not kept', async () => {
    const world = await openWith({ messages: 1000 })
    world.store.isFull = true
    publishes(world, 0, 1, 0)
    await world.settle()
    publishes(world, 1, 3, 0)
    expect(world.engine.fates.count('not-in-history')).toBe(2)
    world.store.isFull = false
    await world.settle()
    publishes(world, 3, 4, 0)
    expect(world.engine.fates.count('not-in-history')).toBe(2)
  })
})

describe('a replay that is slower than its history is cut', () => {
  it('given what was there before it asked, then it goes on with the oldest that is kept', async () => {
    const world = await openWith({ messages: 10 })
    publishes(world, 0, 10)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2 })
    await client.subscribes('h/#', { replay: 'all' })
    publishes(world, 10, 15)
    await waits(world)
    // m5 to m9 are still kept; what came after the SUBSCRIBE would be in any case.
    expect(await client.drains()).toEqual([...names(0, 2), ...names(5, 15)])
  })

  it.each([
    ['a clean session', {}, { transientQueuedMessagesMax: 20 }],
    ['a durable session', DURABLE, { queuedMessagesMax: 20 }]
  ])(
    'given %s, then what has come since it asked waits, up to the limit, and beyond it the oldest go',
    async (_, kind, limits) => {
      const world = await openWith({ messages: 5 }, { limits })
      const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...kind })
      publishes(world, 0, 5)
      await client.subscribes('h/x', { replay: 'all' })
      publishes(world, 5, 25)
      world.publish('h/y', { payload: 'not for it' })
      await waits(world)
      expect(world.engine.fates.count('queue-full')).toBe(1)
      publishes(world, 25, 35)
      await waits(world)
      expect(world.engine.fates.count('queue-full')).toBe(11)
      expect(world.store.storedBytes).toBeLessThan(25 * 'h/xm34'.length)
      const first = client.takesPublishes()
      expect(first.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['m0'])
      for (const publish of first) client.acknowledges(publish)
      expect(await client.drains()).toEqual(names(16, 35))
      await waits(world)
      expect(world.store.storedBytes).toBeLessThanOrEqual(5 * 'h/xm34'.length)
    }
  )

  it('given a durable session without a connection, then what it may leave waiting is bounded as well', async () => {
    const world = await openWith({ messages: 5 }, { limits: { queuedMessagesMax: 20 } })
    const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    await client.subscribes('h/#', { replay: 'all' })
    publishes(world, 0, 2)
    await world.settle()
    await client.drops()
    publishes(world, 2, 42)
    await waits(world)
    const waiting = world.engine.fates.count('queue-full')
    expect(world.store.storedBytes).toBeLessThan(30 * 'h/xm34'.length)
    const again = await world.connects({ clientId: 'c', ...DURABLE })
    const received = await again.drains()
    expect(received.slice(-20)).toEqual(names(22, 42))
    expect(new Set(received).size + waiting).toBe(42)
  })
})
