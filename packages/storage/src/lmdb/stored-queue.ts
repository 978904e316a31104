import { MemoryQueue } from '../memory-queue.ts'
import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'

/** How far something has come: the last sequence number, and what there was up to it. */
export interface Extent {
  messages: number
  bytes: number
  last: SequenceNumber
}

/**
 * A queue: in the tables up to a sequence number, from there on in memory.
 *
 * ```
 *   freed        trimmed          stored           written
 *     │ being cut   │  in the tables │  in the journal │   gathering
 *     ▼             ▼                ▼                 ▼
 *  ───┼─────────────┼────────────────┼─────────────────┼──────────────▶ sequence
 *                                    └─────────── tail ───────────────
 * ```
 * `stored` and `written` count from the first message that the disk still knows, cut or not, so that what lies between
 * two places is the difference of what lies before them.
 */
export class StoredQueue {
  readonly id: QueueId
  readonly topicFilter: string
  /** What is not known to be in the tables yet. */
  readonly tail: MemoryQueue
  readonly stored: Extent = { messages: 0, bytes: 0, last: 0 }
  readonly written: Extent = { messages: 0, bytes: 0, last: 0 }
  readonly #merging: Extent = { messages: 0, bytes: 0, last: 0 }
  /** What the queue holds measures this. */
  bytes = 0
  /** Everything up to here is finished with. */
  trimmedThrough: SequenceNumber = 0
  /** Everything up to here is gone from the disk. */
  freedThrough: SequenceNumber = 0

  constructor(id: QueueId, topicFilter: string) {
    this.id = id
    this.topicFilter = topicFilter
    this.tail = new MemoryQueue(topicFilter)
  }

  /** Something that was cut is, or will soon be, on disk. */
  get isBeingCut(): boolean {
    return this.trimmedThrough > this.freedThrough && this.written.last > this.freedThrough
  }

  /** What was written by now is being merged into the tables. */
  beginMerge(): void {
    Object.assign(this.#merging, this.written)
  }

  /** What was being merged is in the tables. */
  land(): void {
    this.tail.trim(this.#merging.last)
    Object.assign(this.stored, this.#merging)
  }
}
