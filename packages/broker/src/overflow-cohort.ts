import type { Backlog, SequenceNumber } from '@godwit/storage'
import type { AgeWatch } from './age-watch.ts'
import type { DurableQueue } from './durable-queue.ts'
import type { Message } from './message.ts'
import type { OverflowPolicy } from './overflow-rules.ts'
import type { QueuePlace } from './queue-place.ts'

/** A look at every place is paid for by messages: by one for each so many places, or by so many bytes for each. */
const PLACES_PER_MESSAGE = 4
const BYTES_PER_PLACE = 1024

/**
 * The places in one queue for which the same policy goes, and which are therefore at their bound from the same position in
 * the queue on: nothing needs to be kept, or done, for each of them when a message comes. They are looked at only once
 * that position has passed the slowest of them, and then not before messages have come that outweigh the work.
 */
export abstract class Cohort {
  readonly queue: DurableQueue
  readonly policy: OverflowPolicy
  readonly places: Set<QueuePlace> = new Set()
  /** Looks after the age of what waits; undefined: any age will do. */
  ageWatch: AgeWatch | undefined = undefined
  /** Whatever waits up to here has waited for too long. */
  protected tooOldThrough: SequenceNumber = 0
  /** How much can come until one of them may be at its bound. */
  #messagesLeft = 0
  #bytesLeft = 0
  #messagesSinceCheck = 0
  #bytesSinceCheck = 0

  constructor(queue: DurableQueue, policy: OverflowPolicy) {
    this.queue = queue
    this.policy = policy
  }

  add(place: QueuePlace): void {
    this.places.add(place)
    // Most are new, and nothing waits for them yet.
    if (place.readThrough < this.queue.lastSequence) this.mustLook()
    if (place.readThrough < this.tooOldThrough) this.tooOld(this.tooOldThrough)
  }

  remove(place: QueuePlace): void {
    this.places.delete(place)
    if (this.places.size === 0) this.ageWatch?.end()
  }

  /** A message was appended to the queue. */
  appended(message: Message, _sequence: SequenceNumber): void {
    this.ageWatch?.appended()
    const { byteLength } = message
    this.#messagesLeft--
    this.#bytesLeft -= byteLength
    this.#messagesSinceCheck++
    this.#bytesSinceCheck += byteLength
    if (this.mayBeFull && this.#isPaidFor) this.check()
  }

  /** Everything that waits up to a sequence number has waited for too long; called with rising numbers. */
  abstract tooOld(through: SequenceNumber): void

  /** A place's consumer is about to read on, or has done so. */
  settle(_place: QueuePlace): void {}

  /** A place's consumer has read everything. */
  caughtUp(_place: QueuePlace): void {}

  /** A place's consumer reads again, after it could not for a while. */
  resumed(_place: QueuePlace): void {}

  /** Counts what has been dropped and is not counted yet. */
  tally(): void {}

  /** Looks at every place; ends with `looked`. */
  protected abstract check(): void

  /** Whether one of the places may be at its bound. */
  protected get mayBeFull(): boolean {
    return this.#messagesLeft <= 0 || this.#bytesLeft <= 0
  }

  protected mustLook(): void {
    this.#messagesLeft = 0
    this.#messagesSinceCheck = Infinity
  }

  /** Every place has been looked at; so much can come until one of them may be at its bound. */
  protected looked(messagesLeft: number, bytesLeft: number): void {
    this.#messagesLeft = messagesLeft
    this.#bytesLeft = bytesLeft
    this.#messagesSinceCheck = 0
    this.#bytesSinceCheck = 0
  }

  /** As `looked`, which was called when the look began. */
  protected lookedUntilNow(messagesLeft: number, bytesLeft: number): void {
    this.#messagesLeft += messagesLeft
    this.#bytesLeft += bytesLeft
  }

  /** The bound has been reached, in messages or bytes. */
  protected isReachedBy({ messages, bytes }: Backlog): boolean {
    return messages >= this.policy.messagesMax || bytes >= this.policy.bytesMax
  }

  protected isPassedBy({ messages, bytes }: Backlog): boolean {
    return messages > this.policy.messagesMax || bytes > this.policy.bytesMax
  }

  get #isPaidFor(): boolean {
    const { size } = this.places
    return this.#messagesSinceCheck * PLACES_PER_MESSAGE >= size || this.#bytesSinceCheck >= size * BYTES_PER_PLACE
  }
}

/** Where the slowest of some places has read to. */
export function slowestOf(places: Iterable<QueuePlace>): SequenceNumber {
  let slowest = Infinity
  for (const place of places) slowest = Math.min(slowest, place.readThrough)
  return slowest
}
