import {
  NO_PROPERTIES,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  ReasonCode
} from '@godwit/protocol'
import { describe, expect, it, vi } from 'vitest'
import type { HistoryRule } from './history-rules.ts'
import { seededRandom } from './samples.test.support.ts'
import { type Client, World, type WorldOptions } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }
const SENSORS: HistoryRule = { topicFilter: 'sensors/#', messages: 1000 }

/** A broker that keeps the history of `sensors/#`, and has some. */
async function withHistory(count: number, options: WorldOptions = {}): Promise<World> {
  const world = await World.open({ history: [SENSORS], ...options })
  publishes(world, 0, count)
  return world
}

/** Publishes `m0`, `m1`, ... in turn to `sensors/0`, `sensors/1` and `sensors/2`, at QoS 0, 1 and 2. */
function publishes(world: World, from: number, to: number): void {
  for (let index = from; index < to; index++) publishOne(world, index)
}

function publishOne(world: World, index: number): void {
  const qos = ([1, 0, 2] as const)[index % 3] ?? 0
  world.publish(`sensors/${index % 3}`, { payload: `m${index}`, qos, publisherClientId: 'device' })
}

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `m${from + index}`)
}

/** The order that a receiver can count on: within a topic, whose messages have one QoS here. */
function byTopic(payloads: readonly string[]): string[] {
  return [0, 1, 2].flatMap((topic) => payloads.filter((payload) => Number(payload.slice(1)) % 3 === topic))
}

/** Goes through the exchange of every message, until nothing comes any more. */
async function takesAll(world: World, client: Client): Promise<PublishPacket[]> {
  const received: PublishPacket[] = []
  for (;;) {
    await world.settle()
    const packets = client.takes()
    if (packets.length === 0) return received
    for (const packet of packets) {
      if (packet.type === PacketType.Pubrel) {
        const { packetIdentifier } = packet
        client.send({ type: PacketType.Pubcomp, packetIdentifier, reasonCode: 0, properties: NO_PROPERTIES })
      }
      if (packet.type !== PacketType.Publish) continue
      received.push(packet)
      answers(client, packet)
    }
  }
}

function answers(client: Client, publish: PublishPacket): void {
  const { qos, packetIdentifier } = publish
  if (qos === 1) client.acknowledges(publish)
  if (qos === 2) client.send({ type: PacketType.Pubrec, packetIdentifier, reasonCode: 0, properties: NO_PROPERTIES })
}

const payloadOf = ({ payload }: PublishPacket): string => Buffer.from(payload).toString()
const sequenceOf = ({ properties }: PublishPacket): number =>
  Number(properties.userProperties?.find(([name]) => name === 'godwit-sequence')?.[1])

async function payloads(world: World, client: Client): Promise<string[]> {
  return (await takesAll(world, client)).map(payloadOf)
}

/** The Reason Codes and the Reason String of the SUBACK that has come. */
function suback(client: Client): { readonly reasonCodes: readonly number[]; readonly reasonString: string | undefined } {
  for (const packet of client.takes()) {
    if (packet.type === PacketType.Suback) {
      return { reasonCodes: packet.reasonCodes, reasonString: packet.properties.reasonString }
    }
  }
  throw new Error('there was no SUBACK')
}

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

  it('given a filter without history or with a bad start, then it fails in SUBACK and the connection stays', async () => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c', cleanStart: true, protocolVersion: ProtocolVersion.Mqtt311 })
    for (const topicFilter of ['$replay/all/other', '$replay/ever/sensors/#']) {
      await client.subscribes(topicFilter)
      expect(suback(client).reasonCodes).toEqual([0x80])
    }
    expect(client.isClosed).toBe(false)
  })
})

describe('asking for history', () => {
  it.each([
    [
      'a filter that reaches beyond the history',
      '+/0',
      'all',
      ReasonCode.ImplementationSpecificError,
      /no history for all that \+\/0/
    ],
    ['a filter without history', '$replay/all/other', undefined, ReasonCode.TopicFilterInvalid, /no history for all that other/],
    ['a start that is none', 'sensors/0', 'never', ReasonCode.ImplementationSpecificError, /accepted is one of/],
    ['a shared replay', '$share/g/$replay/all/sensors/0', undefined, ReasonCode.TopicFilterInvalid, /Shared/],
    ['a shared subscription', '$share/g/sensors/0', 'all', ReasonCode.ImplementationSpecificError, /Shared/]
  ])('given %s, then the filter is refused, with the reason', async (_, topicFilter, replay, reasonCode, reason) => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes(topicFilter, replay === undefined ? {} : { replay })
    const answer = suback(client)
    expect(answer.reasonCodes).toEqual([reasonCode])
    expect(answer.reasonString).toMatch(reason)
    expect(world.session('c').subscriptions.size).toBe(0)
  })

  it('given several rules that cover a filter, then the first goes', async () => {
    const history = [
      { topicFilter: 'sensors/0', messages: 2 },
      { topicFilter: '#', messages: 100 }
    ]
    const world = await withHistory(30, { history })
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('sensors/0', { replay: 'all' })
    expect(await payloads(world, client)).toEqual(['m24', 'm27'])
    await client.subscribes('sensors/+', { replay: 'all' })
    expect(await payloads(world, client)).toEqual(names(0, 30))
  })

  it('asks for permission once, for the topics, and tells that history is asked for', async () => {
    const asked: unknown[] = []
    const world = await withHistory(5, {
      access: {
        authorize: (_, access) => {
          asked.push(access)
          return !('replay' in access)
        }
      }
    })
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('$replay/all/sensors/0')
    expect(suback(client).reasonCodes).toEqual([ReasonCode.NotAuthorized])
    // Whether there is history for it is nobody's business.
    await client.subscribes('other', { replay: 'all' })
    expect(suback(client)).toEqual({ reasonCodes: [ReasonCode.NotAuthorized], reasonString: undefined })
    await client.subscribes('sensors/0')
    expect(suback(client).reasonCodes).toEqual([1])
    expect(asked).toEqual([
      { action: 'subscribe', topicFilter: 'sensors/0', qos: 1, shareName: undefined, replay: true },
      { action: 'subscribe', topicFilter: 'other', qos: 1, shareName: undefined, replay: true },
      { action: 'subscribe', topicFilter: 'sensors/0', qos: 1, shareName: undefined }
    ])
  })

  it('given a group beside it, then each gets every message in its way', async () => {
    const world = await withHistory(3)
    const member = await world.connects({ clientId: 'member', ...DURABLE })
    await member.subscribes('$share/g/sensors/#')
    const client = await world.connects({ clientId: 'c', ...DURABLE })
    await client.subscribes('sensors/#', { replay: 'all' })
    publishes(world, 3, 6)
    const groups = await takesAll(world, member)
    expect(groups.map(payloadOf)).toEqual(names(3, 6))
    expect(groups.every(({ properties }) => properties.userProperties === undefined)).toBe(true)
    expect(await payloads(world, client)).toEqual(names(0, 6))
  })
})

describe('replay across connections and restarts', () => {
  it.each([1, 2] as const)(
    'given QoS %d, restarts and lost connections, then at QoS 1 nothing is missing, and at QoS 2 nothing comes twice',
    async (qos) => {
      for (let seed = 1; seed <= 15; seed++) {
        const random = seededRandom(seed)
        const world = await World.open({ history: [SENSORS] })
        const publish = (index: number) => world.publish('sensors/x', { payload: `m${index}`, qos })
        let published = 0
        while (published < 60) publish(published++)
        const connects = () => world.connects({ clientId: 'c', receiveMaximum: 4, ...DURABLE })
        let client = await connects()
        await client.subscribes('sensors/#', { qos, replay: 'all' })
        const received: string[] = []
        /** QoS 2: what the client has by its packet identifier, until PUBREL. */
        const unreleased = new Map<number, string>()
        let inbox: Packet[] = []
        const handle = (limit: number) => {
          inbox.push(...client.takes())
          for (const packet of inbox.splice(0, limit)) {
            if (packet.type === PacketType.Pubrel) {
              unreleased.delete(packet.packetIdentifier)
              client.send({ ...packet, type: PacketType.Pubcomp, reasonCode: 0, properties: NO_PROPERTIES })
            }
            if (packet.type !== PacketType.Publish) continue
            if (qos === 1 || !unreleased.has(packet.packetIdentifier)) received.push(payloadOf(packet))
            if (qos === 2) unreleased.set(packet.packetIdentifier, payloadOf(packet))
            answers(client, packet)
          }
        }
        for (let step = 0; step < 40; step++) {
          if (random() < 0.4) publish(published++)
          handle(Math.floor(random() * 4))
          const chance = random()
          if (chance < 0.15) {
            // Whatever has not been committed is, or is not: nobody has been told.
            if (random() < 0.5) world.commit()
            await world.restart()
            client = await connects()
            inbox = []
          } else if (chance < 0.25) {
            await client.drops()
            publish(published++)
            client = await connects()
            inbox = []
          } else await world.settle()
        }
        // What it had not looked at is lost to the client: it comes again.
        await client.drops()
        client = await connects()
        inbox = []
        for (let idle = 0; idle < 2;) {
          await world.settle()
          const before = received.length
          handle(Infinity)
          await world.settle()
          idle = received.length === before ? idle + 1 : 0
        }
        const expected = names(0, published)
        if (qos === 2) expect(received, `seed ${seed}`).toEqual(expected)
        else {
          expect([...new Set(received)], `seed ${seed}`).toEqual(expected)
        }
        expect(world.session('c').replays.isActive).toBe(false)
      }
    }
  )

  it('given a clean session, then its replay ends with its connection', async () => {
    const world = await withHistory(100)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2 })
    await client.subscribes('sensors/0', { replay: 'all' })
    await client.drops()
    const again = await world.connects({ clientId: 'c' })
    expect(await payloads(world, again)).toEqual([])
  })

  it('given QoS 0 and a restart, then it goes on live, and nothing is sent twice', async () => {
    const world = await withHistory(10)
    const client = await world.connects({ clientId: 'c', ...DURABLE })
    await client.subscribes('sensors/#', { qos: 0, replay: 'all' })
    expect(await payloads(world, client)).toEqual(names(0, 10))
    await world.restart()
    const again = await world.connects({ clientId: 'c', ...DURABLE })
    publishes(world, 10, 12)
    const received = await takesAll(world, again)
    expect(received.map(payloadOf)).toEqual(names(10, 12))
    expect(received.every((publish) => sequenceOf(publish) > 0)).toBe(true)
  })

  it('given a rule that is gone after a restart, then its queue is dropped, but not before replays have finished', async () => {
    const history = [SENSORS]
    const world = await withHistory(10, { history })
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    await client.subscribes('sensors/#', { replay: 'all' })
    const received = client.takesPublishes()
    history.length = 0
    await world.restart()
    publishes(world, 10, 12)
    const again = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    const sentAgain = again.takesPublishes()
    await again.subscribes('sensors/0', { replay: 'all' })
    expect(suback(again).reasonCodes).toEqual([ReasonCode.ImplementationSpecificError])
    for (const publish of sentAgain) answers(again, publish)
    received.push(...sentAgain, ...(await takesAll(world, again)))
    expect([...new Set(received.map(payloadOf))]).toEqual(names(0, 12))
    publishes(world, 12, 15)
    expect(await payloads(world, again)).toEqual(names(12, 15))
    world.clock.advance(2_000)
    expect(world.store.storedBytes).toBe(0)
    await again.subscribes('sensors/#', { replay: 'all' })
    expect(suback(again).reasonCodes).toEqual([ReasonCode.ImplementationSpecificError])
  })

  it.each([false, true])(
    'given a subscription for which messages wait, and a restart: %s, then one with a replay replaces it and loses none of them',
    async (restarts) => {
      const world = await withHistory(0)
      const first = await world.connects({ clientId: 'c', ...DURABLE })
      await first.subscribes('sensors/0', { subscriptionIdentifier: 1 })
      await first.drops()
      publishes(world, 0, 30)
      let client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
      await client.subscribes('sensors/0', { replay: 'last=3', subscriptionIdentifier: 2 })
      if (restarts) {
        await world.restart()
        client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
      }
      publishes(world, 30, 33)
      const received = await takesAll(world, client)
      const by = (identifier: number) =>
        received.filter(({ properties }) => properties.subscriptionIdentifiers?.includes(identifier)).map(payloadOf)
      expect(by(1)).toEqual(['m0', 'm3', 'm6', 'm9', 'm12', 'm15', 'm18', 'm21', 'm24', 'm27'])
      expect(by(2)).toEqual(['m21', 'm24', 'm27', 'm30'])
      expect(world.engine.fates.count('unsubscribed')).toBe(0)
      publishes(world, 33, 34)
      expect(await payloads(world, client)).toEqual(['m33'])
      await client.unsubscribes('sensors/0')
      expect(world.engine.queues.size).toBe(0)
    }
  )

  it('given such a replacement whose waiting messages have been sent, and UNSUBSCRIBE, then no queue is left behind', async () => {
    const world = await withHistory(50)
    const first = await world.connects({ clientId: 'c', ...DURABLE })
    await first.subscribes('sensors/0')
    await first.drops()
    publishes(world, 50, 60)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    await client.subscribes('sensors/0', { replay: 'all' })
    for (let received = 0; received < 6; received++) {
      for (const publish of client.takesPublishes()) client.acknowledges(publish)
      await world.settle()
    }
    expect(world.session('c').replays.isActive).toBe(true)
    expect(world.session('c').consumer?.caughtUp).toBe(true)
    await client.unsubscribes('sensors/0')
    expect(world.engine.queues.size).toBe(0)
  })

  it('given a rule that is gone and nobody to finish, then its queue is dropped at the next start', async () => {
    const history = [SENSORS]
    const world = await withHistory(10, { history })
    expect(world.store.storedBytes).toBeGreaterThan(0)
    history.length = 0
    await world.restart()
    expect(world.store.storedBytes).toBe(0)
  })
})

describe('replay from a store that answers later', () => {
  it('given a session that is behind with other messages, then it does not read again what its replay has sent', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed)
      const world = await withHistory(0, { readsLate: true, limits: { inflightMax: 5000 } })
      // Another one without a connection keeps the queue of the same filter.
      const other = await world.connects({ clientId: 'other', ...DURABLE })
      await other.subscribes('sensors/0')
      await other.drops()
      const first = await world.connects({ clientId: 'c', ...DURABLE })
      await first.subscribes('work')
      await first.drops()
      for (let index = 0; index < 4000; index++) world.publish('work', { payload: 'work' })
      publishes(world, 0, 30)
      world.holdsAnswers = true
      const client = await world.connects({ clientId: 'c', ...DURABLE })
      const subscribed = client.subscribes('sensors/0', { replay: 'all' })
      world.holdsAnswers = false
      let next = 30
      const isLive = () => world.session('c').subscriptions.get('sensors/0')?.isReplaying === false
      while (!isLive()) {
        if (random() < 0.5) publishOne(world, next++)
        world.commit()
        await world.turn()
      }
      expect(world.session('c').consumer?.caughtUp).toBe(false)
      await subscribed
      const received = await payloads(world, client)
      const expected = names(0, next).filter((_, index) => index % 3 === 0)
      expect(
        received.filter((payload) => payload !== 'work'),
        `seed ${seed}`
      ).toEqual(expected)
      expect(received.length).toBe(expected.length + 4000)
    }
  })
})

describe.each([
  ['at once', false],
  ['later', true]
])('replay from a store that answers %s, while others publish', (_, readsLate) => {
  it.each([0, 1, 2] as const)('given QoS %d, then the list is exact', async (qos: QoS) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed)
      const world = await withHistory(300, { readsLate })
      const client = await world.connects({ clientId: 'c', receiveMaximum: 1 + Math.floor(random() * 20), ...DURABLE })
      let next = 300
      const subscribed = client.subscribes('sensors/#', { qos, replay: 'all' })
      const received: string[] = []
      for (let step = 0; step < 60; step++) {
        if (random() < 0.5) publishOne(world, next++)
        if (random() < 0.3) world.commit()
        await world.turn()
        for (const packet of client.takes()) {
          if (packet.type === PacketType.Pubrel) {
            client.send({ ...packet, type: PacketType.Pubcomp, reasonCode: 0, properties: NO_PROPERTIES })
          }
          if (packet.type !== PacketType.Publish) continue
          received.push(payloadOf(packet))
          answers(client, packet)
        }
      }
      await subscribed
      received.push(...(await payloads(world, client)))
      publishes(world, next, (next += 5))
      received.push(...(await payloads(world, client)))
      expect(byTopic(received), `seed ${seed}`).toEqual(byTopic(names(0, next)))
    }
  })
})
