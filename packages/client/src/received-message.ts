import type { MessageProperties, PublishPacket, QoS } from '@godwit/protocol'
import { ClientError } from './client-error.ts'
import type { Delivery } from './delivery.ts'
import type { Exchange } from './exchange.ts'
import type { Message } from './message.ts'
import type { Payload } from './payload.ts'
import type { PublishOptions } from './publish-options.ts'

// [5.0 MQTT-1.5.4-3]
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const NO_IDENTIFIERS: readonly number[] = []

/** What a received message needs of its client. */
export interface MessageOwner {
  /** All subscriptions have dealt with a message. */
  taken(exchange: Exchange): void
  publish(topicName: string, payload: Payload, options?: PublishOptions): Delivery
}

/** A message, as one subscription gets it. */
export class ReceivedMessage implements Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly properties: MessageProperties
  readonly subscriptionIdentifiers: readonly number[]
  readonly receivedAtMs: number
  readonly #owner: MessageOwner
  /** Undefined at QoS 0, and once this subscription has dealt with it. */
  #exchange: Exchange | undefined

  /** Copies the payload: what is decoded is a view of bytes that will be others. */
  constructor(
    packet: PublishPacket,
    topicName: string,
    receivedAtMs: number,
    exchange: Exchange | undefined,
    owner: MessageOwner
  ) {
    this.topic = topicName
    this.payload = new Uint8Array(packet.payload)
    this.qos = packet.qos
    this.retain = packet.retain
    this.dup = packet.dup
    this.properties = packet.properties
    this.subscriptionIdentifiers = packet.properties.subscriptionIdentifiers ?? NO_IDENTIFIERS
    this.receivedAtMs = receivedAtMs
    this.#owner = owner
    this.#exchange = exchange
  }

  text(): string {
    return decoder.decode(this.payload)
  }

  json(): unknown {
    const value: unknown = JSON.parse(this.text())
    return value
  }

  ack(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#exchange = undefined
    exchange.holders--
    if (exchange.holders === 0) this.#owner.taken(exchange)
  }

  reject(): void {
    if (this.#exchange !== undefined) this.#exchange.isRejected = true
    this.ack()
  }

  reply(payload: Payload, options: PublishOptions = {}): Delivery {
    const { responseTopic, correlationData } = this.properties
    if (responseTopic === undefined) throw new ClientError('invalid-argument', 'The message has no Response Topic to reply to')
    return this.#owner.publish(responseTopic, payload, { qos: this.qos, ...options, correlationData })
  }
}
