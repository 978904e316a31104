import type { PublishReasonCode, UserProperty } from '@godwit/protocol'

/** How the server answered a PUBLISH. */
export interface Acknowledgement {
  /** 0x00, or 0x10 if nobody has subscribed (5.0); at QoS 0 and before 5.0 always 0x00. */
  readonly reasonCode: PublishReasonCode
  readonly reasonString: string | undefined
  readonly userProperties: readonly UserProperty[]
}

/**
 * What becomes of one message that was published. Await it: it resolves once the server has acknowledged the message (at QoS 0: once it is
 * handed to the connection), and rejects with a `ClientError` when it never will. Leave it: what fails is told by the event `discarded`.
 */
export interface Delivery extends PromiseLike<Acknowledgement> {
  /** Safe on this machine: committed to the outbox, or acknowledged already. At QoS 0: handed to the connection. */
  readonly stored: Promise<void>
}
