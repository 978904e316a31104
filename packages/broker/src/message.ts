import {
  encodePublish,
  type EncodedPublish,
  type MessageProperties,
  ProtocolVersion,
  type QoS,
  ReceivedPublish
} from '@godwit/protocol'
import { PackedMessage, type SequenceNumber, type StoredMessage } from '@godwit/storage'
import { KeptBytes } from './kept-bytes.ts'
import { SEQUENCE_PROPERTY } from './replay-requests.ts'

const EMPTY = new Uint8Array(0)
/** Of all brokers of the process, as the pool of Node's own `Buffer` is: it knows nothing of those whose bytes it has. */
const keptBytes = new KeptBytes()

/** What a message is made from, when it comes from a client, a will, or the application. */
export interface MessageContent {
  readonly topicName: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties
}

/**
 * An Application Message in the broker: one object for all its subscribers, encoded at most once for each of the four
 * layouts that they can need, and not at all for the one that it was received in.
 */
export class Message implements StoredMessage {
  readonly topicName: string
  readonly qos: QoS
  readonly retain: boolean
  properties: MessageProperties
  readonly publisherClientId: string
  readonly publishedAtMs: number
  readonly expiresAtMs: number
  /** What it is in as it was read back for one receiver; undefined: it was not, or has been changed since. */
  readonly packed: PackedMessage | undefined
  /** The packet that it came in; undefined: it came in none, or has been changed since. */
  readonly #received: ReceivedPublish | undefined
  /** Of a message that was received or read back, a view made on demand. */
  #payload: Uint8Array | undefined
  /** Whether its bytes are its own, not views of a chunk that was received. */
  #isOwned: boolean
  #withSequence: Message | undefined = undefined
  #mqtt3AtMostOnce: EncodedPublish | undefined = undefined
  #mqtt3Acknowledged: EncodedPublish | undefined = undefined
  #mqtt5AtMostOnce: EncodedPublish | undefined = undefined
  #mqtt5Acknowledged: EncodedPublish | undefined = undefined

  private constructor(
    content: MessageContent,
    publisherClientId: string,
    publishedAtMs: number,
    expiresAtMs: number,
    isOwned: boolean
  ) {
    this.topicName = content.topicName
    this.qos = content.qos
    this.retain = content.retain
    this.properties = content.properties
    this.publisherClientId = publisherClientId
    this.publishedAtMs = publishedAtMs
    this.expiresAtMs = expiresAtMs
    this.#isOwned = isOwned
    if (content instanceof ReceivedPublish) {
      this.packed = undefined
      this.#received = content
      this.#payload = undefined
      if (content.isWhole) this.#adopt(content)
    } else {
      this.packed = content instanceof PackedMessage ? content : undefined
      this.#received = undefined
      this.#payload = this.packed === undefined ? content.payload : undefined
    }
  }

  /** A message that is being published now; its bytes may be those of a received chunk. */
  static publish(content: MessageContent, publisherClientId: string, nowMs: number): Message {
    const { messageExpiryInterval } = content.properties
    const expiresAtMs = messageExpiryInterval === undefined ? Infinity : nowMs + messageExpiryInterval * 1000
    return new Message(content, publisherClientId, nowMs, expiresAtMs, false)
  }

  /** A message as a store gives it back: the very object that was put, if the store kept that. */
  static of(stored: StoredMessage): Message {
    if (stored instanceof Message) return stored
    return new Message(stored, stored.publisherClientId, stored.publishedAtMs, stored.expiresAtMs, true)
  }

  /** The same message published at another time: a will's expiry begins when it is published. */
  published(nowMs: number): Message {
    return Message.publish(this, this.publisherClientId, nowMs)
  }

  /** The same message as it is sent to those who asked for history: with its place in the log among its User Properties. */
  withSequence(sequence: SequenceNumber): Message {
    if (this.#withSequence !== undefined) return this.#withSequence
    const { userProperties = [] } = this.properties
    // Those of the publisher stay as they are, and before ours ([5.0 MQTT-3.3.2-17], [5.0 MQTT-3.3.2-18]).
    const properties = { ...this.properties, userProperties: [...userProperties, [SEQUENCE_PROPERTY, `${sequence}`] as const] }
    const content = { ...contentOf(this), properties }
    this.#withSequence = new Message(content, this.publisherClientId, this.publishedAtMs, this.expiresAtMs, this.#isOwned)
    return this.#withSequence
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#received?.payload ?? this.packed?.payload ?? EMPTY
    return this.#payload
  }

  /** The bytes of the payload, without a view of it being made. */
  get payloadLength(): number {
    return this.#received?.payloadLength ?? this.packed?.payloadLength ?? this.payload.byteLength
  }

  /** About what it takes in a queue. */
  get byteLength(): number {
    return this.topicName.length + this.payloadLength
  }

  isExpired(nowMs: number): boolean {
    return this.expiresAtMs <= nowMs
  }

  /** The Message Expiry Interval to forward: what is left of it, in whole seconds ([5.0 MQTT-3.3.2-6]). */
  remainingSeconds(nowMs: number): number {
    return this.expiresAtMs === Infinity ? 0 : Math.max(0, Math.ceil((this.expiresAtMs - nowMs) / 1000))
  }

  /** Copies its bytes out of the chunk they came in, because it stays; a second call does nothing. */
  own(): void {
    if (this.#isOwned) return
    this.#isOwned = true
    if (this.#received !== undefined) {
      keptBytes.keep(this.#received)
      this.#payload = undefined
      return
    }
    this.#payload = copyOf(this.payload)
    const { correlationData } = this.properties
    if (correlationData !== undefined) this.properties = { ...this.properties, correlationData: copyOf(correlationData) }
  }

  /** Its bytes for every receiver of a version and either QoS 0 or above. */
  encoded(protocolVersion: ProtocolVersion, isAcknowledged: boolean): EncodedPublish {
    if (protocolVersion === ProtocolVersion.Mqtt5) {
      return isAcknowledged
        ? (this.#mqtt5Acknowledged ??= encodePublish(this, ProtocolVersion.Mqtt5, true))
        : (this.#mqtt5AtMostOnce ??= encodePublish(this, ProtocolVersion.Mqtt5, false))
    }
    return isAcknowledged
      ? (this.#mqtt3Acknowledged ??= encodePublish(this, ProtocolVersion.Mqtt311, true))
      : (this.#mqtt3AtMostOnce ??= encodePublish(this, ProtocolVersion.Mqtt311, false))
  }

  #adopt(received: ReceivedPublish): void {
    const isAcknowledged = received.qos > 0
    if (received.protocolVersion === ProtocolVersion.Mqtt5) {
      if (isAcknowledged) this.#mqtt5Acknowledged = received
      else this.#mqtt5AtMostOnce = received
    } else if (isAcknowledged) this.#mqtt3Acknowledged = received
    else this.#mqtt3AtMostOnce = received
  }
}

function contentOf({ topicName, payload, qos, retain, properties }: MessageContent): MessageContent {
  return { topicName, payload, qos, retain, properties }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.byteLength)
  copy.set(bytes)
  return copy
}
