/** Checks at a time: each keeps a thread of Node's pool busy, of which files and host names need some too. */
export const CONCURRENT_CHECKS_MAX = 2

/** Checks that may wait: at about 30 each second, those behind them would come after the connect timeout. */
export const WAITING_CHECKS_MAX = 256

/** Lets few checks run at a time, in order, and refuses those that would have to wait for long. */
export class PasswordChecks {
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** Undefined: too many wait already. */
  run<Result>(check: () => Promise<Result>): Promise<Result> | undefined {
    if (this.#running < CONCURRENT_CHECKS_MAX) {
      this.#running++
      return this.#finish(check)
    }
    if (this.#waiting.length >= WAITING_CHECKS_MAX) return undefined
    const turn = new Promise<undefined>((resolve) => this.#waiting.push(() => resolve(undefined)))
    return turn.then(() => this.#finish(check))
  }

  async #finish<Result>(check: () => Promise<Result>): Promise<Result> {
    try {
      return await check()
    } finally {
      // The place goes to the next in line, who does not count as another.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
