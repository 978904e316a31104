import type { Backlog, QueueId, SequenceNumber, Store } from '@godwit/storage'
import type { FateLedger } from './fates.ts'
import type { Limits } from './limits.ts'
import type { LogConsumer } from './log-consumer.ts'

/** A queue is looked over at least this rarely while messages come: once per this many, or per consumer if there are more. */
const APPENDS_PER_TRIM_MIN = 64
/** Consumers over their bound are cut back each time it has been passed by this share of it. */
const SLACK = 64

/**
 * A queue of the log as the engine sees it: one topic filter, and the consumers that read it. It is cut below the
 * slowest of them; those that wait for more than the limits allow lose the oldest.
 *
 * Both are done once in so many messages, because each looks at every consumer: a broadcast to 100,000 offline
 * sessions must not cost anything per session and message.
 */
export class DurableQueue {
  readonly id: QueueId
  readonly topicFilter: string
  readonly #store: Store
  readonly #limits: Limits
  readonly #fates: FateLedger
  readonly #onMoved: (queue: DurableQueue) => void
  readonly #consumers = new Set<LogConsumer>()
  #trimmedThrough: SequenceNumber = 0
  #appendsUntilTrim = APPENDS_PER_TRIM_MIN
  #messagesUntilCheck = 0
  #bytesUntilCheck = 0
  /** Told of a change that may allow a cut; reset by `trim`. */
  #hasMoved = false

  /** @param onMoved called once after a change that may allow a cut, until the next `trim` */
  constructor(store: Store, topicFilter: string, limits: Limits, fates: FateLedger, onMoved: (queue: DurableQueue) => void) {
    this.#store = store
    this.#limits = limits
    this.#fates = fates
    this.#onMoved = onMoved
    this.topicFilter = topicFilter
    this.id = store.openQueue(topicFilter)
  }

  get isUnused(): boolean {
    return this.#consumers.size === 0
  }

  add(consumer: LogConsumer): void {
    this.#consumers.add(consumer)
  }

  remove(consumer: LogConsumer): void {
    this.#consumers.delete(consumer)
    this.consumerMoved()
  }

  consumerMoved(): void {
    if (this.#hasMoved) return
    this.#hasMoved = true
    this.#onMoved(this)
  }

  /** A message was appended for this queue, and has been offered to its consumers. */
  appended(bytes: number): void {
    // Not every message moves a consumer: one may be too large for its only subscriber, or its own.
    this.consumerMoved()
    if (--this.#appendsUntilTrim <= 0) this.trim()
    this.#messagesUntilCheck--
    this.#bytesUntilCheck -= bytes
    if (this.#messagesUntilCheck < 0 || this.#bytesUntilCheck < 0) this.#enforceLimits()
  }

  /** Cuts off what every consumer has finished. */
  trim(): void {
    this.#hasMoved = false
    this.#appendsUntilTrim = Math.max(APPENDS_PER_TRIM_MIN, this.#consumers.size)
    let slowest = this.#store.lastSequence
    for (const consumer of this.#consumers) slowest = Math.min(slowest, consumer.finishedThrough(this))
    if (slowest <= this.#trimmedThrough) return
    this.#trimmedThrough = slowest
    this.#store.trimQueue(this.id, slowest)
  }

  #enforceLimits(): void {
    const { queuedMessagesMax, queuedBytesMax } = this.#limits
    let longest = this.#held(this.#trimmedThrough)
    if (this.#exceeds(longest)) {
      longest = { messages: 0, bytes: 0 }
      for (const consumer of this.#consumers) longest = larger(longest, this.#cutBack(consumer))
    }
    this.#messagesUntilCheck = Math.max(queuedMessagesMax - longest.messages, Math.floor(queuedMessagesMax / SLACK))
    this.#bytesUntilCheck = Math.max(queuedBytesMax - longest.bytes, Math.floor(queuedBytesMax / SLACK))
  }

  /** Drops the oldest that a consumer waits for until the rest is within the limits; returns the rest. */
  #cutBack(consumer: LogConsumer): Backlog {
    const after = consumer.readThrough(this)
    const waiting = this.#held(after)
    if (!this.#exceeds(waiting)) return waiting
    let low = after
    let high = this.#store.lastSequence
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#exceeds(this.#held(middle))) low = middle + 1
      else high = middle
    }
    const rest = this.#held(low)
    consumer.skip(this, low)
    this.consumerMoved()
    this.#fates.recordMany('queue-full', waiting.messages - rest.messages, this.topicFilter, consumer.key)
    return rest
  }

  #held(after: SequenceNumber): Backlog {
    return this.#store.backlog({ queue: this.id, after })
  }

  #exceeds(backlog: Backlog): boolean {
    return backlog.messages > this.#limits.queuedMessagesMax || backlog.bytes > this.#limits.queuedBytesMax
  }
}

function larger(a: Backlog, b: Backlog): Backlog {
  return { messages: Math.max(a.messages, b.messages), bytes: Math.max(a.bytes, b.bytes) }
}
