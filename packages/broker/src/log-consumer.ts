import type { Consumer, InflightRecord, ProgressRecord, QueuePosition, SequenceNumber, Store } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'

/** The part of a consumer's progress that is its owner's: what a session has sent under which identifiers. */
export interface SentRecords {
  readonly inflight: readonly InflightRecord[]
  readonly released: readonly number[]
}

/**
 * A position in the log: how a durable session, or a shared subscription's group, works through its queues.
 *
 * ```
 *            cursor            position                  lastSequence
 *   ───────────┼─────────────────┼─────────────────────────────┼──▷
 *    finished  │ sent; some of   │  not looked at yet; nothing │
 *              │ it finished     │  here when `caughtUp`       │
 * ```
 * Caught up, a consumer is offered each new message as it is appended, and takes it or falls behind. Behind, it reads
 * on from the log whenever it has room, until it has caught up: nothing is copied for it meanwhile.
 */
export class LogConsumer implements Consumer {
  readonly kind: 'session' | 'group'
  readonly key: string
  readonly #store: Store
  readonly #sentRecords: () => SentRecords
  /** The queues it reads, each with the sequence number after which it has something for this consumer. */
  readonly #queues = new Map<DurableQueue, SequenceNumber>()
  /** Where it began: nothing up to here is for it. */
  #begin: SequenceNumber
  #position: SequenceNumber
  #caughtUp = true
  /** The latest message that was offered while behind. */
  #latestOffered: SequenceNumber = 0
  /** Up to here a queue was left or cut back: what is in flight may not be in the log any more. */
  #cutThrough: SequenceNumber = 0
  /** What was sent, rising; up to `#sentHead` it is finished, and the cursor past it. */
  #sent: SequenceNumber[] = []
  #sentHead = 0
  /** Finished, though something sent before is not. */
  readonly #finished = new Set<SequenceNumber>()
  /** After a restart: finished, or sent, already; reading passes over them. The latter rise, and hold the cursor back. */
  readonly #restoredFinished = new Set<SequenceNumber>()
  readonly #restoredInflight = new Set<SequenceNumber>()

  constructor(kind: 'session' | 'group', key: string, store: Store, sentRecords: () => SentRecords) {
    this.kind = kind
    this.key = key
    this.#store = store
    this.#sentRecords = sentRecords
    this.#begin = store.lastSequence
    this.#position = store.lastSequence
  }

  get caughtUp(): boolean {
    return this.#caughtUp
  }

  /** Goes on from where a stored consumer stood; what of its queues is in flight, its owner has in hand again. */
  restore(progress: ProgressRecord, inflight: readonly SequenceNumber[]): void {
    this.#begin = progress.cursor
    this.#position = progress.cursor
    this.#caughtUp = false
    for (const sequence of progress.finished) this.#restoredFinished.add(sequence)
    for (const sequence of inflight.toSorted((a, b) => a - b)) {
      if (sequence > progress.cursor) this.#restoredInflight.add(sequence)
    }
  }

  /** Reads a queue as well, from after `since` on. */
  join(queue: DurableQueue, since: SequenceNumber): void {
    if (this.#queues.has(queue)) return
    this.#queues.set(queue, since)
    queue.add(this)
  }

  leave(queue: DurableQueue): void {
    if (!this.#queues.delete(queue)) return
    queue.remove(this)
    this.#cut(this.#store.lastSequence)
  }

  /** Whether a message in flight can be read back from the log after a restart. */
  holds(sequence: SequenceNumber): boolean {
    return sequence > this.#cutThrough
  }

  /** A queue is to be left once it has been read, and cannot be read back from after a restart. */
  leaveLater(): void {
    this.#cut(this.#store.lastSequence)
  }

  reads(queue: DurableQueue): boolean {
    return this.#queues.has(queue)
  }

  /** How many messages of a queue, up to a sequence number, still wait for this consumer. */
  waiting(queue: DurableQueue, through: SequenceNumber = Infinity): number {
    const after = this.readThrough(queue)
    if (through <= after) return 0
    const { messages } = this.#store.backlog({ queue: queue.id, after })
    return through === Infinity ? messages : messages - this.#store.backlog({ queue: queue.id, after: through }).messages
  }

  /** Everything up to here is finished, as far as one queue is concerned. */
  finishedThrough(queue: DurableQueue): SequenceNumber {
    return Math.max(this.#finishedThrough(), this.#queues.get(queue) ?? 0)
  }

  /** Up to where a queue has been looked at: what comes after still waits. */
  readThrough(queue: DurableQueue): SequenceNumber {
    return Math.max(this.#lookedAtThrough, this.#queues.get(queue) ?? 0)
  }

  /** A new message that is not taken: from here on the log is read. */
  fallBehind(sequence: SequenceNumber): void {
    this.#latestOffered = Math.max(this.#latestOffered, sequence)
    // Paused between its append and its offer, it would otherwise be taken for one that has been looked at.
    if (this.#caughtUp || this.#position >= sequence) this.#position = sequence - 1
    this.#caughtUp = false
  }

  /** The owner cannot be offered anything any longer: whatever comes from now on is read later. */
  pause(): void {
    if (!this.#caughtUp) return
    this.#caughtUp = false
    this.#position = this.#store.lastSequence
  }

  /** The next messages, and whether the log ended with them as it then was. */
  positions(): QueuePosition[] {
    const positions: QueuePosition[] = []
    for (const [queue, since] of this.#queues) positions.push({ queue: queue.id, after: Math.max(since, this.#position) })
    return positions
  }

  /** Whether a message now read was sent or finished before a restart; then there is nothing more to do for it. */
  isRestored(sequence: SequenceNumber): boolean {
    const isFinished = this.#restoredFinished.delete(sequence)
    if (!isFinished && !this.#restoredInflight.delete(sequence)) return false
    this.#sent.push(sequence)
    if (isFinished) this.finish(sequence)
    return true
  }

  /** A message of the log has been looked at; they come in rising order. */
  advance(sequence: SequenceNumber): void {
    if (sequence <= this.#position) return
    this.#position = sequence
    this.#moved()
  }

  /** The log has been read to its end as it was at `sequence`. */
  reachedEnd(sequence: SequenceNumber): void {
    this.advance(sequence)
    if (this.#position < this.#latestOffered) return
    this.#caughtUp = true
    this.#restoredFinished.clear()
    // What was finished before a restart may still be in the log.
    this.#moved()
  }

  /** A message is on its way to a client. */
  sent(sequence: SequenceNumber): void {
    this.#sent.push(sequence)
  }

  /** A message that was sent is finished with: acknowledged, refused, or beyond delivery. */
  finish(sequence: SequenceNumber): void {
    if (this.#restoredInflight.delete(sequence)) {
      if (sequence > this.#lookedAtThrough) this.#restoredFinished.add(sequence)
    } else if (this.#sent[this.#sentHead] === sequence) {
      this.#sentHead++
      this.#passFinished()
    } else {
      this.#finished.add(sequence)
      return
    }
    this.#moved()
  }

  /** Gives up what waits in a queue up to a sequence number. */
  skip(queue: DurableQueue, through: SequenceNumber): void {
    this.#queues.set(queue, Math.max(through, this.#queues.get(queue) ?? 0))
    this.#cut(through)
  }

  progress(): ProgressRecord {
    const cursor = this.#finishedThrough()
    const finished = [...this.#finished, ...this.#restoredFinished].filter((sequence) => sequence > cursor)
    return { cursor, finished: finished.sort((a, b) => a - b), ...this.#sentRecords() }
  }

  /** From here on what is in flight up to `through` is recorded with its message. */
  #cut(through: SequenceNumber): void {
    this.#cutThrough = Math.max(this.#cutThrough, through)
    if (this.#sentHead < this.#sent.length || this.#restoredInflight.size > 0) this.#store.touch(this)
  }

  #passFinished(): void {
    for (;;) {
      const next = this.#sent[this.#sentHead]
      if (next === undefined || !this.#finished.delete(next)) break
      this.#sentHead++
    }
    if (this.#sentHead > 256 && this.#sentHead * 2 > this.#sent.length) {
      this.#sent = this.#sent.slice(this.#sentHead)
      this.#sentHead = 0
    }
  }

  get #lookedAtThrough(): SequenceNumber {
    return this.#caughtUp ? this.#store.lastSequence : this.#position
  }

  /** The cursor: what was looked at needs nothing more, up to the oldest that was sent and is unfinished. */
  #finishedThrough(): SequenceNumber {
    const { value: oldestRestored = Infinity } = this.#restoredInflight.values().next()
    const oldestSent = this.#sent[this.#sentHead] ?? Infinity
    return Math.max(this.#begin, Math.min(this.#lookedAtThrough, oldestSent - 1, oldestRestored - 1))
  }

  #moved(): void {
    for (const queue of this.#queues.keys()) queue.consumerMoved()
  }
}
