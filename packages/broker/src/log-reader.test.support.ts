import type { MemoryStore, ProgressRecord, SequenceNumber } from '@godwit/storage'
import type { DurableQueue } from './durable-queue.ts'
import { LogConsumer } from './log-consumer.ts'
import type { QueuePlace } from './queue-place.ts'

/**
 * The owner of a consumer as a session is one, without a network: it takes messages into a window while it is online,
 * and finishes them in any order. What it should have seen it knows from a naive list of its own.
 */
export class LogReader {
  readonly key: string
  readonly windowMax: number
  readonly #store: MemoryStore
  #consumer: LogConsumer
  #isOnline = false
  /** Sent and not finished, in the order sent. */
  inflight: SequenceNumber[] = []
  /** Everything ever sent, in the order sent. */
  readonly sent: SequenceNumber[] = []
  /** What it is to get and has not finished, rising. */
  readonly owed: Set<SequenceNumber> = new Set()
  /** By topic filter: what it reads, and since when. */
  readonly joined: Map<string, SequenceNumber> = new Map()

  constructor(key: string, windowMax: number, store: MemoryStore) {
    this.key = key
    this.windowMax = windowMax
    this.#store = store
    this.#consumer = this.#makeConsumer()
  }

  get consumer(): LogConsumer {
    return this.#consumer
  }

  get isOnline(): boolean {
    return this.#isOnline
  }

  join(queue: DurableQueue): void {
    if (this.joined.has(queue.topicFilter)) return
    this.joined.set(queue.topicFilter, this.#store.lastSequence)
    this.#consumer.join(queue, this.#store.lastSequence)
  }

  connect(): void {
    this.#isOnline = true
    this.pump()
  }

  disconnect(): void {
    this.#isOnline = false
    this.#consumer.pause()
  }

  /** A message that was appended now to some of its queues. */
  offer(sequence: SequenceNumber): void {
    this.owed.add(sequence)
    if (this.#hasRoom && this.#consumer.caughtUp) this.#send(sequence)
    else this.#consumer.fallBehind(sequence)
  }

  finish(index: number): void {
    const [sequence] = this.inflight.splice(index % Math.max(this.inflight.length, 1), 1)
    if (sequence === undefined) return
    this.owed.delete(sequence)
    this.#consumer.finish(sequence)
    this.#touch()
    this.pump()
  }

  /** Reads on as far as there is room. */
  pump(limitMax = 4): void {
    while (!this.#consumer.caughtUp && this.#hasRoom) {
      const limit = Math.min(limitMax, this.windowMax - this.inflight.length)
      const end = this.#store.lastSequence
      const entries = this.#store.read(this.#consumer.positions(), limit)
      if (entries instanceof Promise) throw new TypeError('a MemoryStore reads at once')
      for (const { sequence } of entries) {
        if (!this.#consumer.isRestored(sequence)) this.#send(sequence)
        this.#consumer.advance(sequence)
      }
      if (entries.length < limit) this.#consumer.reachedEnd(end)
    }
    this.#touch()
  }

  /** The process ended and another has what was stored: what is in flight was given to the owner again. */
  restore(progress: ProgressRecord, queueOf: (topicFilter: string) => DurableQueue): void {
    this.#isOnline = false
    this.#consumer = this.#makeConsumer()
    this.#consumer.restore(progress, this.inflight)
    for (const [topicFilter, since] of this.joined) this.#consumer.join(queueOf(topicFilter), since)
  }

  get #hasRoom(): boolean {
    return this.#isOnline && this.inflight.length < this.windowMax
  }

  #send(sequence: SequenceNumber): void {
    this.sent.push(sequence)
    this.inflight.push(sequence)
    this.#consumer.sent(sequence)
  }

  #touch(): void {
    this.#store.touch(this.#consumer)
  }

  #makeConsumer(): LogConsumer {
    const sentRecords = () => ({ inflight: [], released: [] })
    const put = ({ queue, since }: QueuePlace) => void this.joined.set(queue.topicFilter, since)
    return new LogConsumer('session', this.key, this.#store, sentRecords, () => {}, put)
  }
}
