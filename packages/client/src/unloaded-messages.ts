import type { ClientError } from './client-error.ts'
import type { PublishedMessage } from './events.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import type { OutboxContents, SequenceNumber } from './outbox-store.ts'
import type { PendingDelivery } from './pending-delivery.ts'

/** Of a message that is in the outbox only. */
interface UnloadedMessage {
  readonly delivery: PendingDelivery
  readonly bytes: number
  readonly published: PublishedMessage
}

/** A message that was read from the outbox: who waits for it, unless an earlier process accepted it. */
export interface LoadedMessage {
  readonly delivery: PendingDelivery | undefined
  readonly isOwn: boolean
}

/** The messages behind those in memory: they are in the outbox only, and come into memory in their order. */
export class UnloadedMessages {
  #count = 0
  #loadedThrough: SequenceNumber = 0
  /** The first message that was accepted here, and not by an earlier process. */
  #firstOwnSequence: SequenceNumber = 1
  /** Of our own. */
  readonly #messages = new Map<SequenceNumber, UnloadedMessage>()

  get count(): number {
    return this.#count
  }

  /** All messages up to this one are, or were, in memory. */
  get loadedThrough(): SequenceNumber {
    return this.#loadedThrough
  }

  /** Of the oldest of our own. */
  get oldestDelivery(): PendingDelivery | undefined {
    return this.#messages.values().next().value?.delivery
  }

  /** At first everything in the outbox is. */
  restore({ messages, nextSequence }: OutboxContents): void {
    this.#count = messages
    this.#firstOwnSequence = nextSequence
    if (messages === 0) this.#loadedThrough = nextSequence - 1
  }

  /** A message was accepted that there is no room for in memory. */
  add({ sequence, bytes, published }: OutgoingMessage, delivery: PendingDelivery): void {
    this.#count++
    this.#messages.set(sequence, { delivery, bytes, published })
  }

  /** A message was accepted that is in memory. */
  pass(sequence: SequenceNumber): void {
    this.#loadedThrough = sequence
  }

  /** Takes a message out; undefined: it is not here. */
  withdraw(sequence: SequenceNumber): UnloadedMessage | undefined {
    const message = this.#messages.get(sequence)
    if (message === undefined) return undefined
    this.#messages.delete(sequence)
    this.#count--
    return message
  }

  /** A message was read from the outbox; undefined: it was withdrawn since. */
  load(sequence: SequenceNumber): LoadedMessage | undefined {
    this.#loadedThrough = sequence
    const isOwn = sequence >= this.#firstOwnSequence
    const delivery = this.#messages.get(sequence)?.delivery
    if (isOwn && delivery === undefined) return undefined
    this.#messages.delete(sequence)
    this.#count--
    return { delivery, isOwn }
  }

  close(error: ClientError): void {
    for (const { delivery } of this.#messages.values()) delivery.finish(error)
    this.#messages.clear()
  }
}
