import type { QueueCursor } from '../merge-cursors.ts'
import type { LogEntry } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { indexKey, logKey, readLogValue, sequenceOfIndexKey } from './layout.ts'
import { damaged } from './store-error.ts'
import type { StoredQueue } from './stored-queue.ts'
import type { Tables } from './tables.ts'

/** Reads a queue: first what is on disk, some keys at a time, then its tail. */
export class StoredQueueCursor implements QueueCursor {
  readonly #tables: Tables
  readonly #queue: StoredQueue
  /** Where the next keys are looked for on disk. */
  #reached: SequenceNumber
  #sequences: SequenceNumber[] = []
  #next = 0
  #keysWanted: number
  #tailPosition = -1
  #entry: LogEntry | undefined = undefined
  sequence: SequenceNumber = 0

  /** Stands before the first entry: to be advanced first. */
  constructor(tables: Tables, queue: StoredQueue, after: SequenceNumber, keysWanted: number) {
    this.#tables = tables
    this.#queue = queue
    this.#reached = Math.max(after, queue.trimmedThrough)
    this.#keysWanted = keysWanted
  }

  advance(): boolean {
    if (this.#next === this.#sequences.length && this.#reached < this.#queue.stored.last) this.#fetch()
    const sequence = this.#sequences[this.#next]
    if (sequence !== undefined) {
      this.#next++
      this.sequence = sequence
      return true
    }
    const { tail } = this.#queue
    this.#tailPosition = this.#tailPosition === -1 ? tail.positionAfter(this.#reached) : this.#tailPosition + 1
    this.#entry = tail.at(this.#tailPosition)
    this.sequence = this.#entry?.sequence ?? 0
    return this.#entry !== undefined
  }

  entry(): LogEntry {
    if (this.#entry !== undefined) return this.#entry
    const body = this.#tables.log.getBinary(logKey(this.sequence))
    if (body === undefined) throw damaged(`message ${this.sequence} is in a queue and not in the log`)
    const { message, queues } = readLogValue(body)
    return { sequence: this.sequence, message, queues }
  }

  #fetch(): void {
    const { id, stored } = this.#queue
    const keys = this.#tables.index.getKeys({
      start: indexKey(id, this.#reached + 1),
      end: indexKey(id, stored.last),
      inclusiveEnd: true,
      limit: this.#keysWanted
    })
    this.#sequences = Array.from(keys, sequenceOfIndexKey)
    this.#next = 0
    this.#reached = this.#sequences.length < this.#keysWanted ? stored.last : (this.#sequences.at(-1) ?? stored.last)
    // Whoever needs more than a first few reads on.
    this.#keysWanted *= 2
  }
}
