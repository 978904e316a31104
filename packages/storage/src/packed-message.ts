import type { MessageProperties, QoS } from '@godwit/protocol'
import type { StoredMessage } from './stored-message.ts'

/**
 * A message as it was read back, among the bytes of others: its payload can be sent on from there, without a view of it being
 * made. Bench: `bench/README.md`, durable.
 */
export class PackedMessage implements StoredMessage {
  readonly topicName: string
  readonly qos: QoS
  readonly retain: boolean
  /** NO_PROPERTIES itself if there are none. */
  readonly properties: MessageProperties
  readonly publisherClientId: string
  readonly publishedAtMs: number
  readonly expiresAtMs: number
  readonly payloadLength: number
  readonly #bytes: Buffer
  readonly #payloadAt: number

  /** @param bytes that do not change any more, with the payload from `payloadAt` on */
  constructor(
    topicName: string,
    qos: QoS,
    retain: boolean,
    properties: MessageProperties,
    publisherClientId: string,
    publishedAtMs: number,
    expiresAtMs: number,
    bytes: Buffer,
    payloadAt: number,
    payloadLength: number
  ) {
    this.topicName = topicName
    this.qos = qos
    this.retain = retain
    this.properties = properties
    this.publisherClientId = publisherClientId
    this.publishedAtMs = publishedAtMs
    this.expiresAtMs = expiresAtMs
    this.payloadLength = payloadLength
    this.#bytes = bytes
    this.#payloadAt = payloadAt
  }

  /** A view, made anew at each call. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(this.#payloadAt, this.#payloadAt + this.payloadLength)
  }

  copyPayload(target: Uint8Array, offset: number): void {
    // Not set(), which would need a view.
    this.#bytes.copy(target, offset, this.#payloadAt, this.#payloadAt + this.payloadLength)
  }
}
