/**
 * When the broker notices that a connection is over: at once; when it has done what it waits for, such as the commit before
 * CONNACK, until which it reads nothing; or when something else happens, because nobody told it.
 */
export type Noticed = 'at once' | 'when quiet' | 'later'

/**
 * When a delay ends that began with the end of a connection: known to the millisecond if the broker noticed at once, later if
 * it did not, or was down.
 */
export class Deadline {
  readonly earliestMs: number
  latestMs: number
  readonly #longestMs: number
  #noticed: Noticed
  /** The beginning is on record: from here on a crash changes nothing. */
  #isOnRecord = false

  constructor(beganMs: number, shortestSeconds: number, longestSeconds: number, noticed: Noticed) {
    this.#longestMs = longestSeconds * 1000
    this.#noticed = noticed
    this.earliestMs = beganMs + shortestSeconds * 1000
    this.latestMs = noticed === 'at once' ? beganMs + this.#longestMs : Infinity
  }

  /** The latest that it can be if the broker notices now, where it has not. */
  latestIfNoticed(nowMs: number): number {
    return this.#noticed === 'at once' ? this.latestMs : nowMs + this.#longestMs
  }

  /** By now at the latest the broker knows that the connection is over. */
  noticed(nowMs: number): void {
    if (this.#noticed === 'at once') return
    this.#noticed = 'at once'
    this.latestMs = nowMs + this.#longestMs
  }

  /** Everything that was sent has been read, and what it changed is committed. */
  quiet(nowMs: number): void {
    if (this.#noticed === 'when quiet') this.noticed(nowMs)
    this.#isOnRecord = this.#noticed === 'at once'
  }

  /** The broker is up again: what was not on record begins now. */
  restarted(nowMs: number): void {
    this.#noticed = 'at once'
    if (!this.#isOnRecord) this.latestMs = nowMs + this.#longestMs
  }
}
