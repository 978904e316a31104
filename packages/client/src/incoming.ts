import {
  type AcknowledgementType,
  MqttError,
  PacketType,
  type PublishPacket,
  type PubrelPacket,
  ReasonCode
} from '@godwit/protocol'
import type { Clock } from './clock.ts'
import type { Delivery } from './delivery.ts'
import { Exchange } from './exchange.ts'
import type { Link } from './link.ts'
import type { Outbox } from './outbox.ts'
import type { Payload } from './payload.ts'
import type { PublishOptions } from './publish-options.ts'
import { type MessageOwner, ReceivedMessage } from './received-message.ts'
import { InboundTopicAliases } from './topic-aliases.ts'

/** Who gets the messages. */
export interface MessageRouter {
  /** How many subscriptions get this message; what follows is one `deliver` for each, with its place. */
  match(topicName: string, subscriptionIdentifiers: readonly number[] | undefined): number
  deliver(place: number, message: ReceivedMessage): void
}

export interface IncomingOptions {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly router: MessageRouter
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  readonly publish: (topicName: string, payload: Payload, options?: PublishOptions) => Delivery
}

/**
 * The messages that the server sends, until each is answered. A message is answered once the application has dealt with it, and in the order
 * of arrival: PUBACKs among themselves, PUBRECs among themselves ([5.0 MQTT-4.6.0-2], [5.0 MQTT-4.6.0-3]).
 *
 * At QoS 2 the Packet Identifier is stored before PUBREC and forgotten before PUBCOMP, so that after a crash of ours the server's PUBLISH is
 * known for the repetition that it is, and its next message under the same identifier is not.
 */
export class Incoming implements MessageOwner {
  readonly publish: IncomingOptions['publish']
  readonly #outbox: Outbox
  readonly #clock: Clock
  readonly #router: MessageRouter
  readonly #receiveMaximum: number
  readonly #topicAliasMaximum: number
  #link: Link | undefined = undefined
  #topicAliases: InboundTopicAliases
  #qos1: Exchange[] = []
  #qos2: Exchange[] = []
  /** Came on an earlier connection of this session and was not answered there: the server sends it again. */
  readonly #held = new Map<number, Exchange>()
  /** Identifiers of QoS 2 messages that were taken, until PUBREL. */
  readonly #received = new Set<number>()
  /** Identifiers among them that are not committed yet, and where PUBREC goes then. */
  readonly #storing = new Map<number, Link | undefined>()

  constructor(options: IncomingOptions) {
    this.#outbox = options.outbox
    this.#clock = options.clock
    this.#router = options.router
    this.#receiveMaximum = options.receiveMaximum
    this.#topicAliasMaximum = options.topicAliasMaximum
    this.publish = options.publish
    this.#topicAliases = new InboundTopicAliases(options.topicAliasMaximum)
  }

  restore(receivedIdentifiers: readonly number[]): void {
    for (const each of receivedIdentifiers) this.#received.add(each)
  }

  connected(link: Link, isSessionPresent: boolean): void {
    this.#link = link
    this.#topicAliases = new InboundTopicAliases(this.#topicAliasMaximum)
    if (isSessionPresent) return
    // [5.0 MQTT-3.2.2-5]: the server does not know the identifiers any more, and will use them for others.
    this.#held.clear()
    for (const each of this.#received) this.#outbox.forget(each, () => undefined)
    this.#received.clear()
  }

  disconnected(): void {
    this.#link = undefined
    for (const exchange of [...this.#qos1, ...this.#qos2]) {
      exchange.isQueued = false
      this.#held.set(exchange.packetIdentifier, exchange)
    }
    this.#qos1 = []
    this.#qos2 = []
  }

  /** @throws {MqttError} when the server breaks a rule */
  onPublish(packet: PublishPacket): void {
    const { qos, packetIdentifier, properties } = packet
    const { topicAlias } = properties
    const topicName = topicAlias === undefined ? packet.topicName : this.#topicAliases.resolve(packet.topicName, topicAlias)
    if (qos > 0 && this.#isRepeated(packet, topicName)) return
    const targets = this.#router.match(topicName, properties.subscriptionIdentifiers)
    let exchange: Exchange | undefined
    if (qos > 0) {
      exchange = new Exchange(packetIdentifier, qos, topicName, targets)
      this.#enqueue(exchange)
    }
    const nowMs = this.#clock.now()
    for (let place = 0; place < targets; place++) {
      this.#router.deliver(place, new ReceivedMessage(packet, topicName, nowMs, exchange, this))
    }
  }

  onPubrel({ packetIdentifier }: PubrelPacket): void {
    const link = this.#link
    const isKnown = this.#received.delete(packetIdentifier)
    this.#outbox.forget(packetIdentifier, () => {
      if (link === undefined || link !== this.#link) return
      // [5.0 4.3.3]; before 5.0 there are no other answers.
      if (isKnown || !link.connection.isMqtt5) link.connection.acknowledge(PacketType.Pubcomp, packetIdentifier)
      else {
        const reasonCode = ReasonCode.PacketIdentifierNotFound
        link.connection.send({ type: PacketType.Pubcomp, packetIdentifier, reasonCode, properties: {} })
      }
    })
  }

  taken(exchange: Exchange): void {
    if (exchange.isQueued) this.#answer(exchange.qos)
  }

  /** Whether it was here before; it is answered then, now or when its turn comes. */
  #isRepeated({ qos, dup, packetIdentifier }: PublishPacket, topicName: string): boolean {
    if (qos === 2 && this.#received.has(packetIdentifier)) {
      if (this.#storing.has(packetIdentifier)) this.#storing.set(packetIdentifier, this.#link)
      else this.#link?.connection.acknowledge(PacketType.Pubrec, packetIdentifier)
      return true
    }
    if (this.#held.size > 0) {
      const held = this.#held.get(packetIdentifier)
      this.#held.delete(packetIdentifier)
      // Without DUP it is another message: the server has given up the one before.
      if (held !== undefined && dup && held.qos === qos && held.topicName === topicName) {
        held.isQueued = true
        this.#enqueue(held)
        this.#answer(qos)
        return true
      }
    }
    // Servers of 3.1 may send again on the same connection.
    return qos === 2 && dup && this.#qos2.some((each) => each.packetIdentifier === packetIdentifier)
  }

  #enqueue(exchange: Exchange): void {
    // [5.0 MQTT-3.3.4-9]
    if (this.#link?.connection.isMqtt5 === true && this.#qos1.length + this.#qos2.length >= this.#receiveMaximum) {
      const message = `The server sent more than the Receive Maximum of ${this.#receiveMaximum} messages`
      throw new MqttError(ReasonCode.ReceiveMaximumExceeded, message)
    }
    if (exchange.qos === 1) this.#qos1.push(exchange)
    else this.#qos2.push(exchange)
  }

  /** Answers what is dealt with, up to the first that is not. */
  #answer(qos: number): void {
    const queue = qos === 1 ? this.#qos1 : this.#qos2
    let count = 0
    for (const exchange of queue) {
      if (exchange.holders > 0) break
      exchange.isQueued = false
      count++
      if (qos === 1) this.#acknowledge(PacketType.Puback, exchange)
      else this.#receive(exchange)
    }
    if (count > 0) queue.splice(0, count)
  }

  #receive(exchange: Exchange): void {
    const { packetIdentifier, isRejected } = exchange
    // Refused at PUBREC, the exchange is over: no PUBREL follows [5.0 4.3.3].
    if (isRejected && this.#link?.connection.isMqtt5 === true) {
      this.#acknowledge(PacketType.Pubrec, exchange)
      return
    }
    this.#received.add(packetIdentifier)
    this.#storing.set(packetIdentifier, this.#link)
    this.#outbox.received(packetIdentifier, () => {
      const link = this.#storing.get(packetIdentifier)
      this.#storing.delete(packetIdentifier)
      if (link !== undefined && link === this.#link) link.connection.acknowledge(PacketType.Pubrec, packetIdentifier)
    })
  }

  #acknowledge(
    type: Extract<AcknowledgementType, typeof PacketType.Puback | typeof PacketType.Pubrec>,
    { packetIdentifier, isRejected }: Exchange
  ): void {
    const connection = this.#link?.connection
    if (connection === undefined) return
    if (isRejected && connection.isMqtt5) {
      connection.send({ type, packetIdentifier, reasonCode: ReasonCode.UnspecifiedError, properties: {} })
    } else {
      connection.acknowledge(type, packetIdentifier)
    }
  }
}
