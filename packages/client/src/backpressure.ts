import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { LocalSubscription } from './local-subscription.ts'

/**
 * Holds the server back while a subscription has no room: nothing is read from the connection then. But answers come by the same connection, so
 * as long as one is awaited reading goes on: a loop that awaits what it publishes itself would wait for ever. What comes at QoS 0 meanwhile, and
 * has no room, is dropped; the rest is bounded by Receive Maximum.
 */
export class Backpressure {
  readonly #clock: Clock
  readonly #isAnswerAwaited: () => boolean
  readonly #full = new Set<LocalSubscription>()
  #connection: Connection | undefined = undefined
  #isResuming = false

  /** @param isAnswerAwaited to a PUBLISH, a SUBSCRIBE, a request, or whatever else the server is to answer */
  constructor(clock: Clock, isAnswerAwaited: () => boolean) {
    this.#clock = clock
    this.#isAnswerAwaited = isAnswerAwaited
  }

  /** A subscription has no room, and messages come all the same. */
  get isOverruled(): boolean {
    return this.#full.size > 0 && this.#isAnswerAwaited()
  }

  onFull(subscription: LocalSubscription): void {
    this.#full.add(subscription)
    if (!this.isOverruled) this.#connection?.pause()
  }

  onRoom(subscription: LocalSubscription): void {
    this.#full.delete(subscription)
    if (this.#full.size === 0) this.#connection?.resume()
  }

  /** An answer is awaited, or has come. */
  onAwaited(): void {
    if (this.#full.size === 0) return
    if (!this.#isAnswerAwaited()) this.#connection?.pause()
    else this.#resumeSoon()
  }

  connected(connection: Connection): void {
    this.#connection = connection
    if (this.#full.size > 0 && !this.isOverruled) connection.pause()
  }

  disconnected(): void {
    this.#connection = undefined
  }

  /** Reading on hands out messages, which must not happen in the middle of what led here. */
  #resumeSoon(): void {
    if (this.#isResuming) return
    this.#isResuming = true
    this.#clock.defer(() => {
      this.#isResuming = false
      if (this.isOverruled) this.#connection?.resume()
    })
  }
}
