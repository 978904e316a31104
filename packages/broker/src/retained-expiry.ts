import type { RetainedPage } from '@godwit/storage'
import type { Engine } from './engine.ts'
import { isPromise } from './maybe-promise.ts'
import type { Timer } from './timers.ts'

/** From the end of one sweep to the beginning of the next. */
const SWEEP_INTERVAL_MS = 60_000
/** From one page of a sweep to the next, so that a sweep over a million messages disturbs nobody. */
const PAGE_INTERVAL_MS = 100
const PAGE_MESSAGES_MAX = 512

/**
 * Removes retained messages whose Message Expiry Interval has ended though nobody asks for them. It only runs while there
 * is one that can expire. Topics that begin with $ are left out: nobody's wildcard reaches them either.
 */
export class RetainedExpiry {
  readonly #engine: Engine
  readonly #timer: Timer
  #after: string | undefined
  /** Whether this sweep has come upon a message that will expire later. */
  #seesExpiring = false

  constructor(engine: Engine) {
    this.#engine = engine
    this.#timer = engine.timers.create(() => this.#sweepPage())
  }

  /** There is a retained message that can expire, or there may be. */
  watch(): void {
    this.#seesExpiring = true
    if (!this.#timer.isSet) this.#wait(SWEEP_INTERVAL_MS)
  }

  #wait(ms: number): void {
    this.#engine.timers.set(this.#timer, this.#engine.clock.now() + ms)
  }

  #sweepPage(): void {
    if (this.#after === undefined) this.#seesExpiring = false
    const page = this.#engine.store.readRetained('#', this.#after, PAGE_MESSAGES_MAX)
    if (isPromise(page)) {
      page.then(
        (read) => this.#take(read),
        (error: unknown) => this.#engine.reportStoreError(error)
      )
    } else {
      this.#take(page)
    }
  }

  #take({ messages, next }: RetainedPage): void {
    const { clock, store } = this.#engine
    const now = clock.now()
    for (const { message } of messages) {
      if (message.expiresAtMs <= now) store.deleteRetained(message.topicName)
      else if (message.expiresAtMs !== Infinity) this.#seesExpiring = true
    }
    this.#after = next
    if (next !== undefined) this.#wait(PAGE_INTERVAL_MS)
    else if (this.#seesExpiring) this.#wait(SWEEP_INTERVAL_MS)
  }
}
