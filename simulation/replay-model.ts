import { type SubscriptionRequest, topicMatches } from '@godwit/protocol'
import type { Model } from './model.ts'
import type { ModelSession, ModelSubscription } from './model-session.ts'
import type { Moment, PublishedMessage } from './published-message.ts'
import { isInHistory } from './rules.ts'
import { Violation } from './violation.ts'

export interface Subscribing extends SubscriptionRequest {
  /** The history that is to be sent first: so many messages, Infinity: all. Absent: none. */
  readonly replayed?: number | undefined
}

/** A history that a SUBSCRIBE asked for. */
interface Replay {
  readonly session: ModelSession
  readonly subscription: ModelSubscription
  readonly messages: number
  readonly askedAt: Moment
  /** SUBACK has come. */
  grantedAt: Moment
}

/** Which messages of a history come, and how often: once live, or in their place in it, and once more for each time that it is asked for. */
export class ReplayModel {
  readonly #model: Model
  /** Messages that the history keeps. */
  readonly #messagesMax: number
  readonly #replays: Replay[] = []

  constructor(model: Model, messagesMax: number) {
    this.#model = model
    this.#messagesMax = messagesMax
  }

  asking(session: ModelSession, subscription: ModelSubscription, messages: number, askedAt: Moment): void {
    this.#replays.push({ session, subscription, messages, askedAt, grantedAt: Infinity })
  }

  /** The SUBSCRIBE of a moment has been answered. */
  granted(askedAt: Moment, moment: Moment): void {
    for (const replay of this.#replays) if (replay.askedAt === askedAt) replay.grantedAt = moment
  }

  /** Whether a SUBSCRIBE may not have been answered, until which the broker reads nothing else. */
  isAsking(session: ModelSession): boolean {
    return this.#replays.some((each) => each.session === session && each.grantedAt === Infinity)
  }

  /** How often a message of a history may come to a session for the first time, not counting groups. */
  sources(session: ModelSession, message: PublishedMessage): number {
    if (!isInHistory(message.content.topicName)) return 1
    const filters = filtersOf(session, message)
    const replays = this.#of(session, message)
    // One that lifts No Local goes on with a history that was asked for before, in which its own messages were left out.
    const isOwn = message.content.publisher === session.clientId
    const again = replays.filter(
      ({ grantedAt, subscription }) => message.firstSentAt < grantedAt || filters.size > 1 || (isOwn && subscription.noLocal)
    )
    return again.length + (this.#mayBeLive(session, message) ? 1 : 0)
  }

  /** Whether a message has to come in its order: not where a history may bring what came before, or has come. */
  isOrdered(session: ModelSession, message: PublishedMessage): boolean {
    const replays = this.#of(session, message)
    if (replays.length === 0) return true
    return filtersOf(session, message).size === 1 && replays.every(({ grantedAt }) => grantedAt < message.firstSentAt)
  }

  /** Every history that was granted last, to a session that lives, has come whole. @throws Violation */
  checkComplete(accepted: readonly PublishedMessage[]): number {
    let owed = 0
    for (const replay of this.#replays) {
      const { session, subscription, askedAt, grantedAt } = replay
      const isLast = this.#replays.findLast((each) => each.subscription === subscription) === replay
      const isInForce = session.endedAt === undefined && subscription.endingAt === undefined && subscription.qosMin > 0
      if (!isLast || !isInForce || grantedAt === Infinity) continue
      for (const message of accepted) {
        const { acceptedAt = Infinity, content } = message
        if (acceptedAt > askedAt || !message.isPassedOn || message.mayBeExpired(this.#model.nowMs)) continue
        if (!subscription.matches(message, session.clientId) || this.#mayBeTooOld(replay, message)) continue
        if ((session.got(content.id)?.latestAt ?? 0) < askedAt) {
          throw new Violation(
            `${session.clientId} asked for the history of ${subscription.topicFilter} and did not get "${content.id}"`
          )
        }
        owed++
      }
    }
    return owed
  }

  /** @throws Violation if a message of a history has come that the session can have no claim to */
  checkAsked(session: ModelSession, message: PublishedMessage): void {
    const { id, topicName } = message.content
    if (!isInHistory(topicName) || this.#mayBeLive(session, message)) return
    if (this.#of(session, message).some((replay) => !this.#mustBeTooOld(replay, message))) return
    throw new Violation(`${session.clientId} got "${id}", which was published before it subscribed`)
  }

  /** Those that may bring a message; a subscription that lifts No Local may go on with one. */
  #of(session: ModelSession, { content }: PublishedMessage): Replay[] {
    return this.#replays.filter(
      (each) => each.session === session && topicMatches(each.subscription.matchFilter, content.topicName)
    )
  }

  #mayBeLive(session: ModelSession, message: PublishedMessage): boolean {
    return session.subscriptions.some(
      (each) => each.requestedAt < message.lastPossibleAt && each.matches(message, session.clientId)
    )
  }

  /** Whether a message may not have been among the last that were asked for, or kept. */
  #mayBeTooOld({ subscription: { matchFilter }, messages, grantedAt }: Replay, message: PublishedMessage): boolean {
    // What came more than once has more than one place.
    let [laterThatMatch, laterInHistory] = [message.transmissions - 1, message.transmissions - 1]
    for (const other of this.#model.messages.values()) {
      const { topicName } = other.content
      if (other === message || !isInHistory(topicName) || other.lastPossibleAt < message.firstSentAt) continue
      const times = Math.max(1, other.transmissions)
      laterInHistory += times
      if (other.firstSentAt < grantedAt && topicMatches(matchFilter, topicName)) laterThatMatch += times
    }
    return laterThatMatch >= messages || laterInHistory >= this.#messagesMax
  }

  /** Whether there was enough that came later than a message, when the history was asked for. */
  #mustBeTooOld({ subscription: { matchFilter }, messages, askedAt }: Replay, message: PublishedMessage): boolean {
    let [laterThatMatch, laterInHistory] = [0, 0]
    for (const other of this.#model.messages.values()) {
      const { acceptedAt = Infinity, firstSentAt, content } = other
      if (!isInHistory(content.topicName) || firstSentAt < message.lastPossibleAt) continue
      if (acceptedAt > askedAt || !other.isPassedOn) continue
      laterInHistory++
      if (topicMatches(matchFilter, content.topicName)) laterThatMatch++
    }
    return laterThatMatch >= messages || laterInHistory >= this.#messagesMax
  }
}

/** The filters of a session's subscriptions, past and present, that a message matches. */
function filtersOf({ subscriptions }: ModelSession, { content }: PublishedMessage): Set<string> {
  return new Set(subscriptions.flatMap(({ matchFilter }) => (topicMatches(matchFilter, content.topicName) ? [matchFilter] : [])))
}
