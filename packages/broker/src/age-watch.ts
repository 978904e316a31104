import type { LogEntry, SequenceNumber, Store } from '@godwit/storage'
import type { Clock } from './clock.ts'
import type { DurableQueue } from './durable-queue.ts'
import type { Timer, Timers } from './timers.ts'

/** From one look to the next at least this share of the age. */
const SHARE = 64

export interface AgeWatchParts {
  readonly store: Store
  readonly clock: Clock
  readonly timers: Timers
  /** The store is about to be closed: nothing more is to be done. */
  readonly hasEnded: () => boolean
  readonly reportStoreError: (error: unknown) => void
}

/**
 * Tells up to where the messages of a queue are too old. They were published in about the order in which they stand, so
 * the place is found by halving, with one message read at each step.
 */
export class AgeWatch {
  readonly #queue: DurableQueue
  readonly #ageMs: number
  readonly #parts: AgeWatchParts
  readonly #onTooOld: (through: SequenceNumber) => void
  readonly #timer: Timer
  #tooOldThrough: SequenceNumber = 0
  #isLooking = false
  #hasEnded = false

  constructor(queue: DurableQueue, ageMs: number, parts: AgeWatchParts, onTooOld: (through: SequenceNumber) => void) {
    this.#queue = queue
    this.#ageMs = ageMs
    this.#parts = parts
    this.#onTooOld = onTooOld
    this.#timer = parts.timers.create(() => this.look())
  }

  /** A message has come: it will have to be looked after, unless others before it already are. */
  appended(): void {
    if (!this.#timer.isSet && !this.#isLooking) this.#waitUntil(this.#parts.clock.now() + this.#ageMs)
  }

  look(): void {
    if (this.#isLooking || this.#hasEnded) return
    this.#isLooking = true
    this.#findTooOld().then(
      (dueAtMs) => {
        this.#isLooking = false
        this.#waitUntil(dueAtMs)
      },
      (error: unknown) => {
        this.#isLooking = false
        this.#parts.reportStoreError(error)
        this.#waitUntil(this.#parts.clock.now() + this.#ageMs)
      }
    )
  }

  end(): void {
    this.#hasEnded = true
    this.#parts.timers.clear(this.#timer)
  }

  #waitUntil(dueAtMs: number): void {
    if (this.#hasEnded || this.#parts.hasEnded()) return
    const earliestMs = this.#parts.clock.now() + this.#ageMs / SHARE
    this.#parts.timers.set(this.#timer, Math.max(dueAtMs, earliestMs))
  }

  /** Returns when the oldest of the others will be too old; Infinity: there are none. */
  async #findTooOld(): Promise<number> {
    const latestMs = this.#parts.clock.now() - this.#ageMs
    const isTooOld = ({ message }: LogEntry): boolean => message.publishedAtMs <= latestMs
    let through = Math.max(this.#tooOldThrough, this.#queue.trimmedThrough)
    let next = await this.#firstAfter(through)
    if (next !== undefined && isTooOld(next)) {
      through = next.sequence
      for (let end = this.#queue.lastSequence; through < end;) {
        const middle = Math.floor((through + end) / 2)
        next = await this.#firstAfter(middle)
        if (next !== undefined && next.sequence <= end && isTooOld(next)) through = next.sequence
        else end = middle
      }
      if (this.#hasEnded || this.#parts.hasEnded()) return Infinity
      this.#tooOldThrough = through
      this.#onTooOld(through)
      next = await this.#firstAfter(through)
    }
    return next === undefined ? Infinity : next.message.publishedAtMs + this.#ageMs
  }

  async #firstAfter(after: SequenceNumber): Promise<LogEntry | undefined> {
    const [first] = await this.#parts.store.read([{ queue: this.#queue.id, after }], 1)
    return first
  }
}
