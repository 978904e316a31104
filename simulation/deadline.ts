/**
 * When a delay ends that began with the end of a connection: known to the millisecond if the broker noticed at once, later if
 * it did not, or was down.
 */
export class Deadline {
  readonly earliestMs: number
  latestMs: number
  readonly #longestMs: number
  #isNoticed: boolean
  /** The beginning is on record: from here on a crash changes nothing. */
  #isOnRecord = false

  constructor(beganMs: number, shortestSeconds: number, longestSeconds: number, isNoticed: boolean) {
    this.#longestMs = longestSeconds * 1000
    this.#isNoticed = isNoticed
    this.earliestMs = beganMs + shortestSeconds * 1000
    this.latestMs = isNoticed ? beganMs + this.#longestMs : Infinity
  }

  /** The latest that it can be if the broker notices now, where it has not. */
  latestIfNoticed(nowMs: number): number {
    return this.#isNoticed ? this.latestMs : nowMs + this.#longestMs
  }

  /** By now at the latest the broker knows that the connection is over. */
  noticed(nowMs: number): void {
    if (this.#isNoticed) return
    this.#isNoticed = true
    this.latestMs = nowMs + this.#longestMs
  }

  putOnRecord(): void {
    this.#isOnRecord = this.#isNoticed
  }

  /** The broker is up again: what was not on record begins now. */
  restarted(nowMs: number): void {
    this.#isNoticed = true
    if (!this.#isOnRecord) this.latestMs = nowMs + this.#longestMs
  }
}
