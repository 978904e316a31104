import assert from 'node:assert'
import { MemoryQueue } from './memory-queue.ts'
import { MemoryRecords } from './memory-records.ts'
import { MemoryRetained } from './memory-retained.ts'
import { mergeQueues } from './merge-queues.ts'
import { messageBytes } from './message-bytes.ts'
import { RecordKeeper } from './record-keeper.ts'
import type { ProgressRecord, StoreContents } from './records.ts'
import type { Backlog, CommitNumber, Consumer, LogEntry, QueueId, QueuePosition, Store, StoreListener } from './store.ts'
import type { SequenceNumber, StoredMessage } from './stored-message.ts'

export interface MemoryStoreOptions {
  /** Calls back when the commit that has begun to gather is to be made. Default: as a microtask. */
  readonly schedule?: ((commit: () => void) => void) | undefined
}

/**
 * A store that lasts as long as its process. What it calls durable is in memory: it fits tests, and brokers that may
 * forget. Opened again after `close()`, the same object returns what it held, as a store on disk would to a broker that
 * was restarted.
 */
export class MemoryStore extends RecordKeeper implements Store {
  readonly #schedule: (commit: () => void) => void
  #listener: StoreListener | undefined = undefined
  #gatheringCommit: CommitNumber = 1
  #gathering = false

  #lastSequence: SequenceNumber = 0
  #lastQueue: QueueId = 0
  #logBytes = 0
  readonly #queues = new Map<QueueId, MemoryQueue>()
  readonly #queueIds = new Map<string, QueueId>()

  protected override readonly records: MemoryRecords = new MemoryRecords()
  protected override readonly retained: MemoryRetained = new MemoryRetained()
  readonly #touchedSessions = new Map<string, Consumer>()
  readonly #touchedGroups = new Map<string, Consumer>()

  constructor(options: MemoryStoreOptions = {}) {
    super()
    this.#schedule = options.schedule ?? queueMicrotask
  }

  async open(listener: StoreListener): Promise<StoreContents> {
    assert(this.#listener === undefined, 'the store is open already')
    this.#listener = listener
    const queues = Array.from(this.#queues, ([queue, { topicFilter }]) => ({ queue, topicFilter }))
    return { ...this.records.contents(), queues }
  }

  async close(): Promise<void> {
    while (this.#gathering) this.#commit()
    this.#listener = undefined
  }

  /** Memory does not fail. */
  get failure(): Error | undefined {
    return undefined
  }

  get gatheringCommit(): CommitNumber {
    return this.#gatheringCommit
  }

  /** Every commit is made at once. */
  hasten(): void {}

  get lastSequence(): SequenceNumber {
    return this.#lastSequence
  }

  openQueue(topicFilter: string): QueueId {
    const known = this.#queueIds.get(topicFilter)
    if (known !== undefined) return known
    this.change()
    const queue = ++this.#lastQueue
    this.#queueIds.set(topicFilter, queue)
    this.#queues.set(queue, new MemoryQueue(topicFilter))
    return queue
  }

  dropQueue(queue: QueueId): void {
    this.change()
    const dropped = this.#queues.get(queue)
    if (dropped === undefined) return
    this.#logBytes -= dropped.bytes
    this.#queues.delete(queue)
    this.#queueIds.delete(dropped.topicFilter)
  }

  trimQueue(queue: QueueId, through: SequenceNumber): void {
    this.change()
    const trimmed = this.#queues.get(queue)
    if (trimmed === undefined) return
    const before = trimmed.bytes
    trimmed.trim(through)
    this.#logBytes += trimmed.bytes - before
  }

  backlog(position: QueuePosition): Backlog {
    return this.#queues.get(position.queue)?.backlog(position.after) ?? { messages: 0, bytes: 0 }
  }

  get storedBytes(): number {
    return this.#logBytes + this.retained.bytes
  }

  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    this.change()
    const sequence = ++this.#lastSequence
    if (queues.length > 0) {
      const entry: LogEntry = { sequence, message, queues }
      const bytes = messageBytes(message)
      for (const queue of queues) this.#push(queue, entry, bytes)
    }
    return sequence
  }

  read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    const only = positions[0]
    if (only === undefined || positions.length > 1) return mergeQueues(this.#queues, positions, limit)
    return this.#queues.get(only.queue)?.read(only.after, limit) ?? []
  }

  override deleteSession(clientId: string): void {
    super.deleteSession(clientId)
    this.#touchedSessions.delete(clientId)
  }

  override deleteSharedGroup(filter: string): void {
    super.deleteSharedGroup(filter)
    this.#touchedGroups.delete(filter)
  }

  touch(consumer: Consumer): void {
    this.change()
    if (consumer.kind === 'session') this.#touchedSessions.set(consumer.key, consumer)
    else this.#touchedGroups.set(consumer.key, consumer)
  }

  #push(queue: QueueId, entry: LogEntry, bytes: number): void {
    const pushed = this.#queues.get(queue)
    if (pushed === undefined) return
    pushed.push(entry, bytes)
    this.#logBytes += bytes
  }

  /** The first change after a commit schedules the next one; all others cost one comparison. */
  protected override change(): void {
    if (this.#gathering) return
    assert(this.#listener !== undefined, 'the store is not open')
    this.#gathering = true
    const commit = this.#gatheringCommit
    this.#schedule(() => {
      // close() may have made this commit already.
      if (this.#gathering && this.#gatheringCommit === commit) this.#commit()
    })
  }

  #commit(): void {
    if (this.#touchedSessions.size > 0) {
      for (const [clientId, consumer] of this.#touchedSessions) write(this.records.sessionProgress(clientId), consumer)
      this.#touchedSessions.clear()
    }
    if (this.#touchedGroups.size > 0) {
      for (const [filter, consumer] of this.#touchedGroups) write(this.records.groupProgress(filter), consumer)
      this.#touchedGroups.clear()
    }
    this.#gathering = false
    const commit = this.#gatheringCommit++
    this.#listener?.onCommitted(commit)
  }
}

/** A consumer that the store does not hold (any longer) is not asked. */
function write(held: { progress: ProgressRecord } | undefined, consumer: Consumer): void {
  if (held !== undefined) held.progress = consumer.progress()
}
