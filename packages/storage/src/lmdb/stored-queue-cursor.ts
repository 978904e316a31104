import type { QueueCursor } from '../merge-cursors.ts'
import type { LogEntry } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { LogReader } from './log-reader.ts'
import type { Bodies, RunPlace } from './log-runs.ts'
import { damaged } from './store-error.ts'
import type { StoredQueue } from './stored-queue.ts'

/** Reads a queue: first what is on disk, some runs at a time, then its tail. */
export class StoredQueueCursor implements QueueCursor {
  readonly #log: LogReader
  readonly #queue: StoredQueue
  /** Nothing up to here is wanted, or left to be read. */
  #reached: SequenceNumber
  #places: readonly RunPlace[] = []
  #nextPlace = 0
  /** Where the next places are looked for. */
  #placesReached: SequenceNumber
  #messagesWanted: number
  /** The run that is being read. */
  #place: RunPlace | undefined = undefined
  #bodies: Bodies | undefined = undefined
  /** The last that was read from the disk. */
  #latest: LogEntry | undefined = undefined
  #tailPosition = -1
  #entry: LogEntry | undefined = undefined
  sequence: SequenceNumber = 0

  /** Stands before the first entry: to be advanced first. */
  constructor(log: LogReader, queue: StoredQueue, after: SequenceNumber, messagesWanted: number) {
    this.#log = log
    this.#queue = queue
    this.#reached = Math.max(after, queue.trimmedThrough)
    this.#placesReached = this.#reached
    this.#messagesWanted = messagesWanted
  }

  advance(): boolean {
    if (this.#advanceOnDisk()) return true
    const { tail } = this.#queue
    this.#tailPosition = this.#tailPosition === -1 ? tail.positionAfter(this.#reached) : this.#tailPosition + 1
    this.#entry = tail.at(this.#tailPosition)
    this.sequence = this.#entry?.sequence ?? 0
    return this.#entry !== undefined
  }

  entry(): LogEntry {
    if (this.#entry !== undefined) return this.#entry
    this.#latest = this.#bodiesPast(this.sequence - 1).read()
    return this.#latest
  }

  #advanceOnDisk(): boolean {
    while (this.#place === undefined || this.#place.last <= this.#reached) {
      this.#place = this.#places[this.#nextPlace++] ?? this.#fetch()
      this.#bodies = undefined
      if (this.#place === undefined) return false
      // What was cut off its beginning still has bodies.
      this.#reached = Math.max(this.#reached, this.#place.first - 1)
    }
    // A body by itself is not read before it is asked for: other queues may hold the message too.
    this.sequence = this.#place.messages === 1 ? this.#place.last : this.#bodiesPast(this.#reached).sequence
    this.#reached = this.sequence
    return true
  }

  /** The bodies of the run, at the first above a sequence number. */
  #bodiesPast(after: SequenceNumber): Bodies {
    const { bodiesAt, last } = this.#place ?? NOWHERE
    const bodies = (this.#bodies ??= this.#log.bodies(bodiesAt, this.#latest))
    if (bodies?.advancePast(after) !== true) throw damaged(`message ${last} is in a queue and not in the log`)
    return bodies
  }

  #fetch(): RunPlace | undefined {
    const { id, stored } = this.#queue
    if (this.#placesReached >= stored.last) return undefined
    this.#places = this.#log.places(id, this.#placesReached, stored.last, this.#messagesWanted)
    this.#nextPlace = 1
    this.#placesReached = this.#places.at(-1)?.last ?? stored.last
    // Whoever needs more than a first few reads on.
    this.#messagesWanted *= 2
    return this.#places[0]
  }
}

const NOWHERE = { bodiesAt: 0, last: 0 }
