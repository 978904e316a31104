import type { MessageProperties, QoS } from '@godwit/protocol'

/** One rising number for the whole broker: what was accepted first has the lower one. From 1; 0 is before everything. */
export type SequenceNumber = number

/** An Application Message as it is kept: independent of the connection that it came by. */
export interface StoredMessage {
  readonly topicName: string
  readonly payload: Uint8Array
  /** The QoS it was published with. */
  readonly qos: QoS
  /** The RETAIN flag it was published with, for subscriptions with Retain As Published. */
  readonly retain: boolean
  readonly properties: MessageProperties
  /** Who published it, for subscriptions with No Local; empty: the broker itself. */
  readonly publisherClientId: string
  /** When it was accepted: milliseconds since the Unix epoch. */
  readonly publishedAtMs: number
  /** When the Message Expiry Interval ends: milliseconds since the Unix epoch; Infinity: never. */
  readonly expiresAtMs: number
}
