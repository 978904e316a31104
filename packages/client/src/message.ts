import type { MessageProperties, QoS } from '@godwit/protocol'
import type { PublishOptions } from './publish-options.ts'
import type { Delivery } from './delivery.ts'
import type { Payload } from './payload.ts'

/** An Application Message from the server. */
export interface Message {
  /** The Topic Name. */
  readonly topic: string
  /** A copy of its own, that stays as it is. */
  readonly payload: Uint8Array
  /** The QoS it was sent to this client with: the lower of the publisher's and the subscription's. */
  readonly qos: QoS
  /** A retained message that the subscription found; with Retain As Published, what the publisher set. */
  readonly retain: boolean
  /** It may have been here before: the server has sent it again. */
  readonly dup: boolean
  /** Content Type, Response Topic, Correlation Data, Message Expiry Interval, User Properties; empty before 5.0. */
  readonly properties: MessageProperties
  /** The Subscription Identifiers that the server sent along; empty if it sent none. */
  readonly subscriptionIdentifiers: readonly number[]
  /** When it arrived, in milliseconds since the Unix epoch. */
  readonly receivedAtMs: number
  /** The payload as UTF-8; what is not UTF-8 shows as U+FFFD. */
  text(): string
  /** The payload as JSON. @throws {SyntaxError} if it is not */
  json(): unknown
  /**
   * The application has it: the server may forget it. Does nothing at QoS 0, and when called again. Acknowledgements leave in the order in
   * which the messages came ([5.0 MQTT-4.6.0-2], [5.0 MQTT-4.6.0-3]), so one that is not given holds those behind it back.
   */
  ack(): void
  /**
   * The application cannot handle it: as `ack`, with Reason Code 0x80 (5.0), which the server may note but does not answer by sending it
   * again. Before 5.0 the server is told no difference.
   */
  reject(): void
  /**
   * Publishes to the Response Topic, with the Correlation Data ([5.0 4.10]).
   *
   * @throws {ClientError} `invalid-argument` if it has no Response Topic
   */
  reply(payload: Payload, options?: PublishOptions): Delivery
}
