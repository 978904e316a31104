import type { Clock } from '@godwit/broker'

/** A time that no test depends on; a whole number of seconds. */
const START_MS = Date.UTC(2026, 0, 1)

interface SimTimer {
  readonly timeMs: number
  readonly callback: () => void
}

/** A clock that stands still until a test moves it. Timers fire in the order of their times, equal ones in the order set. */
export class SimClock implements Clock {
  #nowMs: number
  #timers: SimTimer[] = []
  #deferred: (() => void)[] = []

  constructor(startMs: number = START_MS) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  at(timeMs: number, callback: () => void): () => void {
    const timer: SimTimer = { timeMs, callback }
    const later = this.#timers.findIndex((other) => other.timeMs > timeMs)
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length
  }

  get hasDeferred(): boolean {
    return this.#deferred.length > 0
  }

  /** Ends the event-loop turn: runs what was deferred in it. What that defers in turn belongs to the next. */
  runDeferred(): boolean {
    const deferred = this.#deferred
    this.#deferred = []
    for (const callback of deferred) callback()
    return deferred.length > 0
  }

  /** Moves on to the next timer, if it is due by `untilMs`, and fires it; else moves on to `untilMs`. Returns whether one fired. */
  advanceToNext(untilMs: number): boolean {
    const next = this.#timers[0]
    if (next === undefined || next.timeMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs)
      return false
    }
    this.#timers.shift()
    this.#nowMs = Math.max(this.#nowMs, next.timeMs)
    next.callback()
    return true
  }
}
