/** Where a client gets the time, and the end of an event-loop turn, from; a test moves both by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch; never goes back. */
  now(): number
  /** Calls back once, at or soon after a time; returns what takes the call back. */
  at(timeMs: number, callback: () => void): () => void
  /** Calls back at the end of this event-loop turn, after the input that it brought has been handled. */
  defer(callback: () => void): void
}
