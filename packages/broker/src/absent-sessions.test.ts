import { describe, expect, it } from 'vitest'
import { World } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }

/** Durable sessions, each with the same subscriptions, whose clients have gone. */
async function absent(world: World, count: number, filters: Readonly<Record<string, 0 | 1>>): Promise<string[]> {
  const clientIds = Array.from({ length: count }, (_, index) => `c${index}`)
  for (const clientId of clientIds) {
    const client = await world.connects({ clientId, ...DURABLE })
    for (const [filter, qos] of Object.entries(filters)) await client.subscribes(filter, { qos })
    await client.drops()
  }
  return clientIds
}

async function returned(world: World, clientId: string): Promise<string[]> {
  const client = await world.connects({ clientId, cleanStart: false, ...DURABLE })
  return client.drains()
}

describe('sessions without a connection', () => {
  it('given a message at QoS 1, then nothing is offered to them, one body is kept, and each gets it when it is back', async () => {
    const world = await World.open()
    const clientIds = await absent(world, 50, { 'news/#': 1 })
    world.publish('news/today', { payload: 'x', qos: 1 })
    await world.settle()
    expect(clientIds.filter((clientId) => world.session(clientId).consumer?.caughtUp === true)).toEqual([])
    expect(world.store.storedBytes).toBe('news/today'.length + 1)
    expect(world.engine.router.hasSubscriber('news/today')).toBe(true)
    for (const clientId of clientIds) expect(await returned(world, clientId)).toEqual(['x'])
    expect([...world.engine.fates.counts().values()].some((count) => count > 0)).toBe(false)
  })

  it('given a message at QoS 0, then it is counted once for each of them, whatever filters match', async () => {
    const world = await World.open()
    const clientIds = await absent(world, 3, { 'a/+': 1, 'a/#': 0, '#': 1 })
    world.publish('a/b', { qos: 0 })
    expect(world.engine.fates.count('subscriber-offline')).toBe(3)
    for (const clientId of clientIds) expect(await returned(world, clientId)).toEqual([])
  })

  it('given subscriptions of QoS 0 alone, then a message of QoS 1 is counted for those that have no other', async () => {
    const world = await World.open()
    await absent(world, 3, { 'a/b': 0 })
    const both = await world.connects({ clientId: 'both', ...DURABLE })
    await both.subscribes('a/+', { qos: 1 })
    await both.subscribes('a/b', { qos: 0 })
    await both.drops()
    world.publish('a/b', { payload: 'x', qos: 1 })
    expect(world.engine.fates.count('subscriber-offline')).toBe(3)
    expect(await returned(world, 'both')).toEqual(['x'])
  })

  it('given they come and go between messages, then each gets what came, in order, live or from the log', async () => {
    const world = await World.open()
    await absent(world, 1, { t: 1 })
    const received: string[] = []
    for (let round = 0; round < 20; round++) {
      world.publish('t', { payload: `${round} absent`, qos: 1 })
      const client = await world.connects({ clientId: 'c0', cleanStart: false, ...DURABLE })
      received.push(...(await client.drains()))
      world.publish('t', { payload: `${round} present`, qos: 1 })
      received.push(...(await client.drains()))
      await client.drops()
    }
    expect(received).toEqual(Array.from({ length: 40 }, (_, index) => `${index >> 1} ${index % 2 === 0 ? 'absent' : 'present'}`))
  })

  it('given a reading of the log that is under way when the connection goes, then nothing that comes later is missed', async () => {
    const world = await World.open({ readsLate: true })
    const [clientId = ''] = await absent(world, 1, { t: 1 })
    world.holdsAnswers = true
    const client = await world.connects({ clientId, cleanStart: false, ...DURABLE })
    await client.drops()
    world.holdsAnswers = false
    await world.settle()
    world.publish('t', { payload: 'later', qos: 1 })
    await world.settle()
    expect(await returned(world, clientId)).toEqual(['later'])
  })

  it('given a restart, then they are absent until they come back', async () => {
    const world = await World.open()
    const clientIds = await absent(world, 2, { t: 1, u: 0 })
    await world.restart()
    world.publish('t', { payload: 'x', qos: 1 })
    world.publish('u', { qos: 1 })
    await world.settle()
    expect(world.engine.fates.count('subscriber-offline')).toBe(2)
    for (const clientId of clientIds) expect(await returned(world, clientId)).toEqual(['x'])
  })
})
