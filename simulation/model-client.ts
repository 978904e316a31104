import { Deadline, type Noticed } from './deadline.ts'
import type { ModelSession } from './model-session.ts'
import type { PublishedMessage } from './published-message.ts'

/** A will that its connection has left behind, and whose end is not known yet. */
export interface LeftWill {
  readonly message: PublishedMessage
  readonly deadline: Deadline
  /** DISCONNECT 0x00 was sent, and may have been lost. */
  mayBeDiscarded: boolean
  /** It was sent, and will have been read by the time all is quiet. */
  isBeingDiscarded: boolean
  /** Its session may have ended before its delay. */
  mayBePublished: boolean
  /** The client may have come back in time. */
  mayBeCancelled: boolean
  /** The CONNECT that came in time, if it was read. */
  cancelledBy: Attempt | undefined
}

export interface ConnectRequest {
  readonly cleanStart: boolean
  /** Infinity: never. */
  readonly expirySeconds: number
  readonly will: { readonly message: PublishedMessage; readonly delaySeconds: number } | undefined
}

/** A connection, from its CONNECT on. */
export interface Attempt extends ConnectRequest {
  readonly mustBePresent: boolean
  readonly mustBeAbsent: boolean
  /** From when on the session may have been ended; Infinity: it was not. */
  readonly mayHaveEndedMs: number
  isAccepted: boolean
}

/** What a client's DISCONNECT said, if anything. */
export interface Farewell {
  readonly discardsWill: boolean
  readonly expirySeconds: number | undefined
}

/** One ClientID, and what the broker must know of it. */
export class ModelClient {
  readonly clientId: string
  /** Undefined: the client knows of none. */
  session: ModelSession | undefined = undefined
  /** There may be a session that the client knows nothing of. */
  mayExist = false
  #mustCleanStart = false
  attempt: Attempt | undefined = undefined
  /** When the session expires, while there is no connection: one of these. */
  expiries: Deadline[] = []
  /** DISCONNECT has set another Session Expiry Interval; known once all is quiet. */
  #changedExpiry: Deadline | undefined = undefined
  wills: LeftWill[] = []
  #shortestSeconds = 0
  #longestSeconds = 0

  constructor(clientId: string) {
    this.clientId = clientId
  }

  /** A CONNECT that may have begun a new session was not answered: only Clean Start tells which one it is. */
  get mustCleanStart(): boolean {
    const { attempt } = this
    return this.#mustCleanStart || (attempt !== undefined && !attempt.isAccepted && !attempt.mustBePresent)
  }

  /** Whether it has no connection, and a session that has not ended. */
  isSurelyAway(nowMs: number): boolean {
    return (
      this.attempt === undefined &&
      this.session?.isDurable === true &&
      this.expiries.every(({ earliestMs }) => nowMs < earliestMs)
    )
  }

  connecting(request: ConnectRequest, nowMs: number): Attempt {
    // It is taken over as soon as CONNECT is read.
    if (this.attempt !== undefined) this.connectionOver(nowMs, undefined, 'later')
    const isKnown = this.session !== undefined
    const mustBePresent = !request.cleanStart && isKnown && this.expiries.every(({ earliestMs }) => nowMs < earliestMs)
    const mayBePresent = isKnown ? this.expiries.some((expiry) => nowMs < expiry.latestIfNoticed(nowMs)) : this.mayExist
    const attempt: Attempt = {
      ...request,
      mustBePresent,
      mustBeAbsent: request.cleanStart || !mayBePresent,
      mayHaveEndedMs: mustBePresent ? Infinity : Math.min(...this.expiries.map(({ earliestMs }) => earliestMs)),
      isAccepted: false
    }
    this.attempt = attempt
    this.#changedExpiry = undefined
    this.mayExist = true
    this.#shortestSeconds = Math.min(this.#shortestSeconds, request.expirySeconds)
    this.#longestSeconds = Math.max(this.#longestSeconds, request.expirySeconds)
    for (const will of this.wills) {
      will.isBeingDiscarded = false
      if (request.cleanStart) {
        // The end of its session is the end of its delay.
        will.message.notBeforeMs = 0
        will.mayBePublished = true
      } else if (nowMs < will.deadline.latestIfNoticed(nowMs)) {
        will.mayBeCancelled = true
        will.cancelledBy = nowMs < will.deadline.earliestMs && !will.mayBePublished ? attempt : undefined
      }
    }
    return attempt
  }

  /** CONNACK has come. */
  accepted(attempt: Attempt, sessionPresent: boolean, nowMs: number): void {
    attempt.isAccepted = true
    this.mayExist = false
    this.#mustCleanStart = false
    this.expiries = []
    this.#shortestSeconds = attempt.expirySeconds
    this.#longestSeconds = attempt.expirySeconds
    for (const will of this.wills) {
      will.deadline.noticed(nowMs)
      if (will.cancelledBy === attempt && sessionPresent) will.message.isForbidden = true
      if (!sessionPresent) will.deadline.latestMs = Math.min(will.deadline.latestMs, nowMs)
    }
    this.wills = this.wills.filter(({ message }) => !message.isForbidden)
  }

  *#deadlines(): Generator<Deadline> {
    yield* this.expiries
    for (const { deadline } of this.wills) yield deadline
  }

  /**
   * The network connection is over, for whatever reason.
   *
   * @param noticed when the broker hears of it, if it is not busy with CONNECT
   */
  connectionOver(nowMs: number, farewell?: Farewell, noticed: Noticed = 'at once'): void {
    const { attempt, mustCleanStart } = this
    if (attempt === undefined) return
    this.#mustCleanStart = mustCleanStart
    this.attempt = undefined
    const changedSeconds = attempt.isAccepted ? farewell?.expirySeconds : undefined
    const shortest = Math.min(this.#shortestSeconds, changedSeconds ?? Infinity)
    const longest = Math.max(this.#longestSeconds, changedSeconds ?? 0)
    if (attempt.isAccepted) this.expiries = []
    this.expiries.push(
      new Deadline(nowMs, shortest, longest, noticed === 'at once' && !attempt.isAccepted ? 'when quiet' : noticed)
    )
    if (changedSeconds !== undefined) this.#changedExpiry = new Deadline(nowMs, changedSeconds, changedSeconds, 'at once')
    if (attempt.will === undefined || !attempt.isAccepted) return
    const { message, delaySeconds } = attempt.will
    const deadline = new Deadline(nowMs, Math.min(delaySeconds, shortest), Math.min(delaySeconds, longest), noticed)
    message.notBeforeMs = deadline.earliestMs
    const isDiscarded = farewell?.discardsWill === true
    this.wills.push({
      message,
      deadline,
      mayBeDiscarded: isDiscarded,
      isBeingDiscarded: isDiscarded,
      mayBePublished: false,
      mayBeCancelled: false,
      cancelledBy: undefined
    })
  }

  /** The broker is gone, and with it what it had not committed. */
  brokerGone(nowMs: number): void {
    this.connectionOver(nowMs)
    this.farewellLost()
  }

  /** What DISCONNECT said may not have been read. */
  farewellLost(): void {
    this.#changedExpiry = undefined
    for (const will of this.wills) will.isBeingDiscarded = false
  }

  /** The broker shut down in order: it noticed the end of every connection, and put it on record. */
  brokerStopped(nowMs: number): void {
    this.brokerGone(nowMs)
    for (const deadline of this.#deadlines()) {
      deadline.noticed(nowMs)
      deadline.quiet(nowMs)
    }
  }

  brokerBack(nowMs: number): void {
    for (const deadline of this.#deadlines()) deadline.restarted(nowMs)
  }

  /** Everything that was sent has been read, and what it changed is committed. */
  quiet(nowMs: number, published: (will: PublishedMessage) => void): void {
    if (this.attempt === undefined && this.#changedExpiry !== undefined) this.expiries = [this.#changedExpiry]
    this.#changedExpiry = undefined
    for (const deadline of this.expiries) deadline.quiet(nowMs)
    for (const will of this.wills) {
      will.deadline.quiet(nowMs)
      if (will.isBeingDiscarded) will.message.isForbidden = true
      else if (nowMs >= will.deadline.latestMs && !will.mayBeDiscarded && !will.mayBeCancelled) published(will.message)
    }
    this.wills = this.wills.filter(({ message }) => !message.isForbidden && message.acceptedAt === undefined)
  }
}
