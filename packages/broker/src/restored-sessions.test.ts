import { describe, expect, it, vi } from 'vitest'
import { message } from './samples.test.support.ts'
import { type Client, World } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3_600 }

/** What has come since the last time it was asked: `2 DUP 3 payload`, the QoS, DUP, the packet identifier, the payload. */
function takes(client: Client): string[] {
  return client
    .takesPublishes()
    .map(
      ({ qos, dup, packetIdentifier, payload }) =>
        `${qos}${dup ? ' DUP' : ''} ${packetIdentifier} ${Buffer.from(payload).toString()}`
    )
}

describe('a subscription that one of QoS 0 replaced', () => {
  it('given messages that wait for it, then they come after a restart as they would have before ([5.0 MQTT-3.8.4-4])', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    await before.subscribes('t', { qos: 2, subscriptionIdentifier: 7 })
    for (const payload of ['1', '2', '3']) world.publish('t', { payload, qos: payload === '3' ? 2 : 1 })
    await world.settle()
    await before.subscribes('t', { qos: 0, subscriptionIdentifier: 8 })
    world.publish('t', { payload: '4' })
    await world.settle()
    expect(takes(before)).toEqual(['1 1 1', '0 0 4'])

    for (let restarts = 0; restarts < 2; restarts++) await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    const publishes = after.takesPublishes()
    expect(publishes.map(({ payload, qos, dup }) => [Buffer.from(payload).toString(), qos, dup])).toEqual([
      ['1', 1, false],
      ['2', 1, false],
      ['3', 2, false]
    ])
    expect(publishes.map(({ properties }) => properties.subscriptionIdentifiers)).toEqual([[7], [7], [7]])
    expect(world.engine.queues.size).toBe(0)

    await world.restart()
    const last = await world.connects({ clientId: 'c', ...DURABLE })
    expect(last.takesPublishes().map(({ payload, dup }) => [Buffer.from(payload).toString(), dup])).toEqual([
      ['1', true],
      ['2', true],
      ['3', true]
    ])
    world.publish('t', { payload: '5' })
    await world.settle()
    expect(takes(last)).toEqual(['0 0 5'])
  })

  it('given a third with QoS 1, then each message comes once, before and after a restart', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    await before.subscribes('t')
    for (const payload of ['1', '2']) world.publish('t', { payload })
    await before.subscribes('t', { qos: 0 })
    world.publish('t', { payload: '3' })
    await before.subscribes('t')
    world.publish('t', { payload: '4' })
    await world.settle()
    expect(takes(before)).toEqual(['1 1 1', '0 0 3'])
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    expect(await after.drains()).toEqual(['1', '2', '4'])
    await world.restart()
    expect(takes(await world.connects({ clientId: 'c', ...DURABLE }))).toEqual([])
    expect(world.session('c').subscriptions.get('t')?.leaving).toBeUndefined()
  })

  it('given many changes of mind, then one of them is remembered, and no message of QoS 1 is lost', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    for (let round = 0; round < 20; round++) {
      await before.subscribes('t')
      world.publish('t', { payload: `kept ${round}` })
      await before.subscribes('t', { qos: 0 })
    }
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    expect(await after.drains()).toEqual(Array.from({ length: 20 }, (_, round) => `kept ${round}`))
    expect(world.engine.queues.size).toBe(0)
  })

  it('given an UNSUBSCRIBE, then what waited is counted, and nothing of it is left', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    await client.subscribes('t')
    for (const payload of ['1', '2', '3']) world.publish('t', { payload })
    await client.subscribes('t', { qos: 0 })
    await client.unsubscribes('t')
    expect(world.engine.fates.count('unsubscribed')).toBe(2)
    expect([world.engine.queues.size, world.store.storedBytes]).toEqual([0, 0])
    await world.restart()
    expect(await (await world.connects({ clientId: 'c', ...DURABLE })).drains()).toEqual(['1'])
  })
})

describe('messages in flight', () => {
  it('given some that were sent after the last record of them, then they come behind those recorded, in the order of the log', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 6, ...DURABLE })
    await before.subscribes('t/#')
    for (let count = 1; count <= 4; count++) world.publish(`t/${count % 2}`, { payload: `${count}` })
    await world.settle()
    const [, second] = before.takesPublishes()
    if (second !== undefined) before.acknowledges(second)
    await world.settle()
    // The acknowledgement had 1, 3 and 4 recorded; nothing has what comes now recorded.
    for (let count = 5; count <= 9; count++) world.publish(`t/${count % 2}`, { payload: `${count}` })
    await world.settle()
    expect(takes(before)).toEqual(['1 5 5', '1 6 6', '1 7 7'])
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    const received = takes(after)
    expect(received.slice(0, 3)).toEqual(['1 DUP 1 1', '1 DUP 3 3', '1 DUP 4 4'])
    expect(received.map((line) => line.split(' ').at(-1))).toEqual(['1', '3', '4', '5', '6', '7', '8', '9'])
  })

  it('given QoS 2, then the identifiers are those of the first sending, and the rest follows in order', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 3, ...DURABLE })
    await before.subscribes('t', { qos: 2 })
    for (let count = 1; count <= 5; count++) world.publish('t', { payload: `${count}`, qos: 2 })
    await world.settle()
    expect(takes(before)).toEqual(['2 1 1', '2 2 2', '2 3 3'])
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    expect(takes(after)).toEqual(['2 DUP 1 1', '2 DUP 2 2', '2 DUP 3 3', '2 4 4', '2 5 5'])
  })

  it('given QoS 2 that waited for its commit while QoS 1 went out, then they come in the order in which they went out', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', ...DURABLE })
    await before.subscribes('t', { qos: 2 })
    for (let count = 1; count <= 4; count++) world.publish('t', { payload: `${count}`, qos: count % 2 === 0 ? 1 : 2 })
    await world.settle()
    expect(takes(before)).toEqual(['1 2 2', '1 4 4', '2 1 1', '2 3 3'])
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    expect(takes(after)).toEqual(['1 DUP 2 2', '1 DUP 4 4', '2 DUP 1 1', '2 DUP 3 3'])
  })

  it.each([
    ['answers at once', false],
    ['answers later', true]
  ])(
    'given a store that %s and more in flight than are read at a time, with gaps, then all come again in their order',
    async (_, readsLate) => {
      const world = await World.open({ readsLate })
      const before = await world.connects({ clientId: 'c', ...DURABLE })
      await before.subscribes('a/+')
      await before.subscribes('+/b')
      for (let count = 0; count < 100; count++) world.publish(count % 3 === 0 ? 'a/b' : 'a/c', { payload: `${count}` })
      await world.settle()
      const left: string[] = []
      for (const publish of before.takesPublishes()) {
        const payload = Buffer.from(publish.payload).toString()
        if (Number(payload) % 7 === 0 || (Number(payload) > 20 && Number(payload) < 60)) left.push(payload)
        else before.acknowledges(publish)
      }
      await world.settle()
      await world.restart()
      const after = await world.connects({ clientId: 'c', ...DURABLE })
      const publishes = after.takesPublishes()
      expect(publishes.map(({ payload }) => Buffer.from(payload).toString())).toEqual(left)
      expect(publishes.every(({ dup }) => dup)).toBe(true)
    }
  )

  it('given retained messages at QoS 1 and a crash right after they were sent, then they come again, and the rest as well', async () => {
    const world = await World.open()
    for (const payload of ['1', '2', '3', '4']) world.publish(`t/${payload}`, { payload, retain: true })
    const before = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    await before.subscribes('t/#')
    expect(takes(before)).toEqual(['1 1 1', '1 2 2'])
    world.publish('t/1', { payload: '', retain: true })
    await world.restart()
    const after = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    expect(takes(after)).toEqual(['1 DUP 1 1', '1 DUP 2 2'])
    await after.drops()
    const again = await world.connects({ clientId: 'c', ...DURABLE })
    expect(new Set(await again.drains())).toEqual(new Set(['1', '2', '3', '4', '']))
    await world.restart()
    expect(takes(await world.connects({ clientId: 'c', ...DURABLE }))).toEqual([])
  })

  it('given a retained message that an earlier subscription still waits for, then it comes by both after a restart', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
    await before.subscribes('other')
    await before.subscribes('t')
    world.publish('other', { payload: 'first' })
    world.publish('t', { payload: 'kept', retain: true })
    await world.settle()
    const [first] = before.takesPublishes()
    await before.subscribes('+')
    if (first !== undefined) before.acknowledges(first)
    await world.settle()
    expect(before.takesPublishes()).toMatchObject([{ retain: true }])
    await world.restart()
    const after = await world.connects({ clientId: 'c', ...DURABLE })
    expect(after.takesPublishes().map(({ retain, dup }) => [retain, dup])).toEqual([
      [true, true],
      [false, false]
    ])
  })

  it('given a group, then its messages are read back from its queue, and no copy of them is stored', async () => {
    const world = await World.open()
    const putInflight = vi.spyOn(world.store, 'putInflight')
    const before = await world.connects({ clientId: 'm', receiveMaximum: 3, ...DURABLE })
    await before.subscribes('$share/g/t', { qos: 2 })
    for (let count = 1; count <= 4; count++) world.publish('t', { payload: `${count}`, qos: 2 })
    await world.settle()
    await world.restart()
    const after = await world.connects({ clientId: 'm', ...DURABLE })
    expect(takes(after)).toEqual(['2 DUP 1 1', '2 DUP 2 2', '2 DUP 3 3', '2 4 4'])
    expect(putInflight).not.toHaveBeenCalled()
  })

  it('given a group that ended, then what its last member has in flight comes again after a restart ([5.0 MQTT-3.10.4-3])', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'm', receiveMaximum: 2, ...DURABLE })
    await before.subscribes('$share/g/t', { qos: 2 })
    for (let count = 1; count <= 3; count++) world.publish('t', { payload: `${count}`, qos: count === 1 ? 2 : 1 })
    await world.settle()
    await before.unsubscribes('$share/g/t')
    expect([world.engine.queues.size, world.store.storedBytes]).toEqual([0, 0])
    await before.subscribes('$share/g/t')
    for (let restarts = 0; restarts < 2; restarts++) await world.restart()
    const after = await world.connects({ clientId: 'm', ...DURABLE })
    // That of QoS 2 had waited for its commit.
    expect(takes(after)).toEqual(['1 DUP 2 2', '2 DUP 1 1'])
  })

  it('given a member that left a group of others that are not durable, then what it has in flight comes again after a restart', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'm', ...DURABLE })
    await before.subscribes('$share/g/t', { qos: 2 })
    world.publish('t', { payload: '1', qos: 2 })
    await world.settle()
    expect(takes(before)).toEqual(['2 1 1'])
    const other = await world.connects({ clientId: 'other', sessionExpiryInterval: 0 })
    await other.subscribes('$share/g/t', { qos: 2 })
    await before.unsubscribes('$share/g/t')
    for (let restarts = 0; restarts < 2; restarts++) await world.restart()
    const after = await world.connects({ clientId: 'm', ...DURABLE })
    expect(takes(after)).toEqual(['2 DUP 1 1'])
    expect(world.engine.fates.count('store-failed')).toBe(0)
  })

  it.each([
    ['is there', false],
    ['was restarted', true]
  ])(
    'given a member that left its group and a broker that %s, then its messages still move the group on',
    async (_, restarts) => {
      const world = await World.open()
      let leaving = await world.connects({ clientId: 'm1', ...DURABLE })
      await leaving.subscribes('$share/g/t')
      for (const payload of ['1', '2']) world.publish('t', { payload })
      await world.settle()
      const [first] = leaving.takesPublishes()
      if (first !== undefined) leaving.acknowledges(first)
      const staying = await world.connects({ clientId: 'm2', ...DURABLE })
      await staying.subscribes('$share/g/t')
      await leaving.unsubscribes('$share/g/t')
      await staying.drops()
      if (restarts) {
        await world.restart()
        leaving = await world.connects({ clientId: 'm1', ...DURABLE })
      }
      leaving.acknowledges({ packetIdentifier: 2 })
      await world.settle()
      await world.restart()
      expect(await (await world.connects({ clientId: 'm2', ...DURABLE })).drains()).toEqual([])
      world.clock.advance(1_500)
      expect(world.store.storedBytes).toBe(0)
    }
  )

  it('given a member that left its group and whose session ends, then the others get what it had in flight', async () => {
    const world = await World.open()
    const leaving = await world.connects({ clientId: 'm1', sessionExpiryInterval: 10 })
    await leaving.subscribes('$share/g/t')
    world.publish('t', { payload: '1' })
    await world.settle()
    const staying = await world.connects({ clientId: 'm2', ...DURABLE })
    await staying.subscribes('$share/g/t')
    await leaving.unsubscribes('$share/g/t')
    await leaving.drops()
    expect(await staying.drains()).toEqual(['1'])
  })
})

it('given queues that nobody reads any longer, then they are dropped when the store is opened, and others stay', async () => {
  const world = await World.open()
  const client = await world.connects({ clientId: 'c', ...DURABLE })
  await client.subscribes('t')
  await client.subscribes('$share/g/u')
  await client.drops()
  for (const topicName of ['t', 'u']) world.publish(topicName, { payload: '1' })
  const { storedBytes } = world.store
  const left = world.store.openQueue('left/over')
  world.store.append(message('left/over', { payload: 'x' }), [left])
  expect(world.store.storedBytes).toBeGreaterThan(storedBytes)
  await world.restart()
  expect(world.store.storedBytes).toBe(storedBytes)
  expect(world.store.openQueue('left/over')).not.toBe(left)
  expect(await (await world.connects({ clientId: 'c', ...DURABLE })).drains()).toEqual(['1', '1'])
})
