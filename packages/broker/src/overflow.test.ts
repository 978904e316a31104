import { MqttError, PacketType, type PublishPacket, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { describe, expect, it, test, vi } from 'vitest'
import { Broker } from './broker.ts'
import type { Drop } from './fates.ts'
import type { OverflowAction, OverflowRule } from './overflow-rules.ts'
import { message } from './samples.test.support.ts'
import { type Client, World, type WorldOptions } from './world.test.support.ts'

/** A world with a session that has subscribed to a filter, and is away. */
async function away(rule: OverflowRule, options: WorldOptions = {}, clientId = 'away', topicFilter = 'q/#'): Promise<World> {
  const world = await World.open({ overflow: [rule], ...options })
  await leaves(world, clientId, topicFilter)
  return world
}

async function leaves(world: World, clientId: string, topicFilter: string, listener = ''): Promise<void> {
  const client = await world.connects({ clientId, sessionExpiryInterval: 86_400, listener })
  await client.subscribes(topicFilter, { qos: 2 })
  await client.drops()
}

function returns(world: World, clientId = 'away', listener = ''): Promise<Client> {
  return world.connects({ clientId, sessionExpiryInterval: 86_400, listener })
}

async function publishes(world: World, from: number, through: number, topicName = 'q/t'): Promise<void> {
  for (let number = from; number <= through; number++) world.publish(topicName, { payload: String(number) })
  await world.settle()
}

function held(world: World, clientId = 'away'): number {
  const { consumer } = world.session(clientId)
  return [...world.engine.queues.values()].reduce((sum, queue) => sum + (consumer?.waiting(queue) ?? 0), 0)
}

function userProperties({ properties }: PublishPacket): Record<string, string> {
  return Object.fromEntries(properties.userProperties ?? [])
}

describe('a backlog that refuses', () => {
  const rule: OverflowRule = { topicFilter: 'q/#', action: 'refuse', messagesMax: 2 }

  test.each([
    [1, PacketType.Puback],
    [2, PacketType.Pubrec]
  ] as const)('QoS %d of a 5.0 client: answered 0x97 with the rule, until the session has taken something', async (qos, type) => {
    const world = await away(rule)
    await publishes(world, 1, 2)
    const publisher = await world.connects({ clientId: 'publisher' })
    publisher.takes()
    publisher.publishes('q/t', 'late', qos)
    await world.settle()
    const [answer] = publisher.takes()
    const reasonString = "a subscriber's queue is full: for q/# at most 2 messages and 1073741824 bytes may wait"
    expect(answer).toMatchObject({ type, reasonCode: ReasonCode.QuotaExceeded, properties: { reasonString } })
    expect(world.engine.fates.count('queue-full-refused')).toBe(1)
    expect(await (await returns(world)).drains()).toEqual(['1', '2'])
    publisher.publishes('q/t', 'in time', qos)
    await world.settle()
    expect(publisher.takes()[0]).toMatchObject({ type, reasonCode: ReasonCode.Success })
  })

  it('QoS 0, and topics that nobody waits for, are not refused', async () => {
    const world = await away(rule)
    await publishes(world, 1, 2)
    const publisher = await world.connects({ clientId: 'publisher', protocolVersion: ProtocolVersion.Mqtt311 })
    publisher.publishes('q/t', 'x', 0)
    publisher.publishes('other', 'x', 1)
    await world.settle()
    expect(publisher.isClosed).toBe(false)
    expect(world.engine.fates.count('queue-full-refused')).toBe(0)
  })

  test.each([
    ['close', true],
    ['acknowledge', false]
  ] as const)('a 3.1.1 client cannot be told: %s', async (refusedPublishMqtt3, isClosed) => {
    const world = await away(rule, { options: { refusedPublishMqtt3 } })
    await publishes(world, 1, 2)
    const publisher = await world.connects({ clientId: 'publisher', protocolVersion: ProtocolVersion.Mqtt311 })
    publisher.takes()
    publisher.publishes('q/t', 'late')
    await world.settle()
    expect(publisher.isClosed).toBe(isClosed)
    expect(publisher.takes().map(({ type }) => type)).toEqual(isClosed ? [] : [PacketType.Puback])
    expect([world.engine.fates.count('queue-full-refused'), held(world)]).toEqual([1, 2])
  })

  it('what a 3.1.1 client had sent before is answered first: sent again, it would fill the backlog again', async () => {
    const world = await away(rule)
    await publishes(world, 1, 1)
    const publisher = await world.connects({ clientId: 'publisher', protocolVersion: ProtocolVersion.Mqtt311 })
    publisher.takes()
    for (const payload of ['2', 'late', 'later']) publisher.publishes('q/t', payload)
    await world.settle()
    expect(publisher.isClosed).toBe(true)
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback, packetIdentifier: 1 }])
    expect([world.engine.fates.count('queue-full-refused'), held(world)]).toEqual([1, 2])
  })

  it('the application’s own publish rejects with 0x97', async () => {
    const world = await away(rule)
    await publishes(world, 1, 2)
    const broker = new Broker(world.engine)
    const rejected = await broker.publish({ topicName: 'q/t', payload: 'late', qos: 1 }).catch((error: unknown) => error)
    expect(rejected).toBeInstanceOf(MqttError)
    expect(rejected).toMatchObject({ reasonCode: ReasonCode.QuotaExceeded })
    expect([world.engine.fates.count('queue-full-refused'), held(world)]).toEqual([1, 2])
  })

  it('a Will Message that is refused has its fate', async () => {
    const world = await away(rule)
    await publishes(world, 1, 2)
    const dying = await world.connects({ clientId: 'dying', will: { topicName: 'q/will', qos: 1 } })
    await dying.drops()
    expect([world.engine.fates.count('queue-full-refused'), held(world)]).toEqual([1, 2])
  })

  it('given a thousand full backlogs, then a publisher that insists costs one look each time', async () => {
    const world = await World.open({ overflow: [rule] })
    for (let count = 0; count < 1000; count++) await leaves(world, `away-${count}`, 'q/t')
    await publishes(world, 1, 2)
    const looks = vi.spyOn(world.store, 'backlog')
    for (let count = 0; count < 100; count++) expect(world.engine.router.refusalOf(message('q/t'))).toBeDefined()
    expect(looks.mock.calls.length).toBeLessThanOrEqual(200)
  })
})

describe('a backlog that drops the oldest', () => {
  it('given many sessions that are away, then messages cost next to nothing for each, and none gets more than its bound', async () => {
    const SESSIONS = 1000
    const MESSAGES = 500
    const world = await World.open({ overflow: [{ action: 'drop-oldest', messagesMax: 3 }] })
    for (let count = 0; count < SESSIONS; count++) await leaves(world, `away-${count}`, 'q/t')
    const looks = vi.spyOn(world.store, 'backlog')
    const puts = vi.spyOn(world.store, 'putSubscription')
    await publishes(world, 1, MESSAGES)
    expect(puts.mock.calls.length).toBeLessThanOrEqual(MESSAGES * 5)
    expect(looks.mock.calls.length).toBeLessThanOrEqual(MESSAGES * 40)
    expect(await (await returns(world, 'away-77')).drains()).toEqual(['498', '499', '500'])
  })

  it('given a subscription of QoS 0 in its place, then what was dropped stays dropped after a restart, and the rest comes', async () => {
    const world = await World.open({ overflow: [{ action: 'drop-oldest', messagesMax: 3 }] })
    await leaves(world, 'holds the log', 'q/#')
    const slow = await world.connects({ clientId: 'away', sessionExpiryInterval: 86_400, receiveMaximum: 1 })
    await slow.subscribes('q/#', { qos: 1 })
    await publishes(world, 1, 6)
    await slow.subscribes('q/#', { qos: 0 })
    await slow.drops()
    await world.restart()
    expect(await (await returns(world)).drains()).toEqual(['1', '4', '5', '6'])
  })
})

describe('a backlog that drops the newest', () => {
  const rule: OverflowRule = { action: 'drop-newest', messagesMax: 4 }

  it('keeps what it has, and counts what it drops with its topic', async () => {
    const world = await away(rule)
    const drops: Drop[] = []
    world.engine.events.on('messageDropped', (drop) => drops.push(drop))
    await publishes(world, 1, 4)
    await publishes(world, 5, 7, 'q/later')
    expect(drops).toHaveLength(3)
    for (const drop of drops) expect(drop).toMatchObject({ fate: 'queue-full', topicName: 'q/later', clientId: 'away' })
    expect(await (await returns(world)).drains()).toEqual(['1', '2', '3', '4'])
    await publishes(world, 8, 8)
  })

  it('given that the client subscribes anew meanwhile, and a restart, then what it gave up stays given up', async () => {
    const world = await World.open({ overflow: [rule] })
    await leaves(world, 'holds the log', 'q/t')
    const slow = await world.connects({ clientId: 'away', sessionExpiryInterval: 86_400, receiveMaximum: 1 })
    await slow.subscribes('q/#', { qos: 1 })
    await publishes(world, 1, 8)
    await slow.subscribes('q/#', { qos: 2 })
    await slow.drops()
    await world.restart()
    await publishes(world, 9, 9)
    const client = await returns(world)
    expect(await client.drains()).toEqual(['1', '2', '3', '4', '5'])
    await publishes(world, 10, 10)
    expect(await client.drains()).toEqual(['10'])
  })

  it('given another rule after a restart, then what comes from there on waits, and what was dropped does not come back', async () => {
    const world = await away(rule)
    await leaves(world, 'holds the log', '#')
    await publishes(world, 1, 6)
    await world.restart({ overflow: [] })
    await world.settle()
    await world.restart()
    await publishes(world, 7, 8)
    await world.restart({ overflow: [{ action: 'drop-newest', messagesMax: 5 }] })
    await publishes(world, 9, 9)
    expect(await (await returns(world)).drains()).toEqual(['1', '2', '3', '4', '7'])
  })

  it('given that the session ends, then what it had kept and what it had dropped are counted apart', async () => {
    const world = await away(rule)
    await publishes(world, 1, 10)
    world.clock.advance(86_401_000)
    const { fates } = world.engine
    expect([fates.count('queue-full'), fates.count('session-ended')]).toEqual([6, 4])
  })

  it('given that nobody else reads the queue, then what is dropped is not stored', async () => {
    const world = await away(rule)
    await publishes(world, 1, 4)
    const { storedBytes } = world.store
    await publishes(world, 5, 100)
    expect(world.store.storedBytes).toBe(storedBytes)
    expect(world.engine.fates.count('queue-full')).toBe(96)
  })

  it('given a 5.0 publisher, then it is told nothing: its message has been accepted', async () => {
    const world = await away(rule)
    await publishes(world, 1, 4)
    const publisher = await world.connects({ clientId: 'publisher' })
    publisher.takes()
    publisher.publishes('q/t', 'dropped')
    await world.settle()
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback, reasonCode: ReasonCode.Success }])
  })

  it('given somebody else who needs what it drops, then the log is bounded by the limits all the same', async () => {
    const world = await away(rule, { limits: { queuedMessagesMax: 20 } })
    const keen = await world.connects({ clientId: 'keen', sessionExpiryInterval: 86_400 })
    await keen.subscribes('q/#', { qos: 1 })
    for (let number = 1; number <= 100; number++) {
      await publishes(world, number, number)
      for (const publish of keen.takesPublishes()) keen.acknowledges(publish)
      await world.settle()
    }
    world.clock.advance(5000)
    const [queue] = world.engine.queues.values()
    expect(queue?.held(0).messages).toBeLessThanOrEqual(21)
    expect(world.engine.fates.count('queue-full')).toBe(100)
    expect(await (await returns(world)).drains()).toEqual([])
  })

  it('given a thousand sessions that are away, then messages cost next to nothing for each, and all drops are counted', async () => {
    const world = await World.open({ overflow: [rule] })
    for (let count = 0; count < 1000; count++) await leaves(world, `away-${count}`, 'q/t')
    const drops: Drop[] = []
    world.engine.events.on('messageDropped', (drop) => drops.push(drop))
    await publishes(world, 1, 4)
    const looks = vi.spyOn(world.store, 'backlog')
    await publishes(world, 5, 1000)
    expect(looks.mock.calls.length).toBeLessThanOrEqual(1000 * 60)
    expect(drops.length).toBeLessThanOrEqual(1000 * 5)
    const returned = await returns(world, 'away-77')
    expect(await returned.drains()).toEqual(['1', '2', '3', '4'])
    const counted = drops.reduce((sum, { clientId, count }) => (clientId === 'away-77' ? sum + count : sum), 0)
    expect(counted).toBe(996)
  })
})

describe('dead letters', () => {
  const rule: OverflowRule = { topicFilter: 'q/#', action: 'dead-letter', messagesMax: 2 }

  it('say where they come from, and go to the topic behind $dead-letter/', async () => {
    const world = await away(rule)
    const operator = await world.connects({ clientId: 'operator' })
    await operator.subscribes('$dead-letter/#', { qos: 2 })
    const curious = await world.connects({ clientId: 'curious' })
    await curious.subscribes('#', { qos: 1 })
    const publishedAt = new Date(world.clock.now()).toISOString()
    const properties = { contentType: 'text/plain', messageExpiryInterval: 60, userProperties: [['own', 'kept']] as const }
    world.publish('q/t', { payload: '1', qos: 2, properties })
    await publishes(world, 2, 3)
    const [letter] = operator.takesPublishes()
    if (letter === undefined) return expect.unreachable()
    expect(letter).toMatchObject({
      topicName: '$dead-letter/q/t',
      qos: 2,
      retain: false,
      properties: { contentType: 'text/plain' }
    })
    expect(letter.properties.messageExpiryInterval).toBeUndefined()
    expect(Buffer.from(letter.payload).toString()).toBe('1')
    expect(userProperties(letter)).toEqual({
      own: 'kept',
      'godwit-topic': 'q/t',
      'godwit-client': 'away',
      'godwit-reason': 'queue-full',
      'godwit-published-at': publishedAt
    })
    expect(world.engine.fates.count('dead-lettered')).toBe(1)
    expect(curious.takesPublishes().map(({ topicName }) => topicName)).toEqual(['q/t', 'q/t', 'q/t'])
    expect(await (await returns(world)).drains()).toEqual(['2', '3'])
  })

  it('given a long backlog at once, then some are moved each turn, and the commit that moves them gives them up', async () => {
    const world = await away({ ...rule, messagesMax: 1000 })
    await leaves(world, 'operator', '$dead-letter/#')
    for (let number = 1; number <= 1000; number++) world.publish('q/t', { payload: String(number) })
    await world.settle()
    for (let number = 1001; number <= 2000; number++) world.publish('q/t', { payload: String(number) })
    await world.turn()
    const isBetween = held(world, 'operator')
    expect(isBetween).toBeGreaterThan(0)
    expect(isBetween).toBeLessThanOrEqual(256)
    await world.restart()
    expect(held(world) + held(world, 'operator')).toBe(2000)
    await publishes(world, 2001, 2001)
    expect([held(world), held(world, 'operator')]).toEqual([1000, 1001])
  })

  it('given two rules that would send a message round, then it stops at the second', async () => {
    const world = await World.open({
      overflow: [
        { topicFilter: 'a/#', action: 'dead-letter', messagesMax: 1, deadLetterTopic: 'b/{topic}' },
        { topicFilter: 'b/#', action: 'dead-letter', messagesMax: 1, deadLetterTopic: 'a/{topic}' }
      ]
    })
    await leaves(world, 'one', 'a/#')
    await leaves(world, 'other', 'b/#')
    await publishes(world, 1, 4, 'a')
    expect([held(world, 'one'), held(world, 'other')]).toEqual([1, 1])
    expect([world.engine.fates.count('dead-lettered'), world.engine.fates.count('queue-full')]).toEqual([3, 2])
  })

  it('given that they are refused in turn, or that a message has expired, then no dead letter is made, and each has its fate', async () => {
    const world = await away(rule, {
      overflow: [rule, { topicFilter: '$dead-letter/#', action: 'refuse', messagesMax: 1 }]
    })
    await leaves(world, 'operator', '$dead-letter/#')
    world.publish('q/t', { payload: 'short-lived', properties: { messageExpiryInterval: 1 } })
    world.clock.advance(2000)
    await publishes(world, 1, 5)
    expect(held(world, 'operator')).toBe(1)
    const { fates } = world.engine
    expect([fates.count('expired'), fates.count('dead-lettered'), fates.count('queue-full')]).toEqual([1, 1, 2])
  })

  it('given another subscription of the client that still has the message for it, then it is not lost, and not moved', async () => {
    const world = await World.open({ overflow: [{ ...rule, topicFilter: 'q/+' }] })
    const client = await world.connects({ clientId: 'away', sessionExpiryInterval: 86_400 })
    await client.subscribes('q/+', { qos: 1 })
    await client.subscribes('#', { qos: 1 })
    await client.drops()
    await publishes(world, 1, 5)
    expect(world.engine.fates.count('dead-lettered')).toBe(0)
    expect(await (await returns(world)).drains()).toEqual(['1', '2', '3', '4', '5'])
  })
})

describe('messages that have waited for too long', () => {
  const MINUTE = 60_000

  async function hourOf(action: OverflowAction): Promise<World> {
    const world = await away({ action, ageSecondsMax: 570, topicFilter: 'q/#' })
    await leaves(world, 'operator', '$dead-letter/#')
    for (let minute = 1; minute <= 60; minute++) {
      if (world.engine.router.refusalOf(message('q/t')) === undefined) await publishes(world, minute, minute)
      world.clock.advance(MINUTE)
      await world.settle()
    }
    return world
  }

  it('drop-oldest: only those of the last ten minutes come', async () => {
    const world = await hourOf('drop-oldest')
    expect(await (await returns(world)).drains()).toEqual(['52', '53', '54', '55', '56', '57', '58', '59', '60'])
    expect(world.engine.fates.count('queue-full')).toBe(51)
  })

  it('dead-letter: the others have been moved, and say why', async () => {
    const world = await hourOf('dead-letter')
    expect(held(world)).toBe(9)
    const operator = await returns(world, 'operator')
    const [first] = operator.takesPublishes()
    if (first === undefined) return expect.unreachable()
    expect(userProperties(first)).toMatchObject({ 'godwit-reason': 'too-old' })
    expect(world.engine.fates.count('dead-lettered')).toBe(51)
  })

  it.each(['drop-newest', 'refuse'] as const)(
    '%s: those of the first ten minutes wait, and nothing more comes',
    async (action) => {
      const world = await hourOf(action)
      const kept = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']
      const client = await returns(world)
      expect(await client.drains()).toEqual(kept)
      await publishes(world, 61, 61)
      expect(await client.drains()).toEqual(['61'])
    }
  )

  it('given a restart, then they are looked after again', async () => {
    const world = await away({ action: 'drop-oldest', ageSecondsMax: 600 })
    await publishes(world, 1, 3)
    world.clock.advance(5 * MINUTE)
    await publishes(world, 4, 6)
    await world.restart()
    world.clock.advance(6 * MINUTE)
    await world.settle()
    expect(held(world)).toBe(3)
  })

  it('given a long queue, then finding them takes a few reads', async () => {
    const world = await away({ action: 'drop-oldest', ageSecondsMax: 600 })
    for (let count = 0; count < 5000; count++) world.publish('q/t')
    world.clock.advance(5 * MINUTE)
    for (let count = 0; count < 5000; count++) world.publish('q/t')
    await world.settle()
    const reads = vi.spyOn(world.store, 'read')
    world.clock.advance(5.5 * MINUTE)
    await world.settle()
    expect(held(world)).toBe(5000)
    expect(reads.mock.calls.length).toBeLessThanOrEqual(40)
  })
})

describe('whose backlog a rule is for', () => {
  const overflow: readonly OverflowRule[] = [
    { listeners: ['fleet'], topicFilter: 'alarms/#', action: 'drop-newest', messagesMax: 1 },
    { topicFilter: 'alarms/#', action: 'drop-oldest', messagesMax: 2 }
  ]

  it('that of the listener by which the client last came, also after a restart', async () => {
    const world = await World.open({ overflow })
    await leaves(world, 'device', 'alarms/+/fire', 'fleet')
    await leaves(world, 'person', 'alarms/+/fire', 'web')
    await leaves(world, 'elsewhere', '+/+/fire', 'fleet')
    await world.restart()
    await publishes(world, 1, 4, 'alarms/hall/fire')
    expect([held(world, 'device'), held(world, 'person'), held(world, 'elsewhere')]).toEqual([1, 2, 4])
    expect(await (await returns(world, 'device', 'fleet')).drains()).toEqual(['1'])
  })

  it('given that the client comes by another listener, then another rule', async () => {
    const world = await World.open({ overflow })
    await leaves(world, 'device', 'alarms/#', 'fleet')
    await publishes(world, 1, 3, 'alarms/a')
    const client = await world.connects({ clientId: 'device', sessionExpiryInterval: 86_400, listener: 'web', receiveMaximum: 1 })
    await publishes(world, 4, 8, 'alarms/a')
    expect(await client.drains()).toEqual(['1', '7', '8'])
  })

  it('a group comes by no listener', async () => {
    const world = await World.open({ overflow })
    const member = await world.connects({ clientId: 'member', sessionExpiryInterval: 86_400, listener: 'fleet' })
    await member.subscribes('$share/g/alarms/#', { qos: 1 })
    await member.drops()
    await publishes(world, 1, 4, 'alarms/a')
    await world.restart()
    await publishes(world, 5, 5, 'alarms/a')
    expect(await (await returns(world, 'member', 'fleet')).drains()).toEqual(['4', '5'])
  })

  it('a group may drop the newest, before a restart and after it', async () => {
    const world = await World.open({ overflow: [{ action: 'drop-newest', messagesMax: 2 }] })
    const member = await world.connects({ clientId: 'member', sessionExpiryInterval: 86_400 })
    await member.subscribes('$share/g/alarms/#', { qos: 1 })
    await member.drops()
    await leaves(world, 'holds the log', 'alarms/a')
    await publishes(world, 1, 4, 'alarms/a')
    await world.restart()
    await publishes(world, 5, 5, 'alarms/a')
    expect(await (await returns(world, 'member')).drains()).toEqual(['1', '2'])
  })
})
