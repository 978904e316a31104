import type { ModelSession, ModelSubscription } from './model-session.ts'
import type { Moment, PublishedMessage } from './published-message.ts'
import { Violation } from './violation.ts'

/** A retained message that a subscription has to bring. */
interface Expected {
  readonly session: ModelSession
  readonly subscription: ModelSubscription
  readonly message: PublishedMessage
  readonly askedAt: Moment
  isGranted: boolean
}

/** What may be retained for a topic. */
interface Possible {
  readonly messages: readonly PublishedMessage[]
  readonly mayBeNone: boolean
}

/** Which messages are retained, as far as that can be known: of two that were on their way at once either may be the last. */
export class RetainedModel {
  readonly #clock: () => number
  readonly #writes = new Map<string, PublishedMessage[]>()
  readonly #expected: Expected[] = []

  constructor(nowMs: () => number) {
    this.#clock = nowMs
  }

  writing(message: PublishedMessage): void {
    const { topicName } = message.content
    const writes = this.#writes.get(topicName)
    if (writes === undefined) this.#writes.set(topicName, [message])
    else if (!writes.includes(message)) writes.push(message)
  }

  /** SUBSCRIBE asks for what is retained. @param isFirst whether nothing can have come for this filter before */
  asking(session: ModelSession, subscription: ModelSubscription, askedAt: Moment, isFirst: boolean): void {
    if (subscription.group !== undefined || !isFirst) return
    for (const topicName of this.#writes.keys()) {
      const { messages, mayBeNone } = this.#possible(topicName)
      const [message] = messages
      if (message === undefined || messages.length > 1 || mayBeNone || message.content.isEmpty) continue
      if (message.content.qos > 0 && subscription.matches(message, session.clientId)) {
        this.#expected.push({ session, subscription, message, askedAt, isGranted: false })
      }
    }
  }

  /** The SUBSCRIBE of that moment has been answered. */
  granted(askedAt: Moment): void {
    for (const expected of this.#expected) if (expected.askedAt === askedAt) expected.isGranted = true
  }

  /** Every retained message that a living session asked for has come, unless another took its place or it expired. */
  checkComplete(): void {
    const nowMs = this.#clock()
    for (const { session, subscription, message, askedAt, isGranted } of this.#expected) {
      const { endingAt, qosMin } = subscription
      if (session.endedAt !== undefined || !isGranted || endingAt !== undefined || qosMin === 0) continue
      const writes = this.#writes.get(message.content.topicName) ?? []
      const isReplaced = writes.some((write) => write.firstSentAt > askedAt || write.lastPossibleAt > askedAt)
      if (isReplaced || message.mayBeExpired(nowMs)) continue
      if ((session.got(message.content.id)?.retainedAt ?? 0) < askedAt) {
        throw new Violation(
          `${session.clientId} subscribed to ${subscription.topicFilter} and did not get the retained "${message.content.id}"`
        )
      }
    }
  }

  /** Compares what is retained in the end with what may be. @param found by topic name */
  check(found: ReadonlyMap<string, string>): void {
    for (const topicName of this.#writes.keys()) {
      const { messages, mayBeNone } = this.#possible(topicName)
      const id = found.get(topicName)
      if (id === undefined) {
        if (!mayBeNone && messages.every(({ content }) => !content.isEmpty)) {
          throw new Violation(`nothing is retained for ${topicName}, but "${messages[0]?.content.id}" must be`)
        }
      } else if (!messages.some(({ content }) => content.id === id && !content.isEmpty)) {
        throw new Violation(`"${id}" is retained for ${topicName}`)
      }
    }
    for (const [topicName, id] of found) {
      if (!this.#writes.has(topicName)) throw new Violation(`"${id}" is retained for ${topicName}`)
    }
  }

  #possible(topicName: string): Possible {
    const writes = (this.#writes.get(topicName) ?? []).filter(({ isRefused, isForbidden }) => !isRefused && !isForbidden)
    const sure = writes.filter(({ isPassedOn }) => isPassedOn)
    const isPast = (before: Moment): boolean => sure.some(({ firstSentAt }) => firstSentAt > before)
    const messages = writes.filter(({ lastPossibleAt }) => !isPast(lastPossibleAt))
    const mayHaveExpired = messages.some((message) => message.mayBeExpired(this.#clock()))
    return { messages, mayBeNone: sure.length === 0 || mayHaveExpired }
  }
}
