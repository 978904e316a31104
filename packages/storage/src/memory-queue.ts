import type { Backlog, LogEntry } from './store.ts'
import type { SequenceNumber } from './stored-message.ts'

const CAPACITY_MIN = 8

/**
 * One queue's entries, oldest first, in a ring whose capacity is a power of two.
 *
 * ```
 *   entries   [ e9  e10  ·   ·   ·   e6  e7  e8 ]      entry of a position: entries[position & (capacity - 1)]
 *                        ▲           ▲
 *                       end        first               positions only rise: they survive growing and trimming
 * ```
 * Sequence numbers rise along the ring, so a place in it is found by halving; beside each entry stands what all entries
 * before it measured together, so a backlog's bytes are one subtraction.
 */
export class MemoryQueue {
  readonly topicFilter: string
  #entries: (LogEntry | undefined)[] = []
  #bytesBefore: number[] = []
  #first = 0
  #end = 0
  #bytes = 0

  constructor(topicFilter: string) {
    this.topicFilter = topicFilter
  }

  get end(): number {
    return this.#end
  }

  push(entry: LogEntry, bytes: number): void {
    if (this.#end - this.#first === this.#entries.length) this.#resize(Math.max(CAPACITY_MIN, this.#entries.length * 2))
    const slot = this.#end & (this.#entries.length - 1)
    this.#entries[slot] = entry
    this.#bytesBefore[slot] = this.#bytes
    this.#bytes += bytes
    this.#end++
  }

  /** The entry at a position; undefined outside of the queue. */
  at(position: number): LogEntry | undefined {
    return position < this.#first || position >= this.#end ? undefined : this.#entries[position & (this.#entries.length - 1)]
  }

  /** The position of the first entry above a sequence number; `end` if there is none. */
  positionAfter(sequence: SequenceNumber): number {
    if (this.#sequenceAt(this.#end - 1) <= sequence) return this.#end
    let low = this.#first
    let high = this.#end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#sequenceAt(middle) <= sequence) low = middle + 1
      else high = middle
    }
    return low
  }

  read(after: SequenceNumber, limit: number): LogEntry[] {
    const entries: LogEntry[] = []
    const start = this.positionAfter(after)
    const end = Math.min(this.#end, start + limit)
    for (let position = start; position < end; position++) {
      const entry = this.at(position)
      if (entry !== undefined) entries.push(entry)
    }
    return entries
  }

  backlog(after: SequenceNumber): Backlog {
    const position = this.positionAfter(after)
    const bytesBefore = this.#bytesBefore[position & (this.#entries.length - 1)]
    return position === this.#end || bytesBefore === undefined
      ? { messages: 0, bytes: 0 }
      : { messages: this.#end - position, bytes: this.#bytes - bytesBefore }
  }

  /** Slots are emptied one by one, so that a trimmed message can be collected at once; a ring grown too large shrinks. */
  trim(through: SequenceNumber): void {
    const mask = this.#entries.length - 1
    while (this.#first < this.#end && this.#sequenceAt(this.#first) <= through) {
      this.#entries[this.#first & mask] = undefined
      this.#first++
    }
    const length = this.#end - this.#first
    if (this.#entries.length > CAPACITY_MIN && length * 8 < this.#entries.length) {
      let capacity = CAPACITY_MIN
      while (capacity < length * 2) capacity *= 2
      this.#resize(capacity)
    }
  }

  /** 0 outside of the queue: before every sequence number. */
  #sequenceAt(position: number): SequenceNumber {
    return this.at(position)?.sequence ?? 0
  }

  #resize(capacity: number): void {
    const entries = Array.from<LogEntry | undefined>({ length: capacity }).fill(undefined)
    const bytesBefore = Array.from<number>({ length: capacity }).fill(0)
    for (let position = this.#first; position < this.#end; position++) {
      const from = position & (this.#entries.length - 1)
      entries[position & (capacity - 1)] = this.#entries[from]
      bytesBefore[position & (capacity - 1)] = this.#bytesBefore[from] ?? 0
    }
    this.#entries = entries
    this.#bytesBefore = bytesBefore
  }
}
