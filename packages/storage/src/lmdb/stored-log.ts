import { mergeCursors } from '../merge-cursors.ts'
import { messageBytes } from '../message-bytes.ts'
import type { QueueRecord } from '../records.ts'
import type { Backlog, LogEntry, QueueId, QueuePosition } from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'
import type { Batch } from './batch.ts'
import { ByteReader } from './byte-reader.ts'
import type { Trim } from './commit-messages.ts'
import type { DataFile } from './data-file.ts'
import { heldThrough } from './log-runs.ts'
import { numberedKey, numberOfKey, RecordKind, throughOfTrim, trimValue, writeIndexEntry, writeLogValue } from './layout.ts'
import { recordsOf } from './scan-records.ts'
import { StoredQueue, type Extent } from './stored-queue.ts'
import { StoredQueueCursor } from './stored-queue-cursor.ts'

const NOTHING: Backlog = { messages: 0, bytes: 0 }

/** The log and its queues. In memory: a small record for each queue, and what is not known to be on disk yet. */
export class StoredLog {
  readonly #file: DataFile
  readonly #batch: Batch
  readonly #queues = new Map<QueueId, StoredQueue>()
  readonly #queueIds = new Map<string, QueueId>()
  /** Queues of which something that was cut may be on disk; some of them are dropped. */
  readonly #beingCut = new Map<QueueId, StoredQueue>()
  /** Appended since the last commit began. */
  #appended: LogEntry[] = []
  /** Queues that commits have added to since the last merge began. */
  readonly #growing = new Set<StoredQueue>()
  /** Queues that the merge under way adds to. */
  readonly #merging = new Set<StoredQueue>()
  #lastSequence: SequenceNumber = 0
  #lastWritten: SequenceNumber = 0
  #lastQueue: QueueId = 0
  #bytes = 0

  constructor(file: DataFile, batch: Batch) {
    this.#file = file
    this.#batch = batch
  }

  get lastSequence(): SequenceNumber {
    return this.#lastSequence
  }

  /** The highest sequence number of those that are on disk, or in a commit that has begun. */
  get lastWritten(): SequenceNumber {
    return this.#lastWritten
  }

  get lastQueue(): QueueId {
    return this.#lastQueue
  }

  /** The queues that there are. */
  get records(): QueueRecord[] {
    return Array.from(this.#queues.values(), ({ id, topicFilter }) => ({ queue: id, topicFilter }))
  }

  /** What the queues' messages measure, once for each queue. */
  get bytes(): number {
    return this.#bytes
  }

  load(lastSequence: SequenceNumber, lastQueue: QueueId): void {
    this.#lastSequence = lastSequence
    this.#lastQueue = lastQueue
    const { tables } = this.#file
    const trims = new Map<QueueId, SequenceNumber>()
    for (const { key, value } of recordsOf(tables, RecordKind.Trim)) trims.set(numberOfKey(key), throughOfTrim(value))
    for (const { key, value } of recordsOf(tables, RecordKind.Queue)) {
      const queue = new StoredQueue(numberOfKey(key), new ByteReader(value).text())
      this.#queues.set(queue.id, queue)
      this.#queueIds.set(queue.topicFilter, queue.id)
      this.#loadQueue(queue, trims.get(queue.id) ?? 0)
    }
    for (const [id, through] of trims) {
      const queue = this.#queues.get(id) ?? droppedQueue(id, through)
      this.#beingCut.set(id, queue)
    }
  }

  /** False: the queue is there already, and nothing was changed. */
  openQueue(topicFilter: string): { readonly queue: QueueId; readonly isNew: boolean } {
    const known = this.#queueIds.get(topicFilter)
    if (known !== undefined) return { queue: known, isNew: false }
    const queue = ++this.#lastQueue
    this.#queueIds.set(topicFilter, queue)
    this.#queues.set(queue, new StoredQueue(queue, topicFilter))
    this.#batch.put('records', numberedKey(RecordKind.Queue, queue)).text(topicFilter)
    this.#batch.end()
    return { queue, isNew: true }
  }

  dropQueue(id: QueueId): void {
    const queue = this.#queues.get(id)
    if (queue === undefined) return
    this.#bytes -= queue.bytes
    this.#queues.delete(id)
    this.#queueIds.delete(queue.topicFilter)
    this.#batch.delete('records', numberedKey(RecordKind.Queue, id))
    this.#cut(queue, this.#lastSequence)
    if (!queue.isBeingCut) return
    // After a crash nobody else knows of it.
    this.#batch.put('records', numberedKey(RecordKind.Trim, id)).raw(trimValue(this.#lastSequence))
    this.#batch.end()
  }

  trimQueue(id: QueueId, through: SequenceNumber): void {
    const queue = this.#queues.get(id)
    if (queue === undefined) return
    const reached = Math.min(through, this.#lastSequence)
    if (reached <= queue.trimmedThrough) return
    const { bytes } = backlogOf(this.#file, queue, reached)
    this.#bytes += bytes - queue.bytes
    queue.bytes = bytes
    this.#cut(queue, reached)
  }

  backlog({ queue: id, after }: QueuePosition): Backlog {
    const queue = this.#queues.get(id)
    return queue === undefined ? NOTHING : backlogOf(this.#file, queue, after)
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    const sequence = ++this.#lastSequence
    if (queues.length === 0) return sequence
    const entry: LogEntry = { sequence, message, queues }
    const bytes = messageBytes(message)
    for (const id of queues) {
      const queue = this.#queues.get(id)
      if (queue === undefined) continue
      queue.tail.push(entry, bytes)
      queue.bytes += bytes
      this.#bytes += bytes
    }
    this.#appended.push(entry)
    return sequence
  }

  read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    const { log } = this.#file
    const cursors: StoredQueueCursor[] = []
    for (const { queue: id, after } of positions) {
      const queue = this.#queues.get(id)
      if (queue === undefined) continue
      const cursor = new StoredQueueCursor(log, queue, after, Math.ceil(limit / positions.length))
      if (cursor.advance()) cursors.push(cursor)
    }
    return mergeCursors(cursors, limit)
  }

  /**
   * Writes what was appended, for the commit that begins, but for what every queue has been cut past meanwhile: that never
   * reaches the disk.
   */
  write(): void {
    const appended = this.#appended
    this.#appended = []
    for (const entry of appended) {
      const holders = this.#holders(entry)
      if (holders > 0) this.#writeEntry(entry, holders === 1)
    }
  }

  /** The cuts that the commit that begins is to make, or to go on with. */
  trims(): readonly Trim[] {
    if (this.#beingCut.size === 0) return NO_TRIMS
    const trims: Trim[] = []
    for (const queue of this.#beingCut.values()) {
      if (queue.isBeingCut) trims.push({ queue: queue.id, through: queue.trimmedThrough })
      else this.#beingCut.delete(queue.id)
    }
    return trims
  }

  /** What was written by now is being merged into the tables, with what an earlier merge failed to. */
  beginMerge(): void {
    for (const queue of this.#growing) this.#merging.add(queue)
    this.#growing.clear()
    for (const queue of this.#merging) queue.beginMerge()
  }

  /** What was being merged is in the tables, and all has been cut but some of the `unfinished`. */
  land(trims: readonly Trim[], unfinished: readonly QueueId[]): void {
    for (const queue of this.#merging) queue.land()
    this.#merging.clear()
    const goOn = new Set(unfinished)
    for (const { queue: id, through } of trims) {
      const queue = this.#beingCut.get(id)
      if (queue === undefined || goOn.has(id)) continue
      queue.freedThrough = through
      if (!queue.isBeingCut) this.#beingCut.delete(id)
    }
  }

  #cut(queue: StoredQueue, through: SequenceNumber): void {
    queue.trimmedThrough = through
    queue.tail.trim(through)
    this.#beingCut.set(queue.id, queue)
  }

  #holders({ sequence, queues }: LogEntry): number {
    let holders = 0
    for (const id of queues) if (this.#holds(id, sequence) !== undefined) holders++
    return holders
  }

  #holds(id: QueueId, sequence: SequenceNumber): StoredQueue | undefined {
    const queue = this.#queues.get(id)
    return queue === undefined || sequence <= queue.trimmedThrough ? undefined : queue
  }

  #writeEntry({ sequence, message, queues }: LogEntry, isOnly: boolean): void {
    writeLogValue(this.#batch.putLog(sequence), queues, message)
    this.#batch.end()
    this.#lastWritten = sequence
    const bytes = messageBytes(message)
    for (const id of queues) {
      const queue = this.#holds(id, sequence)
      if (queue === undefined) continue
      const { written } = queue
      const entry = { isOnly, messagesBefore: written.messages, bytesBefore: written.bytes, bytes }
      writeIndexEntry(this.#batch.putIndex(id, sequence), entry)
      this.#batch.end()
      written.messages++
      written.bytes += bytes
      written.last = sequence
      this.#growing.add(queue)
    }
  }

  #loadQueue(queue: StoredQueue, trimmedThrough: SequenceNumber): void {
    const last = this.#file.log.last(queue.id)
    if (last === undefined) return
    Object.assign(queue.written, { last: last.last, ...heldThrough(last, Infinity) } satisfies Extent)
    this.#lastWritten = Math.max(this.#lastWritten, queue.written.last)
    queue.beginMerge()
    queue.land()
    queue.trimmedThrough = trimmedThrough
    queue.bytes = backlogOf(this.#file, queue, 0).bytes
    this.#bytes += queue.bytes
  }
}

const NO_TRIMS: readonly Trim[] = []

/** Two halvings: one in the tree on disk, one in the tail. */
function backlogOf(file: DataFile, queue: StoredQueue, after: SequenceNumber): Backlog {
  const { id, stored, tail, trimmedThrough } = queue
  const from = Math.max(after, trimmedThrough)
  const behind = tail.backlog(from)
  if (stored.last <= from) return behind
  const first = file.log.first(id, from, stored.last)
  if (first === undefined) return behind
  const before = heldThrough(first, from)
  return {
    messages: stored.messages - before.messages + behind.messages,
    bytes: stored.bytes - before.bytes + behind.bytes
  }
}

/** A queue that was dropped before the store was opened, and is still being cut. */
function droppedQueue(id: QueueId, through: SequenceNumber): StoredQueue {
  const queue = new StoredQueue(id, '')
  queue.trimmedThrough = through
  queue.written.last = through
  return queue
}
