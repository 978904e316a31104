import { type MessageProperties, validateTopicName } from '@godwit/protocol'
import type { LogEntry, SequenceNumber, Store } from '@godwit/storage'
import type { Clock } from './clock.ts'
import { type CutReason, reasonOf } from './cutting-cohort.ts'
import type { FateLedger } from './fates.ts'
import { isPromise } from './maybe-promise.ts'
import { Message } from './message.ts'
import { deadLetterTopicOf } from './overflow-rules.ts'
import type { QueuePlace } from './queue-place.ts'

/** Messages moved before others get their turn. */
const MESSAGES_PER_TURN = 256

/** Says of which message a dead letter was made. */
const TOPIC_PROPERTY = 'godwit-topic'

export interface DeadLettersParts {
  readonly store: Store
  readonly clock: Clock
  readonly fates: FateLedger
  /** Goes on at the end of this event-loop turn. */
  readonly defer: (callback: () => void) => void
  /** Publishes a message unless it is refused; then false. */
  readonly publish: (message: Message) => boolean
  readonly reportStoreError: (error: unknown) => void
}

interface Move {
  through: SequenceNumber
  reason: CutReason
}

/**
 * Moves what backlogs give up to other topics: it is read from the log, published again, and given up, all in one
 * commit, some messages a turn. What a consumer takes meanwhile by itself is not moved.
 */
export class DeadLetters {
  readonly #parts: DeadLettersParts
  /** In the order in which they began; the first is being moved. */
  readonly #moves = new Map<QueuePlace, Move>()
  #hasEnded = false

  constructor(parts: DeadLettersParts) {
    this.#parts = parts
  }

  /** Has what waits in a place up to a sequence number moved. */
  move(place: QueuePlace, through: SequenceNumber, reason: CutReason): void {
    const known = this.#moves.get(place)
    if (known !== undefined) {
      if (known.through < through) Object.assign(known, { through, reason })
      return
    }
    this.#moves.set(place, { through, reason })
    if (this.#moves.size === 1) this.#continue()
  }

  /** Leaves what has not been moved where it is: the store is about to be closed. */
  end(): void {
    this.#hasEnded = true
    this.#moves.clear()
  }

  #continue(): void {
    this.#parts.defer(() => this.#run())
  }

  #run(): void {
    let left = MESSAGES_PER_TURN
    for (const [place, { through }] of this.#moves) {
      const limit = Math.min(left, messagesTo(place, through))
      if (left === 0) break
      if (limit === 0) {
        this.#moves.delete(place)
        continue
      }
      const entries = this.#parts.store.read([{ queue: place.queue.id, after: place.readThrough }], limit)
      if (isPromise(entries)) {
        this.#takeLater(place, entries)
        return
      }
      this.#take(place, entries)
      left -= limit
    }
    if (this.#moves.size > 0) this.#continue()
  }

  #takeLater(place: QueuePlace, entries: Promise<readonly LogEntry[]>): void {
    entries.then(
      (read) => {
        if (this.#hasEnded) return
        this.#take(place, read)
        this.#continue()
      },
      (error: unknown) => {
        // What comes next to the queue, or the next look at its age, begins it anew.
        this.#moves.delete(place)
        this.#parts.reportStoreError(error)
        this.#continue()
      }
    )
  }

  #take(place: QueuePlace, entries: readonly LogEntry[]): void {
    const move = this.#moves.get(place)
    if (move === undefined || !place.isTaken) return
    const { through, reason } = move
    for (const entry of entries) if (entry.sequence <= through) this.#moveEntry(place, entry, reason)
    place.giveUpThrough(Math.min(entries.at(-1)?.sequence ?? through, through))
  }

  #moveEntry(place: QueuePlace, entry: LogEntry, reason: CutReason): void {
    const { fates, clock, publish } = this.#parts
    const { consumer } = place
    const { key } = consumer
    // Read while it waited; what another of the consumer's subscriptions still has in store for it is not lost.
    if (entry.sequence <= place.readThrough || !place.awaits(entry) || consumer.isHeldElsewhere(entry, place)) return
    const message = Message.of(entry.message)
    if (message.isExpired(clock.now())) {
      fates.record('expired', message, key)
      return
    }
    const topicName = deadLetterTopicOf(place.cohort.policy, message.topicName)
    // Never a dead letter of a dead letter: two rules could send a message round for ever.
    const isMoved =
      !isDeadLetter(message) &&
      validateTopicName(topicName) === undefined &&
      publish(this.#deadLetterOf(message, topicName, key, reason))
    fates.record(isMoved ? 'dead-lettered' : 'queue-full', message, key, reasonOf(place.cohort.policy, reason))
  }

  #deadLetterOf(message: Message, topicName: string, key: string, reason: CutReason): Message {
    const { payload, qos } = message
    const { messageExpiryInterval: _expiry, userProperties = [], ...properties } = message.properties
    const about: MessageProperties = {
      ...properties,
      userProperties: [
        ...userProperties,
        [TOPIC_PROPERTY, message.topicName],
        ['godwit-client', key],
        ['godwit-reason', reason],
        ['godwit-published-at', new Date(message.publishedAtMs).toISOString()]
      ]
    }
    return Message.publish({ topicName, payload, qos, retain: false, properties: about }, '', this.#parts.clock.now())
  }
}

/** How many messages are to be moved, as far as the place has not been left. */
function messagesTo({ queue, readThrough, isTaken }: QueuePlace, through: SequenceNumber): number {
  return isTaken && readThrough < through ? queue.held(readThrough).messages - queue.held(through).messages : 0
}

/** Only the broker, and the application that embeds it, publish without a ClientID. */
function isDeadLetter({ publisherClientId, properties }: Message): boolean {
  return publisherClientId === '' && properties.userProperties?.some(([name]) => name === TOPIC_PROPERTY) === true
}
