import { topicMatches } from '@godwit/protocol'
import type { LogEntry, SequenceNumber } from '@godwit/storage'
import type { Fate } from './fates.ts'
import type { HistoryQueue } from './history-queue.ts'
import { Delivery } from './inflight.ts'
import { Message } from './message.ts'
import type { PacketSender } from './packet-sender.ts'
import { lowerQoS } from './quality-of-service.ts'
import { SubscriptionPages } from './subscription-pages.ts'
import type { Subscription } from './subscription.ts'

/** Entries asked of the history at a time. */
const PAGE_ENTRIES_MAX = 256
const PAGE_ENTRIES_MIN = 16
/** Entries asked for in one go, before other connections get their turn. */
const ENTRIES_PER_TURN_MAX = 2048

/** Why what waited in the history for a replay was given up. */
const DURABLE_MAX = 'limits.queuedMessagesMax or limits.queuedBytesMax, while its history was replayed'
const TRANSIENT_MAX = 'limits.transientQueuedMessagesMax or limits.transientQueuedBytesMax, while its history was replayed'

/** What is passed over, and why it does not arrive. */
interface GivenUp {
  readonly through: SequenceNumber
  readonly fate: Fate
  readonly reason: string | undefined
  /** The subscription is no more. */
  readonly isAbandoned: boolean
}

/**
 * Sends a session the history of its subscriptions, read a page at a time and as fast as the client takes it. Meanwhile a
 * subscription is not live: what is published is at the end of the history, and the turn of the event loop that reads the
 * last of it makes the subscription live. So nothing is missed, nothing comes twice, and nothing waits in memory.
 */
export class Replays extends SubscriptionPages {
  /** What is not sent to these any more. */
  readonly #givenUp = new Map<Subscription, GivenUp>()
  /** As many entries as the client took of the last page, or more. */
  #pageEntries = PAGE_ENTRIES_MIN

  /** Begins with a subscription that has history to be sent, or goes on with it. */
  begin(subscription: Subscription): void {
    this.subscriptions.add(subscription)
    this.#historyOf(subscription)?.add(subscription)
  }

  /** Ends with a subscription; another goes on with its replay, or it is live. */
  end(subscription: Subscription): void {
    if (!this.subscriptions.delete(subscription)) return
    this.#givenUp.delete(subscription)
    const history = this.#historyOf(subscription)
    if (history === undefined) return
    history.remove(subscription)
    this.engine.histories.closeIfUnused(history)
  }

  /** Ends with a subscription that is ended: what has come since it was made has a fate. */
  abandon(subscription: Subscription, fate: Fate): void {
    const { replay, since, qos } = subscription
    const through = this.engine.store.lastSequence
    const after = Math.max(replay?.after ?? Infinity, since)
    if (replay === undefined || qos === 0 || after >= through) {
      this.end(subscription)
      return
    }
    subscription.replay = { historyFilter: replay.historyFilter, after }
    this.#givenUp.set(subscription, { through, fate, reason: undefined, isAbandoned: true })
    this.run(this.session.sender)
  }

  /** Passes over what has waited too long for a subscription, be its client connected or not. */
  giveUp(subscription: Subscription, through: SequenceNumber): void {
    if (this.#givenUp.get(subscription)?.isAbandoned === true) return
    const reason = this.session.isDurable ? DURABLE_MAX : TRANSIENT_MAX
    this.#givenUp.set(subscription, { through, fate: 'queue-full', reason, isAbandoned: false })
    this.run(this.session.sender)
  }

  /** Sends as much as the client takes. */
  run(sender: PacketSender | undefined): void {
    let asked = 0
    for (const subscription of this.subscriptions) {
      while (!this.isReading && this.subscriptions.has(subscription) && this.#mayRead(subscription, sender)) {
        if (asked >= ENTRIES_PER_TURN_MAX) {
          this.engine.defer(() => this.run(this.session.sender))
          return
        }
        asked += this.#pageEntries
        if (!this.#readPage(subscription)) return
      }
    }
  }

  protected override goOn(): void {
    this.run(this.session.sender)
  }

  /** Nobody would try again for a subscription that is no more. */
  protected override readFailed(subscription: Subscription, error: unknown): void {
    if (this.#givenUp.get(subscription)?.isAbandoned === true) this.end(subscription)
    super.readFailed(subscription, error)
  }

  #mayRead(subscription: Subscription, sender: PacketSender | undefined): boolean {
    // Nobody looks at fates any more when the broker stops.
    const passes = !this.engine.isClosing && this.#isGivenUp(subscription, (subscription.replay?.after ?? Infinity) + 1)
    return passes || this.#hasRoomFor(subscription, sender)
  }

  #isGivenUp(subscription: Subscription, sequence: SequenceNumber): boolean {
    return sequence <= (this.#givenUp.get(subscription)?.through ?? 0)
  }

  #hasRoomFor({ qos }: Subscription, sender: PacketSender | undefined): boolean {
    // Half of the room is left to messages that are live: these would be dropped at QoS 0.
    if (sender === undefined || sender.isHalfFull) return false
    return qos === 0 || this.session.canSend
  }

  /** False: it cannot be read. */
  #readPage(subscription: Subscription): boolean {
    const history = this.#historyOf(subscription)
    const { after } = subscription.replay ?? {}
    if (history === undefined || after === undefined) return false
    const limit = this.#pageEntries
    return this.readPage(
      subscription,
      () => this.engine.store.read([{ queue: history.id, after }], limit),
      (page) => this.#take(subscription, history, page)
    )
  }

  /** Sends what of a page the client takes; the rest is read again. */
  #take(subscription: Subscription, history: HistoryQueue, page: readonly LogEntry[]): void {
    const { sender } = this.session
    const now = this.engine.clock.now()
    const givenUp = this.#givenUp.get(subscription)
    let { after } = subscription.replay ?? {}
    let taken = 0
    for (const entry of page) {
      if (givenUp !== undefined && entry.sequence <= givenUp.through) this.#pass(subscription, entry, now, givenUp)
      else if (givenUp?.isAbandoned === true) break
      else if (this.#hasRoomFor(subscription, sender)) this.#send(subscription, entry, now)
      else break
      after = entry.sequence
      taken++
    }
    if (after === undefined) return
    this.#pageEntries = Math.min(PAGE_ENTRIES_MAX, Math.max(PAGE_ENTRIES_MIN, taken < page.length ? taken : taken * 2))
    const isAtEnd = taken === page.length && this.engine.store.backlog({ queue: history.id, after }).messages === 0
    if (givenUp?.isAbandoned === true) {
      if (isAtEnd || taken < page.length) this.end(subscription)
      else if (subscription.replay !== undefined) subscription.replay = { ...subscription.replay, after }
    } else if (isAtEnd) this.#goLive(subscription)
    else if (taken > 0) this.#keepPlace(subscription, after)
  }

  #goLive(subscription: Subscription): void {
    this.end(subscription)
    this.engine.subscriptions.goLive(subscription)
  }

  #keepPlace(subscription: Subscription, after: SequenceNumber): void {
    const { replay } = subscription
    if (replay === undefined) return
    subscription.replay = { historyFilter: replay.historyFilter, after }
    // At QoS 0 a replay does not survive a restart: it would send again what it has sent since it last kept its place.
    if (!this.session.isDurable || subscription.qos === 0) return
    this.engine.store.putSubscription(this.session.clientId, subscription.toRecord())
  }

  #send(subscription: Subscription, entry: LogEntry, now: number): void {
    const message = this.#messageFor(subscription, entry, now)?.withSequence(entry.sequence)
    if (message === undefined) return
    const identifiers = subscription.identifier === 0 ? [] : [subscription.identifier]
    const qos = lowerQoS(message.qos, subscription.qos)
    const retain = subscription.retainAsPublished && message.retain
    if (qos === 0) this.session.sendAtMostOnce(message, retain, identifiers)
    else this.session.send(new Delivery(message, qos, retain, identifiers, 0, undefined))
  }

  #pass(subscription: Subscription, entry: LogEntry, now: number, { fate, reason }: GivenUp): void {
    if (this.#messageFor(subscription, entry, now) !== undefined) this.#drop(fate, subscription, entry, reason)
  }

  /** What a subscription makes of an entry of its history; undefined: nothing. */
  #messageFor(subscription: Subscription, entry: LogEntry, now: number): Message | undefined {
    const message = Message.of(entry.message)
    if (!topicMatches(subscription.matchFilter, message.topicName)) return undefined
    if (subscription.noLocal && message.publisherClientId === this.session.clientId) return undefined
    if (!message.isExpired(now)) return message
    this.#drop('expired', subscription, entry)
    return undefined
  }

  /** What was there before the subscription was not on its way to it. */
  #drop(fate: Fate, subscription: Subscription, { sequence, message }: LogEntry, reason?: string): void {
    if (sequence > subscription.since) this.engine.fates.record(fate, message, this.session.clientId, reason)
  }

  #historyOf({ replay }: Subscription): HistoryQueue | undefined {
    return replay === undefined ? undefined : this.engine.histories.get(replay.historyFilter)
  }
}
