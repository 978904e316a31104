import type { QoS } from '@godwit/protocol'

/** Messages that take the same way again and again. */
export interface Pattern {
  readonly name: string
  readonly what: string
  readonly qos: QoS
  /** They take all of a publisher's messages; each subscribes to the topic at the QoS of its messages. */
  readonly subscribers: number
  /** Messages that the publisher sends in one write, and that are over before it sends the next. */
  readonly messagesPerWrite: number
  /** Messages of one part of its figure. */
  readonly messages: number
}

/**
 * What travels together is read together and written together, however fast or busy the machine is: a write of the publisher
 * fits in one read of the broker, and the next comes when everything that followed from it is over.
 */
export const PATTERNS: readonly Pattern[] = [
  { name: 'p2p-q0', what: 'one to one, QoS 0', qos: 0, subscribers: 1, messagesPerWrite: 50, messages: 10_000 },
  { name: 'p2p-q1', what: 'one to one, QoS 1', qos: 1, subscribers: 1, messagesPerWrite: 50, messages: 10_000 },
  { name: 'p2p-q2', what: 'one to one, QoS 2', qos: 2, subscribers: 1, messagesPerWrite: 20, messages: 7_000 },
  { name: 'single-q0', what: 'one to one, QoS 0, a write each', qos: 0, subscribers: 1, messagesPerWrite: 1, messages: 1_500 },
  { name: 'fanout-q0', what: 'one to 50, QoS 0, per delivery', qos: 0, subscribers: 50, messagesPerWrite: 20, messages: 400 },
  { name: 'fanout-q1', what: 'one to 50, QoS 1, per delivery', qos: 1, subscribers: 50, messagesPerWrite: 10, messages: 400 }
]
