import type { MemoryQueue } from './memory-queue.ts'
import { mergeCursors, type QueueCursor } from './merge-cursors.ts'
import type { LogEntry, QueuePosition } from './store.ts'
import type { SequenceNumber } from './stored-message.ts'

/** A queue being read: its next entry, and where that stands. */
class MemoryQueueCursor implements QueueCursor {
  readonly #queue: MemoryQueue
  #position: number
  #entry: LogEntry
  sequence: SequenceNumber

  constructor(queue: MemoryQueue, position: number, entry: LogEntry) {
    this.#queue = queue
    this.#position = position
    this.#entry = entry
    this.sequence = entry.sequence
  }

  entry(): LogEntry {
    return this.#entry
  }

  advance(): boolean {
    const entry = this.#queue.at(++this.#position)
    if (entry === undefined) return false
    this.#entry = entry
    this.sequence = entry.sequence
    return true
  }
}

/** The next entries of several queues in order of sequence, after one search for each. */
export function mergeQueues(
  queues: ReadonlyMap<number, MemoryQueue>,
  positions: readonly QueuePosition[],
  limit: number
): readonly LogEntry[] {
  const cursors: QueueCursor[] = []
  for (const { queue: id, after } of positions) {
    const queue = queues.get(id)
    if (queue === undefined) continue
    const position = queue.positionAfter(after)
    const entry = queue.at(position)
    if (entry !== undefined) cursors.push(new MemoryQueueCursor(queue, position, entry))
  }
  return mergeCursors(cursors, limit)
}
