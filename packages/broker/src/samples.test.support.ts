import { type MessageProperties, NO_PROPERTIES, type QoS, RetainHandling, type SubscriptionRequest } from '@godwit/protocol'
import { Message } from './message.ts'

export interface SampleMessage {
  readonly payload?: string | Uint8Array
  readonly qos?: QoS
  readonly retain?: boolean
  readonly publisherClientId?: string
  readonly properties?: MessageProperties
  readonly nowMs?: number
}

/** A message; what is not given is plain, and its QoS 1. */
export function message(topicName: string, given: SampleMessage = {}): Message {
  const { payload = '', qos = 1, retain = false, publisherClientId = 'publisher', properties = NO_PROPERTIES, nowMs = 0 } = given
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Message.publish({ topicName, payload: bytes, qos, retain, properties }, publisherClientId, nowMs)
}

/** What a SUBSCRIBE asks for; what is not given has the values of 3.1.1, and its QoS is 1. */
export function request(topicFilter: string, given: Partial<SubscriptionRequest> = {}): SubscriptionRequest {
  return {
    topicFilter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: RetainHandling.SendAtSubscribe,
    ...given
  }
}

/** Numbers from 0 to below 1 that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
