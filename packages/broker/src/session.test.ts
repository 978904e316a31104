import { NO_PROPERTIES, PacketType, type QoS, topicMatches } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Client, World } from './world.test.support.ts'

// fast-check prints its seed when a property fails.

const DURABLE = { sessionExpiryInterval: 3600 }

/** A subscriber that keeps its half of the session over connections and handles packets only when told to. */
class Subscriber {
  readonly clientId: string
  readonly received: string[] = []
  readonly #world: World
  readonly #receiveMaximum: number
  #client: Client | undefined
  /** QoS 2 messages that it has, whose PUBREL has not come. */
  readonly #unreleased = new Set<number>()
  #inbox: ReturnType<Client['takes']> = []

  constructor(world: World, clientId: string, receiveMaximum: number) {
    this.#world = world
    this.clientId = clientId
    this.#receiveMaximum = receiveMaximum
  }

  async connect(): Promise<Client> {
    this.#client ??= await this.#world.connects({ clientId: this.clientId, receiveMaximum: this.#receiveMaximum, ...DURABLE })
    return this.#client
  }

  async drop(): Promise<void> {
    await this.#client?.drops()
    this.lose()
  }

  lose(): void {
    this.#client = undefined
    this.#inbox = []
  }

  /** Handles up to `count` packets; returns whether there were any. */
  async handle(count: number): Promise<boolean> {
    await this.#world.settle()
    const client = this.#client
    if (client === undefined) return false
    this.#inbox.push(...client.takes())
    const packets = this.#inbox.splice(0, count)
    for (const packet of packets) {
      if (packet.type === PacketType.Publish) {
        const { packetIdentifier, qos, payload } = packet
        const isKnown = qos === 2 && this.#unreleased.has(packetIdentifier)
        if (!isKnown) this.received.push(Buffer.from(payload).toString())
        if (qos === 1) client.acknowledges(packet)
        if (qos === 2) {
          this.#unreleased.add(packetIdentifier)
          client.send({ type: PacketType.Pubrec, packetIdentifier, reasonCode: 0, properties: NO_PROPERTIES })
        }
      } else if (packet.type === PacketType.Pubrel) {
        const { packetIdentifier } = packet
        this.#unreleased.delete(packetIdentifier)
        client.send({ type: PacketType.Pubcomp, packetIdentifier, reasonCode: 0, properties: NO_PROPERTIES })
      } else expect([PacketType.Connack, PacketType.Suback]).toContain(packet.type)
    }
    await this.#world.settle()
    return packets.length > 0
  }
}

const SUBSCRIPTIONS: readonly (readonly [string, QoS])[][] = [
  [
    ['a/+', 2],
    ['a/b', 1]
  ],
  [
    ['#', 1],
    ['c', 2]
  ],
  [['+/b', 2]]
]
const TOPICS = ['a/b', 'a/x', 'c', 'd/b'] as const

type Step =
  | { readonly kind: 'publish'; readonly topicName: string; readonly qos: 1 | 2; readonly count: number }
  | { readonly kind: 'connect' | 'drop'; readonly at: number }
  | { readonly kind: 'handle'; readonly at: number; readonly count: number }
  | { readonly kind: 'restart' | 'pass time' | 'store stalls' | 'store goes on' }

const at = fc.nat(SUBSCRIPTIONS.length - 1)
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('publish'),
        topicName: fc.constantFrom(...TOPICS),
        qos: fc.constantFrom(1, 2),
        count: fc.integer({ min: 1, max: 4 })
      })
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('connect', 'drop'), at }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('handle'), at, count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'pass time', 'store stalls', 'store goes on') }) }
  ),
  { maxLength: 50, size: 'max' }
) satisfies fc.Arbitrary<Step[]>

interface Published {
  readonly payload: string
  readonly topicName: string
  readonly qos: QoS
}

/** Goes through a history, lets everyone catch up, and checks what each has received, and what is left. */
async function live(history: readonly Step[], receiveMaximum: readonly number[], readsLate: boolean): Promise<void> {
  const world = await World.open({ readsLate })
  const subscribers = SUBSCRIPTIONS.map((_, index) => new Subscriber(world, `s${index}`, receiveMaximum[index] ?? 1))
  for (const [index, subscriber] of subscribers.entries()) {
    const client = await subscriber.connect()
    for (const [topicFilter, qos] of SUBSCRIPTIONS[index] ?? []) await client.subscribes(topicFilter, { qos })
  }
  const published: Published[] = []
  for (const step of history) {
    switch (step.kind) {
      case 'publish':
        for (let count = 0; count < step.count; count++) {
          const payload = `${published.length}`
          published.push({ payload, topicName: step.topicName, qos: step.qos })
          world.publish(step.topicName, { payload, qos: step.qos })
        }
        break
      case 'connect':
        await subscribers[step.at]?.connect()
        break
      case 'drop':
        await subscribers[step.at]?.drop()
        break
      case 'handle':
        await subscribers[step.at]?.handle(step.count)
        break
      case 'store stalls':
        world.holdsAnswers = true
        break
      case 'store goes on':
        world.holdsAnswers = false
        break
      case 'restart':
        world.holdsAnswers = false
        await world.restart()
        for (const subscriber of subscribers) subscriber.lose()
        break
      case 'pass time':
        world.clock.advance(1500)
    }
  }
  world.holdsAnswers = false
  for (const [index, subscriber] of subscribers.entries()) {
    await subscriber.drop()
    await subscriber.connect()
    while (await subscriber.handle(100));
    checkReceived(subscriber.received, published, SUBSCRIPTIONS[index] ?? [])
  }
  world.clock.advance(1500)
  expect(world.store.storedBytes).toBe(0)
  for (const subscriber of subscribers) expect(world.session(subscriber.clientId).inflight.size).toBe(0)
}

function checkReceived(
  received: readonly string[],
  published: readonly Published[],
  filters: readonly (readonly [string, QoS])[]
): void {
  const matching = (topicName: string) => filters.filter(([filter]) => topicMatches(filter, topicName))
  const owed = published.filter(({ topicName }) => matching(topicName).length > 0)
  expect(new Set(received)).toEqual(new Set(owed.map(({ payload }) => payload)))
  // [5.0 MQTT-4.6.0-5]: in order for each topic and QoS; a message of QoS 2 waits for a commit, one of QoS 1 does not
  for (const topicName of TOPICS) {
    const granted = Math.max(...matching(topicName).map(([, qos]) => qos))
    for (const qos of [1, 2]) {
      const alike = owed.filter((each) => each.topicName === topicName && Math.min(each.qos, granted) === qos)
      const payloads = alike.map(({ payload }) => payload)
      const came = received.filter((payload) => payloads.includes(payload))
      const firsts = came.filter((payload, place) => came.indexOf(payload) === place)
      expect(qos === 2 ? came : firsts).toEqual(payloads)
    }
  }
}

describe('durable sessions', () => {
  it.each([
    ['answers at once', false],
    ['answers later', true]
  ])(
    'given any history and a store that %s, then each message comes, QoS 2 once, in order, and none is kept',
    async (_, isLate) => {
      const windows = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(windows, steps, (receiveMaximum, history) => live(history, receiveMaximum, isLate)),
        { numRuns: 60 }
      )
    }
  )

  it('given any history with a bound on what waits, then each message is delivered or counted, and what is delivered is in order', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('connect' as const, 'drop' as const), count: fc.nat() }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('handle' as const), count: fc.integer({ min: 1, max: 20 }) }) }
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.integer({ min: 1, max: 12 }),
        async (history, window) => {
          const world = await World.open({ limits: { queuedMessagesMax: 10 } })
          const subscriber = new Subscriber(world, 's', window)
          await (await subscriber.connect()).subscribes('t', { qos: 1 })
          let published = 0
          for (const { kind, count } of history) {
            if (kind === 'publish') for (let each = 0; each < count; each++) world.publish('t', { payload: `${published++}` })
            else if (kind === 'connect') await subscriber.connect()
            else if (kind === 'drop') await subscriber.drop()
            else await subscriber.handle(count)
            const waiting = [...world.engine.queues.values()].map((queue) => world.session('s').consumer?.waiting(queue) ?? 0)
            // A check comes once per message or sixty-fourth of the bound.
            for (const messages of waiting) expect(messages).toBeLessThanOrEqual(11)
          }
          await subscriber.drop()
          await subscriber.connect()
          while (await subscriber.handle(100));
          const received = [...new Set(subscriber.received)].map(Number)
          expect(received).toEqual(received.toSorted((a, b) => a - b))
          expect(received.length + world.engine.fates.count('queue-full')).toBe(published)
          world.clock.advance(1500)
          expect(world.store.storedBytes).toBe(0)
        }
      ),
      { numRuns: 60 }
    )
  })

  it('given messages in flight whose queue was cut back, then they are sent again after a restart, and the rest follows', async () => {
    const world = await World.open({ limits: { queuedMessagesMax: 10 } })
    const before = await world.connects({ clientId: 's', receiveMaximum: 3, ...DURABLE })
    await before.subscribes('t')
    for (let count = 1; count <= 100; count++) world.publish('t', { payload: `${count}` })
    await world.settle()
    expect(before.takesPayloads()).toEqual(['1', '2', '3'])
    const dropped = world.engine.fates.count('queue-full')
    world.clock.advance(1500)
    await world.restart()
    const after = await world.connects({ clientId: 's', receiveMaximum: 3, ...DURABLE })
    expect(after.takesPublishes().map(({ dup }) => dup)).toEqual([true, true, true])
    await after.drops()
    const again = await world.connects({ clientId: 's', receiveMaximum: 3, ...DURABLE })
    const received = await again.drains()
    expect(received.slice(0, 3)).toEqual(['1', '2', '3'])
    expect(received.length + dropped).toBe(100)
    expect(received.slice(3)).toEqual(Array.from({ length: 97 - dropped }, (_, index) => `${4 + dropped + index}`))
  })

  it('given a message in flight whose subscription ended, then it is still sent again after a restart ([5.0 MQTT-3.10.4-3])', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 's', receiveMaximum: 2, ...DURABLE })
    await before.subscribes('t')
    for (const payload of ['1', '2', '3']) world.publish('t', { payload })
    await world.settle()
    await before.unsubscribes('t')
    expect(world.engine.fates.count('unsubscribed')).toBe(1)
    await world.restart()
    const after = await world.connects({ clientId: 's', ...DURABLE })
    expect(await after.drains()).toEqual(['1', '2'])
    expect(world.engine.fates.count('store-failed')).toBe(0)
  })

  it('given an end of the session, then what waited and what was in flight is counted, and nothing is left', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 's', receiveMaximum: 2, sessionExpiryInterval: 10 })
    await client.subscribes('t')
    for (let count = 0; count < 5; count++) world.publish('t')
    await client.drops()
    world.clock.advance(9_000)
    expect(world.engine.sessions.get('s')).toBeDefined()
    world.clock.advance(1_200)
    expect(world.engine.sessions.get('s')).toBeUndefined()
    expect(world.engine.fates.count('session-ended')).toBe(5)
    expect([world.engine.queues.size, world.engine.subscriptions.count, world.store.storedBytes]).toEqual([0, 0, 0])
    expect((await world.connects({ clientId: 's', ...DURABLE })).takes()).toMatchObject([{ sessionPresent: false }])
  })

  it('given a broker that is down for a time, then the session expires as if it had been up', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 's', sessionExpiryInterval: 10 })
    await client.drops()
    world.clock.advance(6_000)
    await world.restart()
    world.clock.advance(3_000)
    expect(world.engine.sessions.get('s')).toBeDefined()
    world.clock.advance(1_200)
    expect(world.engine.sessions.get('s')).toBeUndefined()
  })

  it('given its own message, and a second subscription with QoS 0, then No Local does not make it come twice', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 's', receiveMaximum: 1, ...DURABLE })
    await client.subscribes('t/+', { qos: 0, subscriptionIdentifier: 5 })
    await client.subscribes('t/a', { qos: 1, noLocal: true })
    world.publish('t/a', { payload: 'first' })
    await world.settle()
    const [first] = client.takesPublishes()
    world.publish('t/a', { payload: 'waits' })
    client.publishes('t/a', 'own')
    await world.settle()
    if (first === undefined) return expect.unreachable()
    client.acknowledges(first)
    expect((await client.drains()).toSorted()).toEqual(['own', 'waits'])
  })
})

describe('sessions that end with their connection', () => {
  it('given a client that is slow to acknowledge, then the rest waits in memory, in order, and is counted when it leaves', async () => {
    const world = await World.open({ limits: { transientQueuedMessagesMax: 10 } })
    const client = await world.connects({ clientId: 's', receiveMaximum: 2 })
    await client.subscribes('t')
    for (let count = 1; count <= 15; count++) world.publish('t', { payload: `${count}` })
    await world.settle()
    expect(world.engine.fates.count('queue-full')).toBe(3)
    const [first] = client.takesPublishes()
    if (first === undefined) return expect.unreachable()
    client.acknowledges(first)
    await world.settle()
    expect(client.takesPayloads()).toEqual(['6'])
    await client.drops()
    expect(world.engine.fates.count('session-ended')).toBe(11)
    expect(world.engine.transientQueues.held).toBe(0)
  })
})
