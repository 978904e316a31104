import { type Packet, PacketType, type PublishPacket } from '@godwit/protocol'
import { puback, publish, subscribe, unsubscribe } from '@godwit/testkit'
import { DurableClient, type DurableClientOptions } from './durable-client.ts'
import type { Receiver } from './ledger.ts'
import { below, type Stage } from './stage.ts'

export interface FickleOptions extends DurableClientOptions {
  readonly receiver: Receiver
  /** Topics that only this client uses, each with a subscription that comes and goes. */
  readonly topics: readonly string[]
}

interface Asked {
  readonly packetIdentifier: number
  readonly topicFilter: string
  readonly wants: 'acknowledged' | 'removed'
}

/**
 * Subscribes and unsubscribes, one filter at a time. Each time that it is back it publishes to all its topics before it
 * changes anything: what comes shows which subscriptions the broker still has.
 */
export class Fickle extends DurableClient {
  readonly #options: FickleOptions
  #asked: Asked | undefined
  /** By packet identifier: messages of its own that are not acknowledged. */
  readonly #outbox = new Map<number, { readonly number: number; readonly topicName: string }>()
  #packetIdentifier = 0

  constructor(stage: Stage, options: FickleOptions) {
    super(stage, options)
    this.#options = options
  }

  get unacknowledged(): number {
    return this.#outbox.size + (this.#asked === undefined ? 0 : 1)
  }

  /** Changes its mind, unless it still waits for something: what waits for a subscription may go with it. */
  change(): void {
    const { topics, receiver } = this.#options
    if (!this.isAccepted || this.unacknowledged > 0 || receiver.missing().length > 0) return
    const topicFilter = topics[below(this.stage.random, topics.length)] ?? ''
    this.#ask(topicFilter, receiver.stateOf(topicFilter) === 'acknowledged' ? 'removed' : 'acknowledged')
  }

  /** Publishes to all its topics. */
  probe(): void {
    for (const topicName of this.#options.topics) {
      const number = this.stage.ledger.send(topicName, 1)
      const packetIdentifier = this.#nextPacketIdentifier()
      this.#outbox.set(packetIdentifier, { number, topicName })
      this.send(publish(topicName, String(number), { qos: 1, packetIdentifier }))
    }
  }

  protected accepted(): void {
    for (const [packetIdentifier, { number, topicName }] of this.#outbox) {
      this.send(publish(topicName, String(number), { qos: 1, packetIdentifier, dup: true }))
    }
    this.probe()
    const asked = this.#asked
    // The request may have been lost with its connection: it is made again, after the probes.
    if (asked !== undefined) this.#ask(asked.topicFilter, asked.wants)
  }

  protected handle(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Suback:
      case PacketType.Unsuback:
        this.#answered(packet.packetIdentifier, packet.reasonCodes[0] ?? 0)
        return
      case PacketType.Puback:
        this.#acknowledged(packet.packetIdentifier)
        return
      case PacketType.Publish:
        this.#take(packet)
        return
      default:
        this.failUnexpected(packet)
    }
  }

  #ask(topicFilter: string, wants: Asked['wants']): void {
    const packetIdentifier = this.#nextPacketIdentifier()
    this.#asked = { packetIdentifier, topicFilter, wants }
    this.#options.receiver.subscribes(topicFilter, 1, 'unsure')
    if (wants === 'acknowledged') this.send(subscribe(packetIdentifier, [[topicFilter, { qos: 1 }]]))
    else this.send(unsubscribe(packetIdentifier, [topicFilter]))
  }

  #answered(packetIdentifier: number, reasonCode: number): void {
    const asked = this.#asked
    if (asked === undefined || asked.packetIdentifier !== packetIdentifier || reasonCode >= 0x80) {
      this.fail(`was answered 0x${reasonCode.toString(16)} to packet ${packetIdentifier}`)
      return
    }
    this.#asked = undefined
    this.#options.receiver.subscribes(asked.topicFilter, 1, asked.wants)
  }

  #acknowledged(packetIdentifier: number): void {
    const own = this.#outbox.get(packetIdentifier)
    if (own === undefined) this.fail(`received a PUBACK for ${packetIdentifier}, which it had not sent`)
    else this.stage.ledger.acknowledge(own.number)
    this.#outbox.delete(packetIdentifier)
  }

  #take({ topicName, payload, packetIdentifier, qos }: PublishPacket): void {
    this.#options.receiver.delivered(Number(Buffer.from(payload).toString('latin1')), topicName, qos)
    this.send(puback(packetIdentifier))
  }

  #nextPacketIdentifier(): number {
    do this.#packetIdentifier = (this.#packetIdentifier % 0xffff) + 1
    while (this.#outbox.has(this.#packetIdentifier) || this.#asked?.packetIdentifier === this.#packetIdentifier)
    return this.#packetIdentifier
  }
}
