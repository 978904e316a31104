import type { Backlog, SequenceNumber } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import type { FateLedger } from './fates.ts'
import type { Limits } from './limits.ts'
import type { Message } from './message.ts'
import { Cohort, slowestOf } from './overflow-cohort.ts'
import type { OverflowPolicy } from './overflow-rules.ts'
import type { QueuePlace } from './queue-place.ts'
import { firstPosition } from './queue-positions.ts'

/** A backlog takes messages again once this share of its bound is free. */
const FREE_SHARE = 8
/** As long as no more places than this drop messages, each is counted at once, with its topic. */
const COUNTED_AT_ONCE_MAX = 16

/**
 * Backlogs that keep what they have and drop what comes. From which message on is found in the log whenever somebody has
 * to know, since a consumer that does not read does not change it: at the latest when its consumer reads on.
 */
export class NewestCohort extends Cohort {
  readonly #fates: FateLedger
  readonly #limits: Limits
  /** Those that drop whatever comes. */
  readonly #dropping = new Set<QueuePlace>()
  /** What the queue turned away because all its places drop what comes, and was not counted at once. */
  #turnedAway = 0

  constructor(queue: DurableQueue, policy: OverflowPolicy, fates: FateLedger, limits: Limits) {
    super(queue, policy)
    this.#fates = fates
    this.#limits = limits
  }

  override add(place: QueuePlace): void {
    if (place.isSkipping) this.#drops(place)
    super.add(place)
  }

  override remove(place: QueuePlace): void {
    super.remove(place)
    if (place.isSkipping) this.#take(place)
  }

  override appended(message: Message, sequence: SequenceNumber): void {
    if (this.#countsAtOnce) this.#countEach(message, sequence)
    super.appended(message, sequence)
  }

  /** A message was not appended, because every place of the queue drops what comes. */
  turnedAway(message: Message): void {
    if (this.#countsAtOnce) this.#countEach(message, 0)
    else this.#turnedAway++
  }

  override tooOld(through: SequenceNumber): void {
    this.tooOldThrough = through
    for (const place of this.places) this.settle(place)
  }

  override settle(place: QueuePlace): void {
    if (place.isSkipping) {
      if (this.#hasDrained(place)) this.#take(place)
    } else if (this.mayBeFull || this.tooOldThrough > place.readThrough) this.#dropIfFull(place)
  }

  override caughtUp(place: QueuePlace): void {
    if (place.isSkipping) this.#take(place)
  }

  override tally(): void {
    for (const place of this.#dropping) this.#count(place)
  }

  protected override check(): void {
    for (const place of this.places) {
      if (place.isSkipping) this.#count(place)
      else this.#dropIfFull(place)
    }
    this.#keepLogBounded()
    const { messagesMax, bytesMax } = this.policy
    let messages = 0
    let bytes = 0
    for (const place of this.places) {
      if (place.isSkipping) continue
      const waiting = place.waiting()
      messages = Math.max(messages, waiting.messages)
      bytes = Math.max(bytes, waiting.bytes)
    }
    this.looked(messagesMax - messages, bytesMax - bytes)
  }

  get #countsAtOnce(): boolean {
    return this.#dropping.size <= COUNTED_AT_ONCE_MAX
  }

  #dropIfFull(place: QueuePlace): void {
    const { lastSequence } = this.queue
    const isFull = this.isReachedBy(place.waiting())
    if (!isFull && !this.#isTooOld(place)) return
    const after = isFull ? this.#fullFrom(place) : lastSequence
    const dropped = place.beginSkipping(after)
    this.#record(place, dropped)
    this.#drops(place)
  }

  /** The message with which a backlog came to its bound. */
  #fullFrom(place: QueuePlace): SequenceNumber {
    return firstPosition(place.readThrough, this.queue.lastSequence, (position) => this.isReachedBy(place.waiting(position)))
  }

  #hasDrained(place: QueuePlace): boolean {
    const { messages, bytes } = place.waiting()
    const { messagesMax, bytesMax } = this.policy
    const share = 1 - 1 / FREE_SHARE
    return messages <= messagesMax * share && bytes <= bytesMax * share && !this.#isTooOld(place)
  }

  #isTooOld(place: QueuePlace): boolean {
    return this.tooOldThrough > place.readThrough && place.waiting(this.tooOldThrough).messages > 0
  }

  #drops(place: QueuePlace): void {
    place.countedTurnedAway = this.#turnedAway
    this.#dropping.add(place)
    this.queue.countSkipping(1)
  }

  #take(place: QueuePlace): void {
    this.#count(place)
    this.#dropping.delete(place)
    this.queue.countSkipping(-1)
    place.endSkipping()
    this.mustLook()
  }

  #countEach(message: Message, sequence: SequenceNumber): void {
    for (const place of this.#dropping) {
      if (sequence > 0) place.countedThrough = sequence
      this.#fates.record('queue-full', message, place.consumer.key, this.policy.whenFull)
    }
  }

  #count(place: QueuePlace): void {
    const dropped = place.uncounted() + this.#turnedAway - place.countedTurnedAway
    place.countedThrough = this.queue.lastSequence
    place.countedTurnedAway = this.#turnedAway
    this.#record(place, dropped)
  }

  #record(place: QueuePlace, dropped: number): void {
    this.#fates.recordMany('queue-full', dropped, this.queue.topicFilter, place.consumer.key, this.policy.whenFull)
  }

  /**
   * What a place has given up stays in the log, behind what it waits for, as long as somebody else may need it. Where that
   * comes to more than the limits allow for any backlog, the oldest goes after all.
   */
  #keepLogBounded(): void {
    const messagesMax = Math.max(this.#limits.queuedMessagesMax, this.policy.messagesMax)
    const bytesMax = Math.max(this.#limits.queuedBytesMax, this.policy.bytesMax)
    const isBounded = ({ messages, bytes }: Backlog): boolean => messages <= messagesMax && bytes <= bytesMax
    if (isBounded(this.queue.held(slowestOf(this.places)))) return
    const through = this.queue.firstPosition(isBounded)
    for (const place of this.places) {
      if (place.readThrough >= through) continue
      this.#record(place, place.waiting(through).messages)
      place.giveUpThrough(through)
    }
  }
}
