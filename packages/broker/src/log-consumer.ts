import type {
  Consumer,
  InflightRecord,
  LogEntry,
  ProgressRecord,
  QueuePosition,
  SequenceNumber,
  SequenceRange,
  Store
} from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import type { QueuePlace } from './queue-place.ts'

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
  readonly #onCut: () => void
  readonly #onGaveUp: (place: QueuePlace) => void
  /** The queues it reads. */
  readonly #places = new Map<DurableQueue, QueuePlace>()
  #listener: string | undefined
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

  /**
   * @param onCut told when messages in flight may not be in the log any longer
   * @param onGaveUp told when a place has to be stored, because it has given something up
   */
  constructor(
    kind: 'session' | 'group',
    key: string,
    store: Store,
    sentRecords: () => SentRecords,
    onCut: () => void = () => {},
    onGaveUp: (place: QueuePlace) => void = () => {}
  ) {
    this.kind = kind
    this.key = key
    this.#store = store
    this.#sentRecords = sentRecords
    this.#onCut = onCut
    this.#onGaveUp = onGaveUp
    this.#listener = kind === 'session' ? '' : undefined
    this.#begin = store.lastSequence
    this.#position = store.lastSequence
  }

  get caughtUp(): boolean {
    return this.#caughtUp
  }

  /** The name of the listener by which its client last connected; '': not known; undefined: it has no client of its own. */
  get listener(): string | undefined {
    return this.#listener
  }

  /** Up to where its queues have been looked at. */
  get lookedAtThrough(): SequenceNumber {
    return this.#caughtUp ? this.#store.lastSequence : this.#position
  }

  /** What it had finished, or in hand, before a restart, as far as reading has not come to it again. */
  get restored(): Iterable<SequenceNumber> {
    return this.#restoredFinished.size === 0 ? this.#restoredInflight : [...this.#restoredFinished, ...this.#restoredInflight]
  }

  /** Whether a message is among the `restored`. */
  hadInHand(sequence: SequenceNumber): boolean {
    return this.#restoredFinished.has(sequence) || this.#restoredInflight.has(sequence)
  }

  /** Its client has connected by a listener, or did before a restart. */
  cameBy(listener: string): void {
    if (listener === this.#listener) return
    this.#listener = listener
    for (const [queue, place] of this.#places) queue.reconsider(place)
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

  /** Reads a queue as well, after `since` and up to `until`, but for what it has given up; or no longer leaves it. */
  join(
    queue: DurableQueue,
    since: SequenceNumber,
    skipped: readonly SequenceRange[] = [],
    until: SequenceNumber = Infinity
  ): void {
    const place = this.#places.get(queue)
    if (place === undefined) this.#places.set(queue, queue.add(this, since, skipped, until))
    else queue.rejoin(place, since)
  }

  /** Reads on what waits in a queue, and nothing that comes from now on; `leave` follows. */
  leaveLater(queue: DurableQueue): void {
    const place = this.#places.get(queue)
    if (place !== undefined) queue.leaveLater(place)
  }

  leave(queue: DurableQueue): void {
    const place = this.#places.get(queue)
    if (place === undefined) return
    this.#places.delete(queue)
    queue.remove(place)
    this.#cut(this.#store.lastSequence)
  }

  /** Whether a message in flight can be read back from the log after a restart. */
  holds(sequence: SequenceNumber): boolean {
    return sequence > this.#cutThrough && sequence > this.#begin
  }

  reads(queue: DurableQueue): boolean {
    return this.#places.has(queue)
  }

  /** Its place in a queue that it reads. */
  placeIn(queue: DurableQueue): QueuePlace | undefined {
    return this.#places.get(queue)
  }

  /** Its place in the queue of a topic filter; they are asked one by one. */
  placeOf(topicFilter: string): QueuePlace | undefined {
    for (const [queue, place] of this.#places) if (queue.topicFilter === topicFilter) return place
    return undefined
  }

  /** How many messages of a queue, up to a sequence number, still wait for this consumer. */
  waiting(queue: DurableQueue, through: SequenceNumber = Infinity): number {
    return this.#places.get(queue)?.waiting(through).messages ?? 0
  }

  /** Whether a message is for it by another queue than one of its own. */
  isHeldElsewhere({ queues, sequence }: LogEntry, place: QueuePlace): boolean {
    for (const other of this.#places.values()) {
      if (other !== place && queues.includes(other.queue.id) && other.covers(sequence)) return true
    }
    return false
  }

  /** Everything up to here is finished, as far as one queue is concerned. */
  finishedThrough(queue: DurableQueue): SequenceNumber {
    return Math.max(this.#finishedThrough(), this.#places.get(queue)?.since ?? 0)
  }

  /** A new message that is not taken: from here on the log is read. */
  fallBehind(sequence: SequenceNumber): void {
    // None of its queues took the message: it has given up what comes.
    if (sequence === 0) return
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
    for (const [queue, place] of this.#places) positions.push({ queue: queue.id, after: place.readFrom(this.#position) })
    return positions
  }

  /** Whether a message now read was sent or finished before a restart; then there is nothing more to do for it. */
  isRestored(sequence: SequenceNumber): boolean {
    if (this.#restoredFinished.size === 0 && this.#restoredInflight.size === 0) return false
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
    for (const place of this.#places.values()) place.cohort.caughtUp(place)
    // What was finished before a restart may still be in the log.
    this.#moved()
  }

  /** A message is on its way to a client. */
  sent(sequence: SequenceNumber): void {
    this.#sent.push(sequence)
  }

  /** A message that was sent is finished with: acknowledged, refused, or beyond delivery. */
  finish(sequence: SequenceNumber): void {
    if (this.#restoredInflight.size > 0 && this.#restoredInflight.delete(sequence)) {
      if (sequence > this.lookedAtThrough) this.#restoredFinished.add(sequence)
    } else if (this.#sent[this.#sentHead] === sequence && sequence < this.#oldestRestored) {
      this.#sentHead++
    } else {
      this.#finished.add(sequence)
      return
    }
    this.#passFinished()
    this.#moved()
  }

  /** It is about to go past what it has read, or has done so: that may change what it gives up. */
  settle(): void {
    for (const place of this.#places.values()) place.cohort.settle(place)
  }

  /** Its client is back: it reads on. */
  resume(): void {
    for (const place of this.#places.values()) place.cohort.resumed(place)
  }

  /** One of its places has given something up: a part of its queue, or everything up to `through`. */
  gaveUp(place: QueuePlace, through: SequenceNumber): void {
    this.#onGaveUp(place)
    if (through === 0) return
    this.#cut(through)
    place.queue.consumerMoved()
  }

  progress(): ProgressRecord {
    const cursor = this.#finishedThrough()
    const finished = [...this.#finished, ...this.#restoredFinished].filter((sequence) => sequence > cursor)
    return { cursor, finished: finished.sort((a, b) => a - b), ...this.#sentRecords() }
  }

  /** From here on what is in flight up to `through` has to be kept by itself. */
  #cut(through: SequenceNumber): void {
    this.#cutThrough = Math.max(this.#cutThrough, through)
    if (this.#sentHead < this.#sent.length || this.#restoredInflight.size > 0) this.#onCut()
  }

  #passFinished(): void {
    for (;;) {
      const next = this.#sent[this.#sentHead]
      // Where a queue was cut, what was in flight before a restart is not come upon in reading, and may be the oldest.
      if (next === undefined || next > this.#oldestRestored || !this.#finished.delete(next)) break
      this.#sentHead++
    }
    if (this.#sentHead > 256 && this.#sentHead * 2 > this.#sent.length) {
      this.#sent = this.#sent.slice(this.#sentHead)
      this.#sentHead = 0
    }
  }

  /** The cursor: what was looked at needs nothing more, up to the oldest that was sent and is unfinished. */
  #finishedThrough(): SequenceNumber {
    const oldestSent = this.#sent[this.#sentHead] ?? Infinity
    return Math.max(this.#begin, Math.min(this.lookedAtThrough, oldestSent - 1, this.#oldestRestored - 1))
  }

  get #oldestRestored(): SequenceNumber {
    if (this.#restoredInflight.size === 0) return Infinity
    const { value: oldest = Infinity } = this.#restoredInflight.values().next()
    return oldest
  }

  #moved(): void {
    for (const queue of this.#places.keys()) queue.consumerMoved()
  }
}
