import { type Packet, PacketType, type PublishPacket, type QoS } from '@godwit/protocol'
import { puback, pubcomp, pubrec, subscribe } from '@godwit/testkit'
import { DurableClient, type DurableClientOptions } from './durable-client.ts'
import type { Receiver } from './ledger.ts'
import type { Stage } from './stage.ts'

export interface SubscriberOptions extends DurableClientOptions {
  /** Whose messages it takes: its own, or its group's. */
  readonly receiver: Receiver
  /** With `$share/NAME/` where it is shared. */
  readonly subscriptions: readonly (readonly [topicFilter: string, qos: 1 | 2])[]
  /** Messages that it answers at a tick of the run's clock. */
  readonly answersPerTick: number
}

const SHARE = /^\$share\/[^/]+\//

/** Takes messages with a durable session, and answers them as fast as it is said to. */
export class Subscriber extends DurableClient {
  readonly #options: SubscriberOptions
  /** What it still has to answer on this connection, in the order in which it came. */
  #unanswered: Packet[] = []
  /** QoS 2: the message that came under each packet identifier for which PUBREL has not come ([5.0 MQTT-4.3.3-9]). */
  readonly #received = new Map<number, number>()
  #isSubscribed = false
  #awaitedPings = 0
  #onSubscribed: (() => void) | undefined

  constructor(stage: Stage, options: SubscriberOptions) {
    super(stage, options)
    this.#options = options
  }

  /** Connects for the first time; resolves when its subscriptions are acknowledged. */
  begin(): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#onSubscribed = () => resolve(undefined)
    this.comeBack()
    return promise
  }

  /** Whether it has answered everything that came, and the broker has seen that. */
  get isIdle(): boolean {
    return this.#unanswered.length === 0 && this.#awaitedPings === 0
  }

  /** Has the broker show that it has read all answers so far: one that follows them does. */
  ping(): void {
    this.#awaitedPings++
    this.send({ type: PacketType.Pingreq })
  }

  /** Answers what is due. */
  tick(): void {
    if (this.#unanswered.length === 0) return
    for (const packet of this.#unanswered.splice(0, this.#options.answersPerTick)) this.send(packet)
  }

  protected accepted(sessionPresent: boolean): void {
    if (!sessionPresent) this.#received.clear()
    if (this.#isSubscribed) return
    const { receiver, subscriptions } = this.#options
    for (const [topicFilter, qos] of subscriptions) receiver.subscribes(topicFilter.replace(SHARE, ''), qos, 'unsure')
    this.send(
      subscribe(
        1,
        subscriptions.map(([topicFilter, qos]) => [topicFilter, { qos }])
      )
    )
  }

  protected override gone(): void {
    this.#unanswered = []
    this.#awaitedPings = 0
  }

  protected handle(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Suback:
        this.#subscribed(packet.reasonCodes)
        return
      case PacketType.Publish:
        this.#take(packet)
        return
      case PacketType.Pubrel:
        this.#received.delete(packet.packetIdentifier)
        this.#unanswered.push(pubcomp(packet.packetIdentifier))
        return
      case PacketType.Pingresp:
        this.#awaitedPings--
        return
      default:
        this.failUnexpected(packet)
    }
  }

  #subscribed(reasonCodes: readonly number[]): void {
    const { receiver, subscriptions } = this.#options
    for (const [index, [topicFilter, qos]] of subscriptions.entries()) {
      if (reasonCodes[index] !== qos) this.fail(`was granted 0x${reasonCodes[index]?.toString(16)} for ${topicFilter}`)
      receiver.subscribes(topicFilter.replace(SHARE, ''), qos, 'acknowledged')
    }
    this.#isSubscribed = true
    this.#onSubscribed?.()
  }

  #take({ topicName, payload, qos, dup, packetIdentifier }: PublishPacket): void {
    const number = Number.parseInt(Buffer.from(payload).toString('latin1'), 10)
    if (qos === 2) {
      this.#unanswered.push(pubrec(packetIdentifier))
      if (!this.#isNew(packetIdentifier, number, dup)) return
    } else if (qos === 1) this.#unanswered.push(puback(packetIdentifier))
    this.#deliver(number, topicName, qos)
  }

  #deliver(number: number, topicName: string, qos: QoS): void {
    this.#options.receiver.delivered(number, topicName, qos)
  }

  /** Whether a QoS 2 PUBLISH brings a message, or repeats one. */
  #isNew(packetIdentifier: number, number: number, dup: boolean): boolean {
    const before = this.#received.get(packetIdentifier)
    this.#received.set(packetIdentifier, before ?? number)
    if (before === undefined) return true
    if (before !== number) {
      this.fail(`received message ${number} under identifier ${packetIdentifier}, which message ${before} still had`)
    } else if (!dup) this.fail(`received message ${number} again, without DUP`)
    return false
  }
}
