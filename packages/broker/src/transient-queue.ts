import type { FateLedger } from './fates.ts'
import type { Delivery } from './inflight.ts'
import type { SharedBound } from './shared-bound.ts'

/**
 * What waits in memory for a session, or a group, that ends with its connections: bounded in number and bytes; the
 * oldest goes first, and is counted.
 */
export class TransientQueue {
  readonly #messagesMax: number
  readonly #bound: SharedBound
  readonly #fates: FateLedger
  readonly #owner: string
  #entries: (Delivery | undefined)[] = []
  #head = 0
  #bytes = 0

  /**
   * @param bound what all such queues share
   * @param owner the ClientID, or the group's filter, that a dropped message is counted for
   */
  constructor(messagesMax: number, bound: SharedBound, fates: FateLedger, owner: string) {
    this.#messagesMax = messagesMax
    this.#bound = bound
    this.#fates = fates
    this.#owner = owner
  }

  get length(): number {
    return this.#entries.length - this.#head
  }

  push(delivery: Delivery): void {
    delivery.message.own()
    this.#entries.push(delivery)
    this.#count(delivery.message.byteLength)
    for (let limit = this.#passedLimit; limit !== undefined; limit = this.#passedLimit) {
      const oldest = this.shift()
      if (oldest !== undefined) this.#fates.record('queue-full', oldest.message, this.#owner, limit)
    }
  }

  peek(): Delivery | undefined {
    return this.#entries[this.#head]
  }

  shift(): Delivery | undefined {
    const delivery = this.#entries[this.#head]
    if (delivery === undefined) return undefined
    this.#entries[this.#head++] = undefined
    this.#count(-delivery.message.byteLength)
    if (this.#head > 256 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return delivery
  }

  get #passedLimit(): string | undefined {
    if (this.length > this.#messagesMax) return 'limits.transientQueuedMessagesMax'
    if (this.#bytes <= this.#bound.eachMax || this.length <= 1) return undefined
    return 'limits.transientQueuedBytesMax or limits.transientQueuesBytesMax'
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#bound.changed(bytes)
  }
}
