import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { describe, expect, it, vi } from 'vitest'
import {
  byTopic,
  DURABLE,
  names,
  payloadOf,
  payloads,
  publishes,
  sequenceOf,
  takesAll,
  withHistory
} from './history.test.support.ts'

const KINDS = [
  ['a clean session', {}],
  ['a durable session', DURABLE]
] as const

describe.each(KINDS)('replay for %s', (_, kind) => {
  it.each([
    ['all', 0],
    ['last=7', 23],
    ['last=1000', 0],
    ['after=0', 0],
    ['from=1970-01-01', 0]
  ])('given %s, then it begins there, at the QoS of the message and without RETAIN, and goes on live', async (replay, begin) => {
    const world = await withHistory(30)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { qos: 2, replay })
    const received = await takesAll(world, client)
    expect(byTopic(received.map(payloadOf))).toEqual(byTopic(names(begin, 30)))
    expect(received.every((publish) => publish.qos === [1, 0, 2][Number(payloadOf(publish).slice(1)) % 3])).toBe(true)
    expect(received.some(({ retain, dup }) => retain || dup)).toBe(false)
    expect(world.session('c').replays.isActive).toBe(false)
    publishes(world, 30, 40)
    expect(byTopic(await payloads(world, client))).toEqual(byTopic(names(30, 40)))
  })

  it.each([0, 1, 2] as const)('given a subscription of QoS %d, then it gets at most that', async (qos) => {
    const world = await withHistory(30)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { qos, replay: 'all' })
    const received = await takesAll(world, client)
    expect(byTopic(received.map(payloadOf))).toEqual(byTopic(names(0, 30)))
    expect(received.every((publish) => publish.qos <= qos)).toBe(true)
  })

  it('given a sequence that a message told, then it begins with the next, and live messages tell theirs as well', async () => {
    const world = await withHistory(20)
    const first = await world.connects({ clientId: 'first' })
    await first.subscribes('sensors/#', { replay: 'all' })
    const received = await takesAll(world, first)
    const sequences = received.map(sequenceOf)
    expect(sequences.every((sequence, index) => sequence > (sequences[index - 1] ?? 0))).toBe(true)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { replay: `after=${sequences[11]}` })
    expect(await payloads(world, client)).toEqual(names(12, 20))
    publishes(world, 20, 23)
    const live = await takesAll(world, client)
    expect(live.map(payloadOf)).toEqual(names(20, 23))
    const later = await world.connects({ clientId: 'later' })
    await later.subscribes('sensors/#', { replay: `after=${live.map(sequenceOf)[1]}` })
    expect(await payloads(world, later)).toEqual(['m22'])
  })

  it('given a time, then it begins with what was published at that time or later', async () => {
    const world = await withHistory(10)
    world.clock.advance(60_000)
    const from = new Date(world.clock.now()).toISOString()
    publishes(world, 10, 15)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes(`$replay/from=${from}/sensors/#`)
    expect(await payloads(world, client)).toEqual(names(10, 15))
    await client.subscribes(`$replay/from=${world.clock.now() + 1}/sensors/#`)
    expect(await payloads(world, client)).toEqual([])
  })

  it('given a narrower filter, then the last N are those that match it', async () => {
    const world = await withHistory(900)
    const client = await world.connects({ clientId: 'c', ...kind })
    world.publish('sensors/rare', { payload: 'once' })
    publishes(world, 900, 990)
    await client.subscribes('sensors/1', { replay: 'last=200' })
    expect(await payloads(world, client)).toEqual(
      names(0, 990)
        .filter((_, index) => index % 3 === 1)
        .slice(-200)
    )
    await client.subscribes('sensors/rare', { replay: 'last=5' })
    expect(await payloads(world, client)).toEqual(['once'])
    await client.subscribes('sensors/never', { replay: 'last=5' })
    expect(await payloads(world, client)).toEqual([])
    world.publish('sensors/never', { payload: 'now' })
    expect(await payloads(world, client)).toEqual(['now'])
  })

  it('given a client that reads slowly and others that publish, then the list is exact, and no more than a window is held', async () => {
    const world = await withHistory(100)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 3, ...kind })
    await client.subscribes('sensors/#', { qos: 1, replay: 'all' })
    const received: string[] = []
    for (let next = 100; next < 160 || received.length < 160;) {
      if (next < 160) publishes(world, next, (next += 1))
      await world.settle()
      expect(world.session('c').inflight.size).toBeLessThanOrEqual(3)
      const publishesNow = client.takesPublishes()
      received.push(...publishesNow.map(payloadOf))
      const acknowledged = publishesNow.filter(({ qos }) => qos === 1)
      if (received.length < 160 && publishesNow.length === 0 && next >= 160) break
      for (const publish of acknowledged) client.acknowledges(publish)
    }
    expect(received).toEqual(names(0, 160))
  })

  it('given a client that takes nothing, then no more is read than it has room for, however much is published', async () => {
    const world = await withHistory(500)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 4, ...kind })
    const read = vi.spyOn(world.store, 'read')
    await client.subscribes('sensors/0', { replay: 'all' })
    const entries = () => read.mock.results.reduce((sum, { value }) => sum + (Array.isArray(value) ? value.length : 0), 0)
    expect(entries()).toBeLessThanOrEqual(16)
    publishes(world, 500, 1000)
    await world.settle()
    expect(entries()).toBeLessThanOrEqual(16)
    expect((await payloads(world, client)).length).toBe(334)
    // What is read again because the client had no room for it is a few messages each time.
    expect(entries()).toBeLessThan(10_000)
  })

  it('given No Local and a Subscription Identifier, then both hold in the history', async () => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c', ...kind })
    world.publish('sensors/0', { payload: 'own', publisherClientId: 'c' })
    await client.subscribes('sensors/#', { replay: 'all', noLocal: true, subscriptionIdentifier: 7 })
    const received = await takesAll(world, client)
    expect(received.map(payloadOf)).toEqual(names(0, 5))
    expect(received.every(({ properties }) => properties.subscriptionIdentifiers?.join() === '7')).toBe(true)
  })

  it('given UNSUBSCRIBE in the midst of it, then it ends; given a new SUBSCRIBE, then it begins as asked', async () => {
    const world = await withHistory(100)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 5, ...kind })
    await client.subscribes('$replay/all/sensors/0')
    const before = client.takesPublishes()
    expect(before.map(payloadOf)).toEqual(['m0', 'm3', 'm6', 'm9', 'm12'])
    await client.unsubscribes('$replay/all/sensors/0')
    for (const publish of before) client.acknowledges(publish)
    publishes(world, 100, 110)
    expect(await payloads(world, client)).toEqual([])
    expect(world.engine.subscriptions.count).toBe(0)
    await client.subscribes('$replay/last=2/sensors/0')
    expect(await payloads(world, client)).toEqual(['m105', 'm108'])
  })

  it('given UNSUBSCRIBE in the midst of it, then what had come since the SUBSCRIBE is counted, and nothing else', async () => {
    const world = await withHistory(6000)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...kind })
    await client.subscribes('sensors/0', { replay: 'all' })
    publishes(world, 6000, 12_000)
    client.takes()
    await client.unsubscribes('sensors/0')
    world.publish('sensors/0', { payload: 'later' })
    await world.settle()
    expect(world.engine.fates.count('unsubscribed')).toBe(2000)
    expect(world.session('c').replays.isActive).toBe(false)
    expect(client.takesPublishes()).toEqual([])
  })

  it('given the end of its session in the midst of it, then what had come since the SUBSCRIBE is counted, and what was in flight', async () => {
    const world = await withHistory(6000)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...kind })
    await client.subscribes('sensors/0', { replay: 'all' })
    publishes(world, 6000, 12_000)
    client.send({ type: PacketType.Disconnect, reasonCode: ReasonCode.Success, properties: { sessionExpiryInterval: 0 } })
    await world.settle()
    expect(world.engine.fates.count('session-ended')).toBe(2001)
  })

  it('given another SUBSCRIBE of the filter in the midst of it, then what came since the first is not lost', async () => {
    const world = await withHistory(10)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...kind })
    await client.subscribes('sensors/0', { replay: 'all' })
    publishes(world, 10, 20)
    // Without a replay it goes on, as another subscription ...
    await client.subscribes('sensors/0', { subscriptionIdentifier: 9 })
    const received = client.takesPublishes()
    expect(received.map(payloadOf)).toEqual(['m0'])
    // ... and with one it begins no later than with what has come since.
    await client.subscribes('sensors/0', { replay: 'last=1', subscriptionIdentifier: 10 })
    for (const publish of received) client.acknowledges(publish)
    const rest = await takesAll(world, client)
    expect(rest.map(payloadOf)).toEqual(['m12', 'm15', 'm18'])
    expect(rest[0]?.properties.subscriptionIdentifiers).toEqual([10])
    publishes(world, 20, 25)
    expect(await payloads(world, client)).toEqual(['m21', 'm24'])
  })

  it('given two replays at once and a live subscription, then each sends its own', async () => {
    const world = await withHistory(6)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('other')
    await client.subscribes('sensors/0', { replay: 'all' })
    await client.subscribes('sensors/1', { replay: 'last=1' })
    world.publish('other', { payload: 'live' })
    expect((await payloads(world, client)).toSorted()).toEqual(['live', 'm0', 'm3', 'm4'])
  })

  it('given messages that have expired, then they are left out', async () => {
    const world = await withHistory(2)
    world.publish('sensors/0', { payload: 'short', properties: { messageExpiryInterval: 5 } })
    publishes(world, 2, 4)
    world.clock.advance(6_000)
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { replay: 'all' })
    expect(await payloads(world, client)).toEqual(names(0, 4))
    expect(world.engine.fates.count('expired')).toBe(0)
  })

  it('given retained messages as well, then only history is sent', async () => {
    const world = await withHistory(0)
    world.publish('sensors/0', { payload: 'kept', retain: true })
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { replay: 'all' })
    const received = await takesAll(world, client)
    expect(received.map(payloadOf)).toEqual(['kept'])
    expect(received[0]?.retain).toBe(false)
  })

  it('given a group beside it, then each gets every message in its way', async () => {
    const world = await withHistory(3)
    const member = await world.connects({ clientId: 'member', ...DURABLE })
    await member.subscribes('$share/g/sensors/#')
    const client = await world.connects({ clientId: 'c', ...kind })
    await client.subscribes('sensors/#', { replay: 'all' })
    publishes(world, 3, 6)
    const groups = await takesAll(world, member)
    expect(groups.map(payloadOf)).toEqual(names(3, 6))
    expect(groups.every(({ properties }) => properties.userProperties === undefined)).toBe(true)
    expect(await payloads(world, client)).toEqual(names(0, 6))
  })
})

describe('replay on 3.1.1', () => {
  it('given $replay/ filters, then history comes with its topic names, and UNSUBSCRIBE repeats the filter', async () => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c', cleanStart: true, protocolVersion: ProtocolVersion.Mqtt311 })
    await client.subscribes('$replay/last=2/sensors/#')
    const received = await takesAll(world, client)
    expect(received.map(({ topicName }) => topicName)).toEqual(['sensors/0', 'sensors/1'])
    await client.unsubscribes('$replay/last=2/sensors/#')
    publishes(world, 5, 10)
    expect(await payloads(world, client)).toEqual([])
  })
})
