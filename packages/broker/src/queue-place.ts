import { type Backlog, type LogEntry, OPEN_END, type SequenceNumber, type SequenceRange, type Store } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import type { LogConsumer } from './log-consumer.ts'
import type { Cohort } from './overflow-cohort.ts'
import { firstPosition } from './queue-positions.ts'

const NOTHING: Backlog = { messages: 0, bytes: 0 }
/** Past so many, what came while it was leaving counts as waiting: the record of the place has to stay short. */
const SKIPPED_MAX = 32

/**
 * A consumer's place in one of its queues: what of the queue is for it, and what it has given up because too much waited.
 *
 * ```
 *        since      read through          skipped          skipped, open
 *   ───────┼──────────────┼───────────[░░░░░░░░░]──────────[░░░░░░░░░░░░░▷
 *   not    │  dealt with  │  waits     given up   waits    given up, and so is whatever comes
 *   for it
 * ```
 */
export class QueuePlace {
  readonly consumer: LogConsumer
  readonly queue: DurableQueue
  readonly #store: Store
  /** With those that have the same policy. */
  cohort: Cohort
  /** Where the count of what is given up has come to, while something is. */
  countedThrough: SequenceNumber
  countedTurnedAway = 0
  /** What comes after is for the consumer, as far as it has not been given up. */
  #since: SequenceNumber
  #skipped: SequenceRange[]
  /** What comes after is not: only what waits up to here is still read. */
  #until: SequenceNumber

  constructor(
    consumer: LogConsumer,
    queue: DurableQueue,
    cohort: Cohort,
    store: Store,
    since: SequenceNumber,
    skipped: readonly SequenceRange[],
    until: SequenceNumber
  ) {
    this.consumer = consumer
    this.queue = queue
    this.cohort = cohort
    this.#store = store
    this.#since = since
    this.#skipped = [...skipped]
    this.#until = until
    this.countedThrough = store.lastSequence
  }

  get since(): SequenceNumber {
    return this.#since
  }

  get skipped(): readonly SequenceRange[] {
    return this.#skipped
  }

  /** Whether what comes now is not for the consumer, which reads what waits and is then done with the queue. */
  get isLeaving(): boolean {
    return this.#until !== Infinity
  }

  /** Whether what comes now is given up. */
  get isSkipping(): boolean {
    return this.#skipped.at(-1)?.through === OPEN_END
  }

  /** Whether it is still the consumer's. */
  get isTaken(): boolean {
    return this.cohort.places.has(this)
  }

  /** Up to where the queue has been looked at: what comes after still waits. */
  get readThrough(): SequenceNumber {
    return Math.max(this.consumer.lookedAtThrough, this.#since)
  }

  /** Where reading goes on: past what was given up. */
  readFrom(position: SequenceNumber): SequenceNumber {
    let from = Math.max(position, this.#since)
    for (const { after, through } of this.#skipped) {
      if (after <= from && from < through) from = Math.min(through, this.#store.lastSequence)
    }
    return from < this.#until ? from : Math.max(from, this.#store.lastSequence)
  }

  /** Whether a message of the queue is for the consumer. */
  covers(sequence: SequenceNumber): boolean {
    if (sequence <= this.#since || sequence > this.#until) return false
    return !this.#skipped.some(({ after, through }) => after < sequence && sequence <= through)
  }

  /** Whether a message that was not looked at is for the consumer, and was not before a restart. */
  awaits({ sequence }: LogEntry): boolean {
    return this.covers(sequence) && !this.consumer.hadInHand(sequence)
  }

  /** What waits for the consumer, up to a sequence number. */
  waiting(upTo: SequenceNumber = Infinity): Backlog {
    const from = this.readThrough
    const through = Math.min(upTo, this.#until)
    if (from >= Math.min(through, this.#store.lastSequence)) return NOTHING
    let waiting = this.#between(from, through)
    for (const skipped of this.#skipped) {
      waiting = minus(waiting, this.#between(Math.max(from, skipped.after), Math.min(through, skipped.through)))
    }
    // After a restart reading begins anew; what the consumer has in hand, or has finished, does not wait.
    for (const sequence of this.consumer.restored) {
      if (from < sequence && sequence <= through) waiting = minus(waiting, this.#between(sequence - 1, sequence))
    }
    return waiting
  }

  /** The first position behind which no more waits for the consumer than is accepted. */
  firstPosition(isAccepted: (waiting: Backlog) => boolean): SequenceNumber {
    const waiting = this.waiting()
    return firstPosition(this.readThrough, this.#store.lastSequence, (position) =>
      isAccepted(minus(waiting, this.waiting(position)))
    )
  }

  /** How many messages have been given up since they were last counted. */
  uncounted(): number {
    const open = this.#skipped.at(-1)
    return open?.through === OPEN_END ? this.#between(Math.max(this.countedThrough, open.after), OPEN_END).messages : 0
  }

  /** Gives up everything up to a sequence number. */
  giveUpThrough(through: SequenceNumber): void {
    if (through <= this.#since) return
    this.#since = through
    this.#skipped = this.#skipped.filter((skipped) => skipped.through > through)
    this.consumer.gaveUp(this, through)
  }

  /** Gives up everything after a sequence number, until `endSkipping`. Returns how many messages those are by now. */
  beginSkipping(after: SequenceNumber): number {
    const dropped = this.waiting().messages - this.waiting(after).messages
    const finishedThrough = this.consumer.finishedThrough(this.queue)
    this.#skipped = this.#skipped.filter((skipped) => skipped.through > finishedThrough && skipped.after < after)
    this.#skip(after, OPEN_END)
    this.countedThrough = this.#store.lastSequence
    this.consumer.gaveUp(this, 0)
    return dropped
  }

  /** Takes what comes from now on. */
  endSkipping(): void {
    const open = this.#skipped.pop()
    if (open === undefined) return
    const through = this.#store.lastSequence
    if (through > open.after) this.#skip(open.after, through)
    this.consumer.gaveUp(this, 0)
  }

  /** What comes from now on is not for the consumer. */
  leaveLater(): void {
    this.#until = this.#store.lastSequence
  }

  /** What comes after `since` is for the consumer again; what came since it began to leave is not. */
  rejoin(since: SequenceNumber): void {
    const finishedThrough = this.consumer.finishedThrough(this.queue)
    this.#skipped = this.#skipped.filter((skipped) => skipped.through > finishedThrough)
    if (since > this.#until && this.#skipped.length < SKIPPED_MAX) this.#skip(this.#until, since)
    this.#until = Infinity
  }

  /** Adds to what is skipped, behind all of it: to the last part of it, if nothing is between them. */
  #skip(after: SequenceNumber, through: SequenceNumber): void {
    const last = this.#skipped.at(-1)
    const isAdjacent = last !== undefined && this.#between(last.through, after).messages === 0
    if (isAdjacent) this.#skipped.pop()
    this.#skipped.push({ after: isAdjacent ? last.after : after, through })
  }

  #between(after: SequenceNumber, through: SequenceNumber): Backlog {
    if (through <= after) return NOTHING
    const held = this.queue.held(after)
    return through >= this.#store.lastSequence ? held : minus(held, this.queue.held(through))
  }
}

function minus(a: Backlog, b: Backlog): Backlog {
  return { messages: a.messages - b.messages, bytes: a.bytes - b.bytes }
}
