import type { SequenceNumber } from '@godwit/storage'
import { Cohort } from './overflow-cohort.ts'
import type { QueuePlace } from './queue-place.ts'

/**
 * Backlogs that refuse what would make them longer than their bound. While one of them does, it alone is asked; once it
 * no longer does, the rest of them are asked from there on: nothing has come meanwhile that could have filled those asked
 * before. Thus a publisher that does not give up costs one look each time.
 */
export class RefusingCohort extends Cohort {
  /** The places that are still to be asked, while a full one is looked for. */
  #rest: Iterator<QueuePlace> | undefined = undefined
  /** It was at its bound when it was asked last. */
  #full: QueuePlace | undefined = undefined
  /** What the longest of the backlogs asked so far had. */
  #longestMessages = 0
  #longestBytes = 0

  /** Whether one of the backlogs is at its bound. */
  get refuses(): boolean {
    if (this.#rest === undefined && !this.mayBeFull) return false
    this.#rest ??= this.#begin()
    for (;;) {
      const place = this.#full ?? this.#next()
      if (place === undefined) return false
      if (this.places.has(place) && this.#isFull(place)) {
        this.#full = place
        return true
      }
      this.#full = undefined
    }
  }

  override tooOld(through: SequenceNumber): void {
    this.tooOldThrough = through
    this.#rest = undefined
    this.mustLook()
  }

  /** It is asked when a message comes, not afterwards. */
  protected override check(): void {}

  #begin(): Iterator<QueuePlace> {
    // What comes while they are asked, such as QoS 2 messages that were accepted before, counts from here.
    this.looked(0, 0)
    this.#longestMessages = 0
    this.#longestBytes = 0
    return this.places.values()
  }

  /** The next one to ask; undefined: all have been. */
  #next(): QueuePlace | undefined {
    const next = this.#rest?.next()
    if (next?.done === false) return next.value
    this.#rest = undefined
    const { messagesMax, bytesMax } = this.policy
    this.lookedUntilNow(messagesMax - this.#longestMessages, bytesMax - this.#longestBytes)
    return undefined
  }

  #isFull(place: QueuePlace): boolean {
    const waiting = place.waiting()
    if (this.isReachedBy(waiting)) return true
    if (waiting.messages > 0 && place.waiting(this.tooOldThrough).messages > 0) return true
    this.#longestMessages = Math.max(this.#longestMessages, waiting.messages)
    this.#longestBytes = Math.max(this.#longestBytes, waiting.bytes)
    return false
  }
}
