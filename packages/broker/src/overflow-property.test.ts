import { PacketType, type PublishPacket, ReasonCode } from '@godwit/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { OverflowAction } from './overflow-rules.ts'
import { type Client, World } from './world.test.support.ts'

// fast-check prints its seed when a property fails.

const CONSUMERS = 3
const PAYLOAD_BYTES = 1000

interface Policy {
  readonly action: OverflowAction
  readonly messagesMax: number
  readonly bytesMax: number
  readonly window: number
}

type Step =
  | { readonly kind: 'publish' | 'restart' }
  | { readonly kind: 'connect' | 'disconnect'; readonly consumer: number }
  | { readonly kind: 'subscribe'; readonly consumer: number; readonly qos: 0 | 1 }
  | { readonly kind: 'acknowledge'; readonly consumer: number; readonly index: number }

const policy: fc.Arbitrary<Policy> = fc.record({
  action: fc.constantFrom('refuse', 'drop-oldest', 'drop-newest', 'dead-letter'),
  messagesMax: fc.integer({ min: 1, max: 12 }),
  bytesMax: fc.integer({ min: 1024, max: 12_288 }),
  window: fc.integer({ min: 1, max: 4 })
})

const consumer = fc.nat(CONSUMERS - 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), consumer, index: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('connect' as const, 'disconnect' as const), consumer }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), consumer, qos: fc.constantFrom(0, 1) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) }
  ),
  { minLength: 30, maxLength: 150, size: 'max' }
)

/** What a consumer is owed, kept as a list of copies and nothing else. */
class Model {
  readonly policy: Policy
  waiting: string[] = []
  inflight = 0
  isOnline = false
  isDropping = false
  qos: 0 | 1 = 1
  readonly kept: string[] = []
  readonly dropped: string[] = []

  constructor(given: Policy) {
    this.policy = given
  }

  get refuses(): boolean {
    return this.policy.action === 'refuse' && this.qos === 1 && this.#reaches(1)
  }

  /** With QoS 0 nothing more comes to the backlog, and what waits in it still comes. */
  subscribe(qos: 0 | 1): void {
    this.qos = qos
    this.isDropping = qos === 1 && this.policy.action === 'drop-newest' && (this.isDropping || this.#reaches(1))
  }

  publish(payload: string): void {
    if (this.qos === 0) return
    if (this.isDropping) {
      this.dropped.push(payload)
      return
    }
    this.waiting.push(payload)
    this.read()
    if (this.policy.action === 'drop-newest') {
      this.isDropping ||= this.waiting.length > 0 && this.#reaches(1)
    } else if (this.policy.action !== 'refuse') {
      while (this.#passes()) this.dropped.push(this.waiting.shift() ?? '')
    }
  }

  read(): void {
    if (!this.isOnline || this.inflight === this.policy.window) return
    const taken = this.waiting.splice(0, this.policy.window - this.inflight)
    this.kept.push(...taken)
    this.inflight += taken.length
    if (!this.#passes(7 / 8)) this.isDropping = false
  }

  #reaches(share: number): boolean {
    return this.waiting.length >= this.policy.messagesMax * share || this.#bytes >= this.policy.bytesMax * share
  }

  #passes(share = 1): boolean {
    return this.waiting.length > this.policy.messagesMax * share || this.#bytes > this.policy.bytesMax * share
  }

  get #bytes(): number {
    return this.waiting.length * (PAYLOAD_BYTES + 'q/t'.length)
  }
}

/** A client that takes a few messages at a time. */
class Consumer {
  readonly clientId: string
  readonly model: Model
  readonly received: string[] = []
  readonly dropped: number[] = []
  #client: Client | undefined = undefined
  #unacknowledged: PublishPacket[] = []

  constructor(clientId: string, given: Policy) {
    this.clientId = clientId
    this.model = new Model(given)
  }

  async connect(world: World): Promise<void> {
    if (this.model.isOnline) return
    const { clientId } = this
    this.#client = await world.connects({
      clientId,
      listener: clientId,
      sessionExpiryInterval: 3600,
      receiveMaximum: this.model.policy.window
    })
    this.#unacknowledged = []
    this.model.isOnline = true
    this.model.read()
    this.take()
  }

  async subscribe(qos: 0 | 1): Promise<void> {
    if (!this.model.isOnline) return
    this.model.subscribe(qos)
    await this.#client?.subscribes('q/#', { qos })
    this.take()
  }

  async disconnect(): Promise<void> {
    if (this.model.isOnline) await this.#client?.drops()
    this.model.isOnline = false
  }

  async acknowledge(world: World, index: number): Promise<void> {
    const [publish] = this.#unacknowledged.splice(index % Math.max(this.#unacknowledged.length, 1), 1)
    if (!this.model.isOnline || publish === undefined) return
    this.#client?.acknowledges(publish)
    this.model.inflight--
    this.model.read()
    await world.settle()
    this.take()
  }

  take(): void {
    for (const publish of this.#client?.takesPublishes() ?? []) {
      if (publish.qos === 0) continue
      this.#unacknowledged.push(publish)
      if (!publish.dup) this.received.push(textOf(publish))
    }
  }

  async drain(world: World): Promise<void> {
    await this.connect(world)
    while (this.#unacknowledged.length > 0) await this.acknowledge(world, 0)
  }
}

function textOf({ payload }: PublishPacket): string {
  return Buffer.from(payload).toString().trimEnd()
}

it('given any policies, and any history with restarts, then each gets and loses what a list of copies would say', async () => {
  const policies = fc.array(policy, { minLength: CONSUMERS, maxLength: CONSUMERS })
  await fc.assert(
    fc.asyncProperty(policies, steps, fc.boolean(), async (given, history, readsLate) => {
      const consumers = given.map((each, index) => new Consumer(`consumer-${index}`, each))
      const world = await World.open({
        readsLate,
        overflow: consumers.map(({ clientId, model: { policy: each } }) => ({
          listeners: [clientId],
          topicFilter: 'q/#',
          action: each.action,
          messagesMax: each.messagesMax,
          bytesMax: each.bytesMax
        }))
      })
      const dropped = new Map<string, number>()
      const listen = () =>
        world.engine.events.on('messageDropped', ({ clientId, fate, count }) => {
          if (fate === 'queue-full' || fate === 'dead-lettered') dropped.set(clientId, (dropped.get(clientId) ?? 0) + count)
        })
      listen()
      for (const each of consumers) {
        await each.connect(world)
        await each.subscribe(1)
      }
      let collector = await world.connects({ clientId: 'collector', sessionExpiryInterval: 3600 })
      await collector.subscribes('$dead-letter/#', { qos: 1 })
      let publisher = await world.connects({ clientId: 'publisher' })
      const collected: string[] = []
      const collect = async () => {
        await world.settle()
        for (const publish of collector.takesPublishes()) {
          collected.push(textOf(publish))
          collector.acknowledges(publish)
        }
        await world.settle()
      }
      let published = 0
      for (const step of history) {
        switch (step.kind) {
          case 'publish': {
            const payload = String(++published)
            const isRefused = consumers.some(({ model }) => model.refuses)
            publisher.publishes('q/t', payload.padEnd(PAYLOAD_BYTES))
            await world.settle()
            const answer = publisher.takes().find(({ type }) => type === PacketType.Puback)
            const expected = isRefused ? ReasonCode.QuotaExceeded : ReasonCode.Success
            expect(answer).toMatchObject({ reasonCode: expected })
            if (!isRefused) for (const { model } of consumers) model.publish(payload)
            for (const each of consumers) each.take()
            break
          }
          case 'acknowledge':
            await consumers[step.consumer]?.acknowledge(world, step.index)
            break
          case 'subscribe':
            await consumers[step.consumer]?.subscribe(step.qos)
            break
          case 'connect':
            await consumers[step.consumer]?.connect(world)
            break
          case 'disconnect':
            await consumers[step.consumer]?.disconnect()
            break
          case 'restart':
            await collect()
            // What is in flight is written with what changes next: without that it would wait again.
            for (const { clientId } of consumers) world.session(clientId).touch()
            await world.restart()
            listen()
            for (const { model } of consumers) model.isOnline = false
            collector = await world.connects({ clientId: 'collector', sessionExpiryInterval: 3600 })
            publisher = await world.connects({ clientId: 'publisher' })
        }
      }
      await collect()
      for (const each of consumers) await each.drain(world)
      for (const { clientId, received, model } of consumers) {
        expect(received, `${clientId} ${model.policy.action}: what it got`).toEqual(model.kept)
        expect(dropped.get(clientId) ?? 0, `${clientId} ${model.policy.action}: what it lost`).toBe(model.dropped.length)
      }
      const moved = consumers.flatMap(({ model }) => (model.policy.action === 'dead-letter' ? model.dropped : []))
      expect(collected.toSorted()).toEqual(moved.toSorted())
    }),
    { numRuns: 200 }
  )
}, 60_000)
