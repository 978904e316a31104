import type { ClientError } from './client-error.ts'
import type { Acknowledgement, Delivery } from './delivery.ts'
import type { SequenceNumber } from './outbox-store.ts'

/** A delivery whose promises are made when someone asks for them: most are never awaited, and one that fails unwatched is no unhandled rejection. */
export class PendingDelivery implements Delivery {
  /** Of the message, once it is accepted; 0: not yet. */
  sequence: SequenceNumber = 0
  /** Called at the end of it, once. */
  whenFinished: (() => void) | undefined = undefined
  #outcome: Acknowledgement | ClientError | undefined = undefined
  #isStored = false
  #finishing: PromiseWithResolvers<Acknowledgement> | undefined = undefined
  #storing: PromiseWithResolvers<void> | undefined = undefined

  then<Fulfilled = Acknowledgement, Rejected = never>(
    onFulfilled?: ((value: Acknowledgement) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null
  ): Promise<Fulfilled | Rejected> {
    if (this.#finishing === undefined) {
      this.#finishing = Promise.withResolvers()
      this.#settle()
    }
    return this.#finishing.promise.then(onFulfilled, onRejected)
  }

  get stored(): Promise<void> {
    if (this.#storing === undefined) {
      this.#storing = Promise.withResolvers()
      // Looked at is not yet awaited.
      this.#storing.promise.catch(() => undefined)
      this.#settle()
    }
    return this.#storing.promise
  }

  /** Safe on this machine. */
  store(): void {
    this.#isStored = true
    this.#storing?.resolve()
  }

  /** The end of it: acknowledged, or given up. */
  finish(outcome: Acknowledgement | ClientError): void {
    this.#outcome = outcome
    this.#settle()
    this.whenFinished?.()
    this.whenFinished = undefined
  }

  #settle(): void {
    const outcome = this.#outcome
    if (outcome === undefined) {
      if (this.#isStored) this.#storing?.resolve()
    } else if (outcome instanceof Error) {
      if (this.#isStored) this.#storing?.resolve()
      else this.#storing?.reject(outcome)
      this.#finishing?.reject(outcome)
    } else {
      this.#storing?.resolve()
      this.#finishing?.resolve(outcome)
    }
  }
}
