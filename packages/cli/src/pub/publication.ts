import type { PublishOptions } from '@godwit/client'

/** A message to publish. */
export interface Publication {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly options: PublishOptions
}

/** The User Property in which `pub --timestamp` says when a message was sent: milliseconds since the Unix epoch, with three decimals. */
export const SENT_AT_PROPERTY = 'sent-at-ms'
