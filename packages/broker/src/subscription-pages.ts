import type { MaybePromise } from '@godwit/storage'
import type { Engine } from './engine.ts'
import { isPromise } from './maybe-promise.ts'
import type { Session } from './session.ts'
import type { Subscription } from './subscription.ts'

/**
 * What a session is sent from the store for some of its subscriptions, besides what is published meanwhile: read a page at a
 * time, as fast as the client takes it, so that no more than a page is held.
 */
export abstract class SubscriptionPages {
  protected readonly engine: Engine
  protected readonly session: Session
  /** In the order in which they asked. */
  protected readonly subscriptions: Set<Subscription> = new Set()
  #isReading = false

  constructor(engine: Engine, session: Session) {
    this.engine = engine
    this.session = session
  }

  get isActive(): boolean {
    return this.subscriptions.size > 0
  }

  /** Whether a page is on its way: the next is not asked for before it has come. */
  protected get isReading(): boolean {
    return this.#isReading
  }

  /** Goes on after a page that came in a later turn. */
  protected abstract goOn(): void

  protected readFailed(_subscription: Subscription, error: unknown): void {
    this.session.readFailed(error)
  }

  /** Takes a page, be it there at once or later, unless the subscription was replaced or done by then. False: it cannot be read. */
  protected readPage<Page>(subscription: Subscription, ask: () => MaybePromise<Page>, take: (page: Page) => void): boolean {
    let page: MaybePromise<Page>
    try {
      page = ask()
    } catch (error) {
      this.readFailed(subscription, error)
      return false
    }
    if (!isPromise(page)) {
      take(page)
      return true
    }
    this.#isReading = true
    page.then(
      (read) => {
        this.#isReading = false
        if (this.subscriptions.has(subscription)) take(read)
        this.goOn()
      },
      (error: unknown) => {
        this.#isReading = false
        this.readFailed(subscription, error)
      }
    )
    return true
  }
}
