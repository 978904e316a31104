/** Checks at a time: each keeps a thread of Node's pool busy, of which files and names of hosts need some too. */
const CONCURRENT_MAX = 2

/** Checks that may wait: at about 30 each second, those behind them would come after the connect timeout. */
const WAITING_MAX = 256

/** Lets few tasks run at a time, in order, and refuses those that would have to wait for long. */
export class PasswordChecks {
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** Undefined: too many wait already. */
  run<Result>(task: () => Promise<Result>): Promise<Result> | undefined {
    if (this.#running < CONCURRENT_MAX) return this.#start(task)
    if (this.#waiting.length >= WAITING_MAX) return undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    return promise.then(() => this.#start(task))
  }

  async #start<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#running++
    try {
      return await task()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}
