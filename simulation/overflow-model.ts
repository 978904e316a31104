import { topicMatches } from '@godwit/protocol'
import type { Model } from './model.ts'
import type { ModelSession, ModelSubscription } from './model-session.ts'
import { type Moment, PublishedMessage } from './published-message.ts'
import { deadLetterTopic, isDeadLetterTopic, overflowAction } from './rules.ts'
import { Violation } from './violation.ts'

/** A session whose client is away, and from when on it will be back. */
export interface Absent {
  readonly session: ModelSession
  readonly until: Moment
}

/**
 * Backlogs that have a bound. Which messages waited together is known only roughly, and so is which of them had to go: not
 * those that so few others can have waited with that the bound was not reached.
 */
export class OverflowModel {
  readonly #model: Model
  /** 0: there are no rules. */
  readonly #messagesMax: number
  /** What may be on its way to a client besides. */
  readonly #inflightMax: number
  /** Dead letters, and what they were made of. */
  readonly #originals = new Map<PublishedMessage, PublishedMessage>()

  constructor(model: Model, messagesMax: number, inflightMax: number) {
    this.#model = model
    this.#messagesMax = messagesMax
    this.#inflightMax = inflightMax
  }

  /** The dead letter that has come under an id; undefined: it is none. */
  deadLetter(id: string, topicName: string): PublishedMessage | undefined {
    if (!isDeadLetterTopic(topicName)) return undefined
    const original = this.#model.messages.get(id)
    if (original === undefined || overflowActionOf(original) !== 'dead-letter') return undefined
    const letterId = deadLetterId(original)
    const known = this.#model.messages.get(letterId)
    if (known !== undefined) return known
    const { content, firstSentAt, firstSentMs } = original
    const about = {
      id: letterId,
      topicName: deadLetterTopic(content.topicName),
      retain: false,
      publisher: '',
      expirySeconds: undefined
    }
    const letter = new PublishedMessage({ ...content, ...about }, firstSentAt, firstSentMs)
    this.#originals.set(letter, original)
    this.#model.messages.set(letterId, letter)
    return letter
  }

  /**
   * How often a message may be published that clients publish so many times: a dead letter once for each session that may
   * have lost it.
   */
  copies(message: PublishedMessage, times: number): number {
    const original = this.#originals.get(message)
    if (original === undefined) return times
    const losers = this.#model.sessions.filter((session) => bounded(session, original).length > 0).length
    return losers * (original.content.qos === 1 ? original.transmissions : 1)
  }

  /** Whether a message that a subscription had to bring may have gone from its backlog. */
  mayDrop(session: ModelSession, { matchFilter }: ModelSubscription, message: PublishedMessage): boolean {
    const action = this.#messagesMax === 0 ? undefined : overflowAction(matchFilter)
    switch (action) {
      case 'drop-oldest':
      case 'dead-letter':
        return this.#isFull(session, matchFilter, message, (other) => other.lastPossibleAt > message.firstSentAt)
      case 'drop-newest':
        return this.#isFull(
          session,
          matchFilter,
          message,
          (other) => other.firstSentAt < message.lastPossibleAt && this.#mayWait(session, other, message)
        )
      case 'refuse':
      case undefined:
        return false
    }
  }

  /** @throws Violation if there was no reason to refuse a message */
  checkRefused(message: PublishedMessage): void {
    const { id } = message.content
    if (overflowActionOf(message) !== 'refuse') throw new Violation(`"${id}" was refused, and no rule refuses it`)
    const mayBeFull = this.#model.sessions.some((session) =>
      bounded(session, message).some(({ matchFilter }) =>
        this.#isFull(session, matchFilter, message, (other) => this.#mayWait(session, other, message))
      )
    )
    if (!mayBeFull) throw new Violation(`"${id}" was refused, and nobody can have had ${this.#messagesMax} messages waiting`)
  }

  /** @throws Violation if a message was accepted though a session that is away had more waiting than may be */
  checkAccepted(message: PublishedMessage): void {
    const { id, qos } = message.content
    // Of what is sent again it is not known when it was accepted, nor at PUBREL what waits by then.
    if (qos !== 1 || message.transmissions > 1 || overflowActionOf(message) !== 'refuse') return
    for (const client of this.#model.clients.values()) {
      const { session } = client
      if (session === undefined || !client.isSurelyAway(this.#model.nowMs)) continue
      for (const subscription of bounded(session, message)) {
        const waiting = [...this.#model.messages.values()].filter((other) => {
          const { acceptedAt = Infinity, content, isPassedOn } = other
          const isThere = isPassedOn && acceptedAt < message.firstSentAt && session.got(content.id) === undefined
          return isThere && subscription.mustBring(other, session.clientId) && !session.mayHaveMissed(other)
        }).length
        if (subscription.endingAt === undefined && waiting >= this.#messagesMax + this.#inflightMax) {
          throw new Violation(`"${id}" was accepted, and ${waiting} messages wait for ${session.clientId}`)
        }
      }
    }
  }

  /** Whether the messages that may have waited together with one were as many as may wait. */
  #isFull(
    session: ModelSession,
    matchFilter: string,
    message: PublishedMessage,
    mayWaitWith: (other: PublishedMessage) => boolean
  ): boolean {
    // What came more than once has waited more than once.
    let others = Math.max(0, message.transmissions - 1)
    for (const other of this.#model.messages.values()) {
      if (other === message || !waitsFor(matchFilter, other) || !mayBeQueued(session, matchFilter, other)) continue
      if (mayWaitWith(other)) others += Math.max(1, other.transmissions)
    }
    return others >= this.#messagesMax
  }

  /** The sessions whose clients are away: as much waits for them now as they may get when they are back. */
  absent(): Absent[] {
    if (this.#messagesMax === 0) return []
    const until = this.#model.next()
    return Array.from(this.#model.clients.values()).flatMap(({ session, attempt }) =>
      session === undefined || attempt !== undefined ? [] : [{ session, until }]
    )
  }

  /** Who has come back has got no more of a backlog than its bound, and what had been on its way to it before. */
  checkReturned({ session, until }: Absent): void {
    for (const { matchFilter, topicFilter, endingAt } of session.subscriptions) {
      const action = overflowAction(matchFilter)
      const isOnly = session.subscriptions.filter((each) => each.topicFilter === topicFilter).length === 1
      if (action === undefined || !isOnly || endingAt !== undefined) continue
      let came = 0
      for (const message of this.#model.messages.values()) {
        const { content, acceptedAt = Infinity } = message
        // Of QoS 2 messages it is not known at their PUBREL what waits by then: they are not refused.
        const counts = content.qos === 1 || (content.qos === 2 && action !== 'refuse')
        const arrivedAt = session.got(content.id)?.arrivedAt ?? 0
        if (counts && arrivedAt > until && acceptedAt < until && topicMatches(matchFilter, content.topicName)) came++
      }
      if (came > this.#messagesMax + this.#inflightMax) {
        throw new Violation(`${came} messages had waited for ${session.clientId} at ${topicFilter}, more than its rule allows`)
      }
    }
  }

  /** What was moved is where it was moved to, and nothing else is. @throws Violation */
  checkDeadLetters(accepted: readonly PublishedMessage[]): void {
    if (this.#messagesMax === 0) return
    for (const original of this.#originals.values()) {
      // A crash may undo what had been moved.
      const mayComeAgain = original.transmissions > 1 || this.#model.hasRestartedSince(original.firstSentAt)
      const mayBeMoved = this.#model.sessions.some(
        (session) => bounded(session, original).length > 0 && (mayComeAgain || session.got(original.content.id) === undefined)
      )
      if (!mayBeMoved) throw new Violation(`"${original.content.id}" is a dead letter, and everybody has got it`)
    }
    // Where the store is full they are dropped.
    if (this.#model.hasStoreFailed) return
    for (const message of accepted) {
      if (overflowActionOf(message) !== 'dead-letter' || message.content.expirySeconds !== undefined) continue
      if (this.#model.sessions.some((session) => isMissing(session, message))) this.#checkMoved(message)
    }
  }

  #checkMoved(message: PublishedMessage): void {
    const letterTopic = deadLetterTopic(message.content.topicName)
    const letterId = deadLetterId(message)
    for (const session of this.#model.sessions) {
      if (session.endedAt !== undefined || session.mayHaveMissed(message)) continue
      const isOwed = session.subscriptions.some(
        ({ matchFilter, qosMin, endingAt, grantedAt = Infinity }) =>
          qosMin > 0 && endingAt === undefined && grantedAt < message.firstSentAt && topicMatches(matchFilter, letterTopic)
      )
      if (isOwed && session.got(letterId) === undefined) {
        throw new Violation(`"${message.content.id}" was dropped, and ${session.clientId} did not get it as a dead letter`)
      }
    }
  }

  /** Whether a message may be in a session's backlog when another comes; one that is on its way to the client is not. */
  #mayWait(session: ModelSession, { content, transmissions }: PublishedMessage, { firstSentAt }: PublishedMessage): boolean {
    if (transmissions > 1) return true
    const got = session.got(content.id)
    return got === undefined || got.arrivedAt > firstSentAt || this.#model.hasRestartedSince(got.arrivedAt)
  }
}

function deadLetterId({ content }: PublishedMessage): string {
  return `dead letter of ${content.id}`
}

function overflowActionOf({ content }: PublishedMessage): ReturnType<typeof overflowAction> {
  return overflowAction(content.topicName.replace(/\/[xy]\//, '/+/'))
}

/** The subscriptions of a session for whose backlogs there is a rule, and that a message goes to. */
function bounded({ subscriptions }: ModelSession, message: PublishedMessage): ModelSubscription[] {
  return subscriptions.filter(({ matchFilter }) => overflowAction(matchFilter) !== undefined && waitsFor(matchFilter, message))
}

/** No Local or not: it takes its place in the queue of the filter. */
function waitsFor(matchFilter: string, { content }: PublishedMessage): boolean {
  return content.qos > 0 && topicMatches(matchFilter, content.topicName)
}

/** Whether a session may have been subscribed at QoS 1 or 2 when a message came. */
function mayBeQueued(
  { subscriptions }: ModelSession,
  matchFilter: string,
  { firstSentAt, lastPossibleAt }: PublishedMessage
): boolean {
  const ofFilter = subscriptions.filter((each) => each.matchFilter === matchFilter)
  return ofFilter.some(({ qosMax, requestedAt, endedAt = Infinity }, index) => {
    // The next may not have arrived until it was granted.
    const replacedAt = Math.min(...ofFilter.slice(index + 1).map(({ grantedAt = Infinity }) => grantedAt))
    return qosMax > 0 && requestedAt < lastPossibleAt && firstSentAt < Math.min(endedAt, replacedAt)
  })
}

/** Whether a session that lives had to get a message of its subscription that lasts, and did not. */
function isMissing(session: ModelSession, message: PublishedMessage): boolean {
  const isGone = session.endedAt !== undefined || session.mayHaveMissed(message)
  if (isGone || session.got(message.content.id) !== undefined) return false
  return session.subscriptions.some((each) => each.endingAt === undefined && each.mustBring(message, session.clientId))
}
