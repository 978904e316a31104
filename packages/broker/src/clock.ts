/** Where the broker gets the time, and the end of an event-loop turn, from; a test moves both by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch; never goes back. */
  now(): number
  /** Calls back once, at or soon after a time; returns what takes the call back. */
  at(timeMs: number, callback: () => void): () => void
  /** Calls back at the end of this event-loop turn, after the input that it brought has been handled. */
  defer(callback: () => void): void
}

/** Timers of Node hold at most 2^31 - 1 ms, about 24.8 days. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff

/** The time of the process: steady, so that a corrected wall clock cuts no keep alive short. */
export class SystemClock implements Clock {
  now(): number {
    return performance.timeOrigin + performance.now()
  }

  at(timeMs: number, callback: () => void): () => void {
    const timeout = setTimeout(callback, Math.min(Math.max(timeMs - this.now(), 0), LONGEST_TIMEOUT_MS))
    timeout.unref()
    return () => clearTimeout(timeout)
  }

  defer(callback: () => void): void {
    setImmediate(callback)
  }
}
