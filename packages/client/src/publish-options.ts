import type { QoS, UserProperty } from '@godwit/protocol'

/** How a message is published; all of it is optional. What only 5.0 has is left out on 3.1 and 3.1.1. */
export interface PublishOptions {
  /** Default: 0. */
  readonly qos?: QoS | undefined
  /** The server keeps it for those who subscribe later. Default: false. */
  readonly retain?: boolean | undefined
  /** Message Expiry Interval, 1 to 4,294,967,295: counts from `publish`, also while it waits in the outbox. Default: none. */
  readonly expirySeconds?: number | undefined
  readonly contentType?: string | undefined
  /** Payload Format Indicator 1: tells receivers that the payload is UTF-8. Default: false. */
  readonly isUtf8?: boolean | undefined
  readonly responseTopic?: string | undefined
  readonly correlationData?: Uint8Array | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
  /** Gives up on a message that has not been sent yet: it is taken out of the outbox, and its delivery rejects. */
  readonly signal?: AbortSignal | undefined
}
