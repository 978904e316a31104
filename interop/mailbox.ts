/** How long anything may take before a test fails; nothing waits this long when all is well. */
const LIMIT_MS = 10_000

/** Settles with a promise, or rejects after the limit, saying what did not come. */
export async function withinLimit<T>(promise: PromiseLike<T>, what: string, limitMs: number = LIMIT_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms in vain for ${what}`)), limitMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What arrives, in order, for a test that takes it one by one: an event is not missed for being early. */
export class Mailbox<T> {
  readonly #what: string
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  /** @param what named in the error when nothing comes */
  constructor(what: string) {
    this.#what = what
  }

  push(item: T): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#items.push(item)
    else waiting(item)
  }

  async next(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return item
    const { promise, resolve } = Promise.withResolvers<T>()
    this.#waiting.push(resolve)
    return withinLimit(promise, this.#what)
  }

  /** The next ones, in the order of their arrival. */
  async take(count: number): Promise<T[]> {
    const taken: T[] = []
    while (taken.length < count) taken.push(await this.next())
    return taken
  }
}
