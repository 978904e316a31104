import type { QueueCursor } from '../merge-cursors.ts'
import type { LogEntry } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { LogReader } from './log-reader.ts'
import { damaged } from './store-error.ts'
import type { StoredQueue } from './stored-queue.ts'

/** Reads a queue: first what is on disk, some keys at a time, then its tail. */
export class StoredQueueCursor implements QueueCursor {
  readonly #log: LogReader
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
  constructor(log: LogReader, queue: StoredQueue, after: SequenceNumber, keysWanted: number) {
    this.#log = log
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
    const value = this.#log.message(this.sequence)
    if (value === undefined) throw damaged(`message ${this.sequence} is in a queue and not in the log`)
    return { sequence: this.sequence, message: value.message, queues: value.queues }
  }

  #fetch(): void {
    const { id, stored } = this.#queue
    this.#sequences = this.#log.sequences(id, this.#reached, stored.last, this.#keysWanted)
    this.#next = 0
    this.#reached = this.#sequences.length < this.#keysWanted ? stored.last : (this.#sequences.at(-1) ?? stored.last)
    // Whoever needs more than a first few reads on.
    this.#keysWanted *= 2
  }
}
