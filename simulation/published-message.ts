import type { QoS } from '@godwit/protocol'

/** The moments of a history are numbered: what a client does or sees has a number of its own. */
export type Moment = number

export interface PublishedContent {
  /** Its payload, by which it is recognized; a retained one may be empty on the wire, to remove what is retained. */
  readonly id: string
  readonly topicName: string
  readonly qos: QoS
  readonly retain: boolean
  readonly isEmpty: boolean
  readonly publisher: string
  readonly isWill: boolean
  /** undefined: it does not expire. */
  readonly expirySeconds: number | undefined
}

/** A message that a client has sent, or left as its will, and what is known of it. */
export class PublishedMessage {
  readonly content: PublishedContent
  /** When the broker could first have had it. */
  firstSentAt: Moment
  firstSentMs: number
  /** How often PUBLISH was written. */
  transmissions = 0
  /** PUBACK or PUBCOMP has come: from here on it must not be lost. A will: it must have been published. */
  acceptedAt: Moment | undefined = undefined
  acceptedMs: number | undefined = undefined
  isRefused = false
  /** Its publisher does not go on with it. */
  isGivenUp = false
  /** Up to here the broker could have acted on it. */
  lastPossibleAt: Moment = Infinity
  /** A will that must not be published any more. */
  isForbidden = false
  /** A will that must not be published before. */
  notBeforeMs = 0

  constructor(content: PublishedContent, moment: Moment, nowMs: number) {
    this.content = content
    this.firstSentAt = moment
    this.firstSentMs = nowMs
  }

  accepted(moment: Moment, nowMs: number): void {
    this.acceptedAt = moment
    this.acceptedMs = nowMs
    this.lastPossibleAt = moment
  }

  /** Whether its Message Expiry Interval may have ended. */
  mayBeExpired(nowMs: number): boolean {
    const { expirySeconds } = this.content
    return expirySeconds !== undefined && nowMs >= this.firstSentMs + expirySeconds * 1000
  }

  /** Whether it was certainly passed on: one of QoS 2 that expires before its PUBREL is acknowledged, and goes no further. */
  get isPassedOn(): boolean {
    return this.acceptedMs !== undefined && !this.mayBeExpired(this.acceptedMs)
  }

  /** Whether its Message Expiry Interval must have ended. */
  mustBeExpired(nowMs: number): boolean {
    const { expirySeconds } = this.content
    return expirySeconds !== undefined && this.acceptedMs !== undefined && nowMs >= this.acceptedMs + expirySeconds * 1000
  }
}
