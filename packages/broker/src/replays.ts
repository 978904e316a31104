import { topicMatches } from '@godwit/protocol'
import type { LogEntry, MaybePromise, SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import type { HistoryQueue } from './history-queue.ts'
import { Delivery } from './inflight.ts'
import { isPromise } from './maybe-promise.ts'
import { Message } from './message.ts'
import type { PacketSender } from './packet-sender.ts'
import { lowerQoS } from './quality-of-service.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'

/** Entries asked of the history at a time. */
const PAGE_ENTRIES_MAX = 256
const PAGE_ENTRIES_MIN = 16
/** Entries asked for in one go, before other connections get their turn. */
const ENTRIES_PER_TURN_MAX = 2048

/** Why what waited in the history for a replay was given up. */
const DURABLE_MAX = 'limits.queuedMessagesMax or limits.queuedBytesMax, while its history was replayed'
const TRANSIENT_MAX = 'limits.transientQueuedMessagesMax or limits.transientQueuedBytesMax, while its history was replayed'

/**
 * Sends a session the history of its subscriptions, read a page at a time and as fast as the client takes it. Meanwhile a
 * subscription is not live: what is published is at the end of the history, and the turn of the event loop that reads the
 * last of it makes the subscription live. So nothing is missed, nothing comes twice, and nothing waits in memory.
 */
export class Replays {
  readonly #engine: Engine
  readonly #session: Session
  readonly #subscriptions = new Set<Subscription>()
  /** Too much waits for these: up to here it is not sent any more. */
  readonly #givenUp = new Map<Subscription, SequenceNumber>()
  /** As many entries as the client took of the last page, or more. */
  #pageEntries = PAGE_ENTRIES_MIN
  #isReading = false

  constructor(engine: Engine, session: Session) {
    this.#engine = engine
    this.#session = session
  }

  get isActive(): boolean {
    return this.#subscriptions.size > 0
  }

  /** Begins with a subscription that has history to be sent, or goes on with it. */
  begin(subscription: Subscription): void {
    this.#subscriptions.add(subscription)
    this.#historyOf(subscription)?.add(subscription)
  }

  end(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return
    this.#givenUp.delete(subscription)
    const history = this.#historyOf(subscription)
    if (history === undefined) return
    history.remove(subscription)
    this.#engine.histories.closeIfUnused(history)
  }

  /** Passes over what has waited too long for a subscription, be its client connected or not. */
  giveUp(subscription: Subscription, through: SequenceNumber): void {
    this.#givenUp.set(subscription, through)
    this.run(this.#session.sender)
  }

  /** Sends as much as the client takes. */
  run(sender: PacketSender | undefined): void {
    let asked = 0
    for (const subscription of this.#subscriptions) {
      while (!this.#isReading && this.#subscriptions.has(subscription) && this.#mayRead(subscription, sender)) {
        if (asked >= ENTRIES_PER_TURN_MAX) {
          this.#engine.defer(() => this.run(this.#session.sender))
          return
        }
        asked += this.#pageEntries
        if (!this.#readPage(subscription)) return
      }
    }
  }

  #mayRead(subscription: Subscription, sender: PacketSender | undefined): boolean {
    return this.#isGivenUp(subscription, (subscription.replay?.after ?? Infinity) + 1) || this.#hasRoomFor(subscription, sender)
  }

  #isGivenUp(subscription: Subscription, sequence: SequenceNumber): boolean {
    return sequence <= (this.#givenUp.get(subscription) ?? 0)
  }

  #hasRoomFor({ qos }: Subscription, sender: PacketSender | undefined): boolean {
    // Half of the room is left to messages that are live: these would be dropped at QoS 0.
    if (sender === undefined || sender.isHalfFull) return false
    return qos === 0 || this.#session.canSend
  }

  /** False: it cannot be read. */
  #readPage(subscription: Subscription): boolean {
    const history = this.#historyOf(subscription)
    const { after } = subscription.replay ?? {}
    if (history === undefined || after === undefined) return false
    const limit = this.#pageEntries
    let page: MaybePromise<readonly LogEntry[]>
    try {
      page = this.#engine.store.read([{ queue: history.id, after }], limit)
    } catch (error) {
      this.#session.readFailed(error)
      return false
    }
    if (!isPromise(page)) {
      this.#take(subscription, history, page)
      return true
    }
    this.#isReading = true
    page.then(
      (read) => {
        this.#isReading = false
        if (this.#subscriptions.has(subscription)) this.#take(subscription, history, read)
        this.run(this.#session.sender)
      },
      (error: unknown) => {
        this.#isReading = false
        this.#session.readFailed(error)
      }
    )
    return true
  }

  /** Sends what of a page the client takes; the rest is read again. */
  #take(subscription: Subscription, history: HistoryQueue, page: readonly LogEntry[]): void {
    const { sender } = this.#session
    const now = this.#engine.clock.now()
    let { after } = subscription.replay ?? {}
    let taken = 0
    for (const entry of page) {
      if (this.#isGivenUp(subscription, entry.sequence)) this.#pass(subscription, entry, now)
      else if (this.#hasRoomFor(subscription, sender)) this.#send(subscription, entry, now)
      else break
      after = entry.sequence
      taken++
    }
    if (after === undefined) return
    this.#pageEntries = Math.min(PAGE_ENTRIES_MAX, Math.max(PAGE_ENTRIES_MIN, taken < page.length ? taken : taken * 2))
    const isAtEnd = taken === page.length && this.#engine.store.backlog({ queue: history.id, after }).messages === 0
    if (isAtEnd) this.#goLive(subscription)
    else if (taken > 0) this.#keepPlace(subscription, after)
  }

  #goLive(subscription: Subscription): void {
    this.end(subscription)
    this.#engine.subscriptions.goLive(subscription)
  }

  #keepPlace(subscription: Subscription, after: SequenceNumber): void {
    const { replay } = subscription
    if (replay === undefined) return
    subscription.replay = { historyFilter: replay.historyFilter, after }
    // At QoS 0 a replay does not survive a restart: it would send again what it has sent since it last kept its place.
    if (!this.#session.isDurable || subscription.qos === 0) return
    this.#engine.store.putSubscription(this.#session.clientId, subscription.toRecord())
  }

  #send(subscription: Subscription, entry: LogEntry, now: number): void {
    const message = this.#messageFor(subscription, entry, now)?.withSequence(entry.sequence)
    if (message === undefined) return
    const identifiers = subscription.identifier === 0 ? [] : [subscription.identifier]
    const qos = lowerQoS(message.qos, subscription.qos)
    const retain = subscription.retainAsPublished && message.retain
    if (qos === 0) this.#session.sendAtMostOnce(message, retain, identifiers)
    else this.#session.send(new Delivery(message, qos, retain, identifiers, 0, undefined))
  }

  #pass(subscription: Subscription, entry: LogEntry, now: number): void {
    const message = this.#messageFor(subscription, entry, now)
    if (message === undefined) return
    this.#drop('queue-full', subscription, entry, this.#session.isDurable ? DURABLE_MAX : TRANSIENT_MAX)
  }

  /** What a subscription makes of an entry of its history; undefined: nothing. */
  #messageFor(subscription: Subscription, entry: LogEntry, now: number): Message | undefined {
    const message = Message.of(entry.message)
    if (!topicMatches(subscription.matchFilter, message.topicName)) return undefined
    if (subscription.noLocal && message.publisherClientId === this.#session.clientId) return undefined
    if (!message.isExpired(now)) return message
    this.#drop('expired', subscription, entry)
    return undefined
  }

  /** What was there before the subscription was not on its way to it. */
  #drop(fate: Fate, subscription: Subscription, { sequence, message }: LogEntry, reason?: string): void {
    if (sequence > subscription.since) this.#engine.fates.record(fate, message, this.#session.clientId, reason)
  }

  #historyOf({ replay }: Subscription): HistoryQueue | undefined {
    return replay === undefined ? undefined : this.#engine.histories.get(replay.historyFilter)
  }
}
