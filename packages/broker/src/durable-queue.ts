import type { Backlog, QueueId, SequenceNumber, SequenceRange, Store } from '@godwit/storage'
import type { LogConsumer } from './log-consumer.ts'
import type { Message } from './message.ts'
import { NewestCohort } from './newest-cohort.ts'
import type { Cohort } from './overflow-cohort.ts'
import type { OverflowPolicy } from './overflow-rules.ts'
import type { Overflow } from './overflow.ts'
import { QueuePlace } from './queue-place.ts'
import { firstPosition } from './queue-positions.ts'
import { RefusingCohort } from './refusing-cohort.ts'

/** A queue is looked over at least this rarely while messages come: once per this many, or per consumer if there are more. */
const APPENDS_PER_TRIM_MIN = 64

/**
 * A queue of the log as the engine sees it: one topic filter, and the places of the consumers that read it, in cohorts
 * by what is done when one of them is behind too far. It is cut below the slowest of them.
 *
 * That is done once in so many messages, because it looks at every consumer: a broadcast to 100,000 offline sessions
 * must not cost anything per session and message.
 */
export class DurableQueue {
  readonly id: QueueId
  readonly topicFilter: string
  readonly #store: Store
  readonly #overflow: Overflow
  readonly #onMoved: (queue: DurableQueue) => void
  readonly #places = new Set<QueuePlace>()
  /** One, as long as there are no rules. */
  #cohorts: readonly Cohort[] = []
  /** Of the cohorts, those that refuse; undefined: none do. */
  #refusing: readonly RefusingCohort[] | undefined = undefined
  /** How many of the places drop whatever comes. */
  #skipping = 0
  #tookLast = true
  #trimmedThrough: SequenceNumber = 0
  #appendsUntilTrim = APPENDS_PER_TRIM_MIN
  /** Told of a change that may allow a cut; reset by `trim`. */
  #hasMoved = false

  /** @param onMoved called once after a change that may allow a cut, until the next `trim` */
  constructor(store: Store, topicFilter: string, overflow: Overflow, onMoved: (queue: DurableQueue) => void) {
    this.#store = store
    this.#overflow = overflow
    this.#onMoved = onMoved
    this.topicFilter = topicFilter
    this.id = store.openQueue(topicFilter)
  }

  get isUnused(): boolean {
    return this.#places.size === 0
  }

  /** How many read it. */
  get consumerCount(): number {
    return this.#places.size
  }

  get lastSequence(): SequenceNumber {
    return this.#store.lastSequence
  }

  /** Nobody needs anything up to here any more. */
  get trimmedThrough(): SequenceNumber {
    return this.#trimmedThrough
  }

  /** Why a message for this queue is to be refused; undefined: it is not. */
  get refusedBy(): OverflowPolicy | undefined {
    return this.#refusing?.find((cohort) => cohort.refuses)?.policy
  }

  /** Gives a consumer its place: what comes after `since`, and up to `until`, is for it, but for what it has given up. */
  add(consumer: LogConsumer, since: SequenceNumber, skipped: readonly SequenceRange[], until: SequenceNumber): QueuePlace {
    const cohort = this.#cohortOf(consumer, until !== Infinity)
    const place = new QueuePlace(consumer, this, cohort, this.#store, since, skipped, until)
    this.#places.add(place)
    place.cohort.add(place)
    if (place.isSkipping && !(place.cohort instanceof NewestCohort)) this.#overflow.inherit(place)
    return place
  }

  remove(place: QueuePlace): void {
    this.#places.delete(place)
    this.#leaveCohort(place)
    this.consumerMoved()
  }

  /** What comes from now on is not for a place: it must not count as a part of its backlog. */
  leaveLater(place: QueuePlace): void {
    place.cohort.settle(place)
    place.leaveLater()
    this.reconsider(place)
  }

  /** What comes after `since` is for a place again, if it was leaving. */
  rejoin(place: QueuePlace, since: SequenceNumber): void {
    if (!place.isLeaving) return
    place.rejoin(since)
    this.reconsider(place)
  }

  /** Another rule may apply to a backlog: its client has come by another listener, or it is left, or no longer. */
  reconsider(place: QueuePlace): void {
    const cohort = this.#cohortOf(place.consumer, place.isLeaving)
    if (cohort === place.cohort) return
    this.#leaveCohort(place)
    place.cohort = cohort
    cohort.add(place)
  }

  consumerMoved(): void {
    if (this.#hasMoved) return
    this.#hasMoved = true
    this.#onMoved(this)
  }

  /** Whether a message is to be appended for this queue: not if every place drops it. `appended` follows either way. */
  takes(): boolean {
    this.#tookLast = this.#skipping === 0 || this.#skipping < this.#places.size
    return this.#tookLast
  }

  /** A message was appended, for this queue if it took it, and has been offered to its consumers. */
  appended(message: Message, sequence: SequenceNumber): void {
    if (!this.#tookLast) {
      for (const cohort of this.#cohorts) if (cohort instanceof NewestCohort) cohort.turnedAway(message)
      return
    }
    // Not every message moves a consumer: one may be too large for its only subscriber, or its own.
    this.consumerMoved()
    for (const cohort of this.#cohorts) cohort.appended(message, sequence)
    if (--this.#appendsUntilTrim <= 0) this.trim()
  }

  /** Cuts off what every consumer has finished. */
  trim(): void {
    this.#hasMoved = false
    this.#appendsUntilTrim = Math.max(APPENDS_PER_TRIM_MIN, this.#places.size)
    if (this.#skipping > 0) for (const cohort of this.#cohorts) cohort.tally()
    let slowest = this.#store.lastSequence
    for (const { consumer } of this.#places) slowest = Math.min(slowest, consumer.finishedThrough(this))
    if (slowest <= this.#trimmedThrough) return
    this.#trimmedThrough = slowest
    this.#store.trimQueue(this.id, slowest)
  }

  /** What it holds after a sequence number. */
  held(after: SequenceNumber): Backlog {
    return this.#store.backlog({ queue: this.id, after })
  }

  /** The first position behind which the queue holds no more than is accepted. */
  firstPosition(isAccepted: (held: Backlog) => boolean): SequenceNumber {
    return firstPosition(this.#trimmedThrough, this.#store.lastSequence, (position) => isAccepted(this.held(position)))
  }

  /** One of the places has begun to drop whatever comes, or has stopped. */
  countSkipping(by: 1 | -1): void {
    this.#skipping += by
  }

  #cohortOf({ listener }: LogConsumer, isLeaving: boolean): Cohort {
    const policy = this.#overflow.policies.policyFor(listener, this.topicFilter, isLeaving)
    const known = this.#cohorts.find((cohort) => cohort.policy === policy)
    if (known !== undefined) return known
    const cohort = this.#overflow.cohort(this, policy)
    this.#setCohorts([...this.#cohorts, cohort])
    return cohort
  }

  #leaveCohort(place: QueuePlace): void {
    const { cohort } = place
    cohort.remove(place)
    if (cohort.places.size > 0) return
    this.#setCohorts(this.#cohorts.filter((other) => other !== cohort))
  }

  #setCohorts(cohorts: readonly Cohort[]): void {
    this.#cohorts = cohorts
    const refusing = cohorts.filter((cohort) => cohort instanceof RefusingCohort)
    this.#refusing = refusing.length === 0 ? undefined : refusing
  }
}
