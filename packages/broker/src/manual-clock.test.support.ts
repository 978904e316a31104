import type { Clock } from './clock.ts'

interface Wish {
  readonly timeMs: number
  readonly callback: () => void
}

/** A clock that a test moves; it starts at a time that is no round number of anything. */
export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_037
  #wishes: Wish[] = []
  #deferred: (() => void)[] = []
  /** How often the host was asked for a call at a time. */
  armed = 0

  now(): number {
    return this.#nowMs
  }

  at(timeMs: number, callback: () => void): () => void {
    const wish = { timeMs, callback }
    this.#wishes.push(wish)
    this.armed++
    return () => {
      this.#wishes = this.#wishes.filter((other) => other !== wish)
    }
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  get waiting(): number {
    return this.#wishes.length
  }

  /** Moves on, calling back whatever is due on the way, at its time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const due = this.#wishes.filter(({ timeMs }) => timeMs <= untilMs).toSorted((a, b) => a.timeMs - b.timeMs)[0]
      if (due === undefined) break
      this.#wishes = this.#wishes.filter((other) => other !== due)
      this.#nowMs = Math.max(this.#nowMs, due.timeMs)
      due.callback()
    }
    this.#nowMs = untilMs
  }

  /** What was deferred to the end of the turn is not done. */
  forgetTurn(): void {
    this.#deferred = []
  }

  /** Ends the turn of the event loop; what that defers belongs to the next. */
  endTurn(): boolean {
    const deferred = this.#deferred
    this.#deferred = []
    for (const callback of deferred) callback()
    return deferred.length > 0
  }
}
