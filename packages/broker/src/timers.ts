import type { Clock } from './clock.ts'

/** Due times are rounded up to this, so that thousands of keep alives share one wake-up. */
const GRANULARITY_MS = 100

/** A wish to be called at a time; belongs to the `Timers` that made it. */
export class Timer {
  readonly callback: () => void
  dueAtMs = 0
  /** Where it sits in the heap; -1: not set. */
  index = -1

  constructor(callback: () => void) {
    this.callback = callback
  }

  get isSet(): boolean {
    return this.index >= 0
  }
}

/**
 * All the waiting of a broker on one timer of the host: keep alive, connect timeout, will delay, session expiry.
 * A binary heap by due time; an idle broker with nothing to wait for does not wake up.
 */
export class Timers {
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #heap: Timer[] = []
  #armedFor = Infinity
  #disarm: (() => void) | undefined

  /** @param onError told of a timer that threw; those behind it are called all the same */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Makes a timer, not yet set; keep it and set it again rather than make another. */
  create(callback: () => void): Timer {
    return new Timer(callback)
  }

  /** Sets or moves a timer. Infinity: never. */
  set(timer: Timer, dueAtMs: number): void {
    this.clear(timer)
    if (dueAtMs === Infinity) return
    timer.dueAtMs = Math.ceil(dueAtMs / GRANULARITY_MS) * GRANULARITY_MS
    timer.index = this.#heap.length
    this.#heap.push(timer)
    this.#rise(timer)
    this.#arm()
  }

  clear(timer: Timer): void {
    const index = timer.index
    if (index < 0) return
    timer.index = -1
    const last = this.#heap.pop()
    if (last === undefined || last === timer) return
    last.index = index
    this.#heap[index] = last
    this.#rise(last)
    this.#sink(last)
  }

  /** Forgets every timer. */
  clearAll(): void {
    for (const timer of this.#heap) timer.index = -1
    this.#heap.length = 0
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedFor = Infinity
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.dueAtMs >= this.#armedFor) return
    this.#disarm?.()
    this.#armedFor = first.dueAtMs
    this.#disarm = this.#clock.at(first.dueAtMs, () => this.#fire())
  }

  #fire(): void {
    this.#armedFor = Infinity
    this.#disarm = undefined
    const now = this.#clock.now()
    for (let first = this.#heap[0]; first !== undefined && first.dueAtMs <= now; first = this.#heap[0]) {
      this.clear(first)
      try {
        first.callback()
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#arm()
  }

  #rise(timer: Timer): void {
    while (timer.index > 0) {
      const parent = this.#heap[(timer.index - 1) >> 1]
      if (parent === undefined || parent.dueAtMs <= timer.dueAtMs) return
      this.#swap(timer, parent)
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const left = this.#heap[timer.index * 2 + 1]
      const right = this.#heap[timer.index * 2 + 2]
      const child = right !== undefined && left !== undefined && right.dueAtMs < left.dueAtMs ? right : left
      if (child === undefined || child.dueAtMs >= timer.dueAtMs) return
      this.#swap(timer, child)
    }
  }

  #swap(a: Timer, b: Timer): void {
    const index = a.index
    a.index = b.index
    b.index = index
    this.#heap[a.index] = a
    this.#heap[b.index] = b
  }
}
