import type { Message } from '@godwit/client'
import { SENT_AT_PROPERTY } from '../pub/publication.ts'
import { preciseNowMs } from '../precise-time.ts'

/** What is shown of a message: as it came, with the time of the wall clock. */
export type ShownMessage = Pick<
  Message,
  'topic' | 'payload' | 'qos' | 'retain' | 'dup' | 'properties' | 'subscriptionIdentifiers'
> & {
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly receivedAtMs: number
}

/**
 * From `pub --timestamp` to here, by the clocks of both; undefined if the message does not say when it was sent. Below zero the clocks differ
 * by more than the way took.
 */
export function latencyMsOf({ properties: { userProperties = [] }, receivedAtMs }: ShownMessage): number | undefined {
  const [, sentAt] = userProperties.find(([name]) => name === SENT_AT_PROPERTY) ?? []
  return sentAt !== undefined && /^\d{1,16}(\.\d{1,9})?$/.test(sentAt) ? receivedAtMs - Number(sentAt) : undefined
}

/** A message's time of arrival is that of a clock which is never set; what was sent elsewhere is measured by the wall clock. */
export function shown(message: Message): ShownMessage {
  const { topic, payload, qos, retain, dup, properties, subscriptionIdentifiers } = message
  const receivedAtMs = message.receivedAtMs + preciseNowMs() - (performance.timeOrigin + performance.now())
  return { topic, payload, qos, retain, dup, properties, subscriptionIdentifiers, receivedAtMs }
}
