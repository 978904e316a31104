import { type OutgoingMessage, OutgoingState } from './outgoing-message.ts'
import type { SequenceNumber } from './outbox-store.ts'
import type { PendingDelivery } from './pending-delivery.ts'

/** Places at the front that are given back at once, when they are half of all. */
const TRIMMED_TOGETHER = 256

/**
 * Messages in the order of their numbers, with a place for the next to send. Finished ones leave from the front; one that is finished further
 * behind stays, marked, until then.
 */
export class OutgoingQueue {
  readonly #messages: OutgoingMessage[] = []
  #head = 0
  #next = 0
  #bytes = 0

  /** From the oldest unfinished message to the end. */
  get length(): number {
    return this.#messages.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of the oldest unfinished message; 0 if there is none. */
  get oldestSequence(): SequenceNumber {
    return this.#messages[this.#head]?.sequence ?? 0
  }

  push(message: OutgoingMessage): void {
    this.#messages.push(message)
    this.#bytes += message.bytes
  }

  /** The next to send. */
  peek(): OutgoingMessage | undefined {
    return this.#messages[this.#next]
  }

  advance(): void {
    this.#next++
  }

  /** The next to send is the oldest. */
  rewind(): void {
    this.#next = this.#head
  }

  /** Lets go of finished messages at the front. */
  trim(): void {
    const messages = this.#messages
    let head = this.#head
    for (let first = messages[head]; first?.state === OutgoingState.Finished; first = messages[++head]) this.#bytes -= first.bytes
    this.#head = head
    if (this.#next < head) this.#next = head
    if (head === messages.length) {
      messages.length = 0
      this.#head = 0
      this.#next = 0
    } else if (head >= TRIMMED_TOGETHER && head * 2 >= messages.length) {
      messages.splice(0, head)
      this.#next -= head
      this.#head = 0
    }
  }

  /** The unfinished message with this number that is answered. */
  find(sequence: SequenceNumber): OutgoingMessage | undefined {
    const index = this.#indexOf(sequence)
    const message = this.#messages[index]
    return message?.sequence === sequence && message.qos > 0 && message.state !== OutgoingState.Finished ? message : undefined
  }

  /** The message with this number and delivery: at QoS 0 several have the same number. */
  findDelivery(sequence: SequenceNumber, delivery: PendingDelivery): OutgoingMessage | undefined {
    const messages = this.#messages
    for (let index = this.#indexOf(sequence); messages[index]?.sequence === sequence; index++) {
      if (messages[index]?.delivery === delivery) return messages[index]
    }
    return undefined
  }

  oldestWaiting(): OutgoingMessage | undefined {
    for (const message of this.unfinished()) {
      if (message.state === OutgoingState.Waiting) return message
    }
    return undefined
  }

  *unfinished(): Generator<OutgoingMessage> {
    yield* this.#from(this.#head, this.#messages.length)
  }

  /** Those before the next to send. */
  *sent(): Generator<OutgoingMessage> {
    yield* this.#from(this.#head, this.#next)
  }

  /** The next to send and those behind it. */
  unsent(): readonly OutgoingMessage[] {
    return this.#messages.slice(this.#next)
  }

  *#from(start: number, end: number): Generator<OutgoingMessage> {
    for (let index = start; index < end; index++) {
      const message = this.#messages[index]
      if (message !== undefined && message.state !== OutgoingState.Finished) yield message
    }
  }

  /** The first message with this number, or a higher one. Numbers mostly have no gaps, so that the first guess is right. */
  #indexOf(sequence: SequenceNumber): number {
    const messages = this.#messages
    const guess = this.#head + sequence - this.oldestSequence
    if (messages[guess]?.sequence === sequence && messages[guess - 1]?.sequence !== sequence) return guess
    let low = this.#head
    let high = messages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((messages[middle]?.sequence ?? Infinity) < sequence) low = middle + 1
      else high = middle
    }
    return low
  }
}
