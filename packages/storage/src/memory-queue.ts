import type { Backlog, LogEntry } from './store.ts'
import type { SequenceNumber } from './stored-message.ts'

const CAPACITY_MIN = 8

/**
 * One queue's entries, oldest first, in a ring whose capacity is a power of two.
 *
 * ```
 *   entries   [ e9  e10  ·   ·   ·   e6  e7  e8 ]      slot of a position: (position - origin) & (capacity - 1)
 *                        ▲           ▲
 *                       end        first               positions only rise: they survive growing and trimming
 * ```
 * Sequence numbers rise along the ring, so a place in it is found by halving; beside each entry stands what all entries
 * before it measured together, so a backlog's bytes are one subtraction. The arrays begin empty and are written in order,
 * so that they are never sparse and a queue that holds nothing costs next to nothing. Rates: bench/micro/log.ts.
 */
export class MemoryQueue {
  readonly topicFilter: string
  #entries: (LogEntry | undefined)[] = []
  #bytesBefore: number[] = []
  #capacity = CAPACITY_MIN
  /** The position in slot 0 when the arrays were last laid out. */
  #origin = 0
  #first = 0
  #end = 0
  /** Of everything ever pushed. */
  #bytes = 0

  constructor(topicFilter: string) {
    this.topicFilter = topicFilter
  }

  /** What its entries measure together. */
  get bytes(): number {
    return this.#first === this.#end ? 0 : this.#bytes - (this.#bytesBefore[this.#slot(this.#first)] ?? 0)
  }

  push(entry: LogEntry, bytes: number): void {
    if (this.#end - this.#first === this.#capacity) this.#layOut(this.#capacity * 2)
    const slot = this.#slot(this.#end)
    this.#entries[slot] = entry
    this.#bytesBefore[slot] = this.#bytes
    this.#bytes += bytes
    this.#end++
  }

  /** The entry at a position; undefined outside of the queue. */
  at(position: number): LogEntry | undefined {
    return position < this.#first || position >= this.#end ? undefined : this.#entries[this.#slot(position)]
  }

  /** The position of the first entry above a sequence number; the queue's end if there is none. */
  positionAfter(sequence: SequenceNumber): number {
    // Whoever is nearly caught up, as most are, is spared the search.
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
    if (position === this.#end) return { messages: 0, bytes: 0 }
    return { messages: this.#end - position, bytes: this.#bytes - (this.#bytesBefore[this.#slot(position)] ?? 0) }
  }

  /** Slots are emptied one by one, so that a trimmed message can be collected at once; a ring grown too large shrinks. */
  trim(through: SequenceNumber): void {
    while (this.#first < this.#end && this.#sequenceAt(this.#first) <= through) {
      this.#entries[this.#slot(this.#first)] = undefined
      this.#first++
    }
    const length = this.#end - this.#first
    if (this.#capacity > CAPACITY_MIN && length * 8 <= this.#capacity) {
      let capacity = CAPACITY_MIN
      while (capacity < length * 2) capacity *= 2
      this.#layOut(capacity)
    }
  }

  #slot(position: number): number {
    return (position - this.#origin) & (this.#capacity - 1)
  }

  /** 0 outside of the queue: before every sequence number. */
  #sequenceAt(position: number): SequenceNumber {
    return this.at(position)?.sequence ?? 0
  }

  /** Straightens the ring, so that it begins in slot 0, and gives it another capacity. */
  #layOut(capacity: number): void {
    const head = this.#slot(this.#first)
    const length = this.#end - this.#first
    this.#entries = straightened(this.#entries, head, length)
    this.#bytesBefore = straightened(this.#bytesBefore, head, length)
    this.#origin = this.#first
    this.#capacity = capacity
  }
}

function straightened<T>(ring: T[], head: number, length: number): T[] {
  if (head === 0 && length === ring.length) return ring
  const wrapped = head + length - ring.length
  return wrapped <= 0 ? ring.slice(head, head + length) : ring.slice(head).concat(ring.slice(0, wrapped))
}
