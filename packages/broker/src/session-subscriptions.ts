import { topicMatches } from '@godwit/protocol'
import type { LogEntry, QueueId, SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { Target, targetOf } from './match.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'

/** What a session has subscribed to, and what that makes of a message of the log. Its tables are made when they are needed. */
export class SessionSubscriptions {
  readonly #engine: Engine
  readonly #session: Session
  #byFilter: Map<string, Subscription> | undefined = undefined
  /** With QoS 0 and an identifier: they are in no queue of the log, yet their identifiers go along. */
  #identifiedAtMostOnce: Set<Subscription> | undefined = undefined
  /** Replaced by subscriptions of QoS 0 while messages waited for them; they stay until these are sent ([5.0 MQTT-3.8.4-4]). */
  #leaving: Set<Subscription> | undefined = undefined
  /** The subscription that alone matched the latest message of the log, mostly that of the next as well. */
  #latestAlone: { readonly subscription: Subscription; readonly target: Target } | undefined = undefined

  constructor(engine: Engine, session: Session) {
    this.#engine = engine
    this.#session = session
  }

  get size(): number {
    return this.#byFilter?.size ?? 0
  }

  /** Topic filters, as the client wrote them. */
  keys(): Iterable<string> {
    return this.#byFilter?.keys() ?? []
  }

  values(): Iterable<Subscription> {
    return this.#byFilter?.values() ?? []
  }

  has(topicFilter: string): boolean {
    return this.#byFilter?.has(topicFilter) === true
  }

  get(topicFilter: string): Subscription | undefined {
    return this.#byFilter?.get(topicFilter)
  }

  add(subscription: Subscription): void {
    this.#byFilter ??= new Map()
    this.#byFilter.set(subscription.topicFilter, subscription)
    if (subscription.isReplaying || subscription.qos > 0 || subscription.identifier === 0) return
    this.#identifiedAtMostOnce ??= new Set()
    this.#identifiedAtMostOnce.add(subscription)
  }

  remove(subscription: Subscription): void {
    this.#byFilter?.delete(subscription.topicFilter)
    this.#latestAlone = undefined
    this.#identifiedAtMostOnce?.delete(subscription)
  }

  /** Goes on reading what waits for a subscription that one of QoS 0 replaces. */
  leaveLater(replaced: Subscription, successor: Subscription): void {
    // One for each filter: what an earlier one waits for goes over to the later.
    const earlier = replaced.leaving
    const leaving = earlier === undefined ? replaced : replaced.from(earlier.since)
    if (earlier !== undefined) this.#leaving?.delete(earlier)
    leaving.until = this.#engine.store.lastSequence
    this.restoreLeaving(leaving, successor)
  }

  restoreLeaving(leaving: Subscription, successor: Subscription): void {
    this.#leaving ??= new Set()
    this.#leaving.add(leaving)
    successor.leaving = leaving
  }

  /** Gives up what waits for a subscription that was replaced. */
  endLeaving(leaving: Subscription, fate: Fate): void {
    this.#leaving?.delete(leaving)
    this.#engine.subscriptions.finishLeaving(leaving, fate)
  }

  /** What waited for subscriptions that were replaced has been sent, or the session ends. */
  endAllLeaving(fate: Fate): void {
    for (const leaving of this.#leaving ?? []) this.endLeaving(leaving, fate)
  }

  /** What the subscriptions make of a message of the log; the same as when it was published, had it been taken then. */
  targetOf(entry: LogEntry): Target | undefined {
    const [queue] = entry.queues
    if (queue === undefined || entry.queues.length > 1 || this.#hasOthers) return this.#targetOfAll(entry)
    // Nearly always, and then nothing is made anew.
    const alone = this.#liveFor(this.#topicFilterOf(queue, entry.sequence), entry.sequence)
    return alone === undefined ? undefined : this.#targetOfAlone(alone)
  }

  /** Whether there are subscriptions that a queue of the message does not lead to. */
  get #hasOthers(): boolean {
    return (this.#leaving?.size ?? 0) > 0 || (this.#identifiedAtMostOnce?.size ?? 0) > 0
  }

  /** The subscription that reads a message from the queue of its filter. */
  #liveFor(topicFilter: string | undefined, sequence: SequenceNumber): Subscription | undefined {
    const subscription = topicFilter === undefined ? undefined : this.get(topicFilter)
    const isLive = subscription !== undefined && subscription.qos > 0 && !subscription.isReplaying
    return isLive && subscription.since < sequence ? subscription : undefined
  }

  #targetOfAll(entry: LogEntry): Target | undefined {
    const matching: Subscription[] = []
    for (const queue of entry.queues) {
      const topicFilter = this.#topicFilterOf(queue, entry.sequence)
      const live = this.#liveFor(topicFilter, entry.sequence)
      if (live !== undefined) matching.push(live)
      for (const replaced of this.#leaving ?? []) {
        const isCovered = replaced.since < entry.sequence && entry.sequence <= replaced.until
        if (isCovered && replaced.topicFilter === topicFilter) matching.push(replaced)
      }
    }
    // Only QoS 0 was granted for it: it was sent when it came.
    if (matching.length === 0) return undefined
    for (const subscription of this.#identifiedAtMostOnce ?? []) {
      if (subscription.since < entry.sequence && topicMatches(subscription.matchFilter, entry.message.topicName)) {
        matching.push(subscription)
      }
    }
    return targetOf(this.#session, matching)
  }

  #targetOfAlone(subscription: Subscription): Target {
    if (this.#latestAlone?.subscription !== subscription) {
      this.#latestAlone = { subscription, target: new Target(this.#session, [subscription]) }
    }
    return this.#latestAlone.target
  }

  /** The filter of a queue that has a message for the session: one that has not been given up. */
  #topicFilterOf(id: QueueId, sequence: SequenceNumber): string | undefined {
    const queue = this.#engine.queues.get(id)
    const place = queue === undefined ? undefined : this.#session.consumer?.placeIn(queue)
    return place?.covers(sequence) === true ? queue?.topicFilter : undefined
  }
}
