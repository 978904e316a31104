import { type Packet, PacketType } from '@godwit/protocol'
import { publish, pubrel } from '@godwit/testkit'
import { DurableClient, type DurableClientOptions } from './durable-client.ts'
import type { RetainedBooks } from './retained-books.ts'
import { below, type Stage } from './stage.ts'

export interface PublisherOptions extends DurableClientOptions {
  /** Topics that only this publisher uses. */
  readonly topics: readonly string[]
  readonly qos: 1 | 2
  /** Messages that may be unacknowledged at a time. */
  readonly window: number
  /** Where its messages are retained, and now and then removed: the books of that. */
  readonly retained?: RetainedBooks
}

/** A message that is not acknowledged yet. */
interface Outgoing {
  readonly number: number
  readonly topicName: string
  readonly payload: string
  /** PUBREC has come: what is repeated from here on is PUBREL. */
  isReleased: boolean
  /** PUBREL was sent on an earlier connection: it may have been done with, and PUBCOMP lost ([5.0 4.3.3], 0x92). */
  isReleasedAgain: boolean
}

/** Every tenth message or so is larger than a page of the store. */
const PADDINGS = [0, 10, 100, 10, 100, 10, 1000, 10, 100, 9000] as const

/** Publishes numbered messages, and repeats what was not acknowledged when it is back, in the order in which it was sent. */
export class Publisher extends DurableClient {
  readonly #options: PublisherOptions
  /** By packet identifier, in the order sent. */
  readonly #outbox = new Map<number, Outgoing>()
  #packetIdentifier = 0

  constructor(stage: Stage, options: PublisherOptions) {
    super(stage, options)
    this.#options = options
  }

  /** Messages that the broker has not acknowledged. */
  get unacknowledged(): number {
    return this.#outbox.size
  }

  /** Publishes as many messages, unless its window is full before. */
  publish(count: number): void {
    const { window, topics } = this.#options
    for (let sent = 0; sent < count && this.isAccepted && this.#outbox.size < window; sent++) {
      this.#publishTo(topics[below(this.stage.random, topics.length)] ?? '')
    }
  }

  /** Publishes one message to each of its topics. */
  publishToEach(): void {
    for (const topicName of this.#options.topics) this.#publishTo(topicName)
  }

  protected accepted(): void {
    const { isDurable = true } = this.#options
    for (const [packetIdentifier, outgoing] of this.#outbox) {
      if (outgoing.isReleased) {
        outgoing.isReleasedAgain = true
        this.send(pubrel(packetIdentifier))
      } else this.#send(packetIdentifier, outgoing, isDurable)
    }
  }

  protected handle(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Puback:
      case PacketType.Pubrec: {
        const outgoing = this.#outbox.get(packet.packetIdentifier)
        if (outgoing === undefined || (packet.type === PacketType.Puback) !== (this.#options.qos === 1)) {
          this.failUnexpected(packet)
          return
        }
        if (packet.reasonCode >= 0x80) {
          this.fail(`was refused message ${outgoing.number} with 0x${packet.reasonCode.toString(16)}`)
          this.#outbox.delete(packet.packetIdentifier)
          return
        }
        if (packet.type === PacketType.Puback) this.#complete(packet.packetIdentifier, outgoing)
        else {
          outgoing.isReleased = true
          this.send(pubrel(packet.packetIdentifier))
        }
        return
      }
      case PacketType.Pubcomp: {
        const outgoing = this.#outbox.get(packet.packetIdentifier)
        if (outgoing === undefined || !outgoing.isReleased) this.failUnexpected(packet)
        else if (packet.reasonCode !== 0 && !outgoing.isReleasedAgain) {
          this.fail(`was told by PUBCOMP 0x${packet.reasonCode.toString(16)} that message ${outgoing.number} is not known`)
        } else this.#complete(packet.packetIdentifier, outgoing)
        return
      }
      default:
        this.failUnexpected(packet)
    }
  }

  #publishTo(topicName: string): void {
    const { retained, qos } = this.#options
    let number: number
    let payload = ''
    if (retained === undefined) {
      number = this.stage.ledger.send(topicName, qos)
      payload = `${number}:${'x'.repeat(PADDINGS[below(this.stage.random, PADDINGS.length)] ?? 0)}`
    } else {
      const isRemoval = this.stage.random() < 0.2
      number = retained.send(topicName, isRemoval)
      if (!isRemoval) payload = `${number}:`
    }
    const packetIdentifier = this.#nextPacketIdentifier()
    const outgoing: Outgoing = { number, topicName, payload, isReleased: false, isReleasedAgain: false }
    this.#outbox.set(packetIdentifier, outgoing)
    this.#send(packetIdentifier, outgoing, false)
  }

  #send(packetIdentifier: number, { topicName, payload }: Outgoing, dup: boolean): void {
    const { qos, retained } = this.#options
    this.send(publish(topicName, payload, { qos, packetIdentifier, dup, retain: retained !== undefined }))
  }

  #complete(packetIdentifier: number, { number, topicName }: Outgoing): void {
    this.#outbox.delete(packetIdentifier)
    const { retained } = this.#options
    if (retained === undefined) this.stage.ledger.acknowledge(number)
    else retained.acknowledge(topicName, number)
  }

  #nextPacketIdentifier(): number {
    do this.#packetIdentifier = (this.#packetIdentifier % 0xffff) + 1
    while (this.#outbox.has(this.#packetIdentifier))
    return this.#packetIdentifier
  }
}
