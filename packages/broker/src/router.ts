import type { QueueId, SequenceNumber } from '@godwit/storage'
import type { Elision } from './elisions.ts'
import type { Engine } from './engine.ts'
import type { LocalSubscription } from './local-subscription.ts'
import { type Match, MatchCache, missedBy } from './match.ts'
import type { Message } from './message.ts'
import { queueFull, quotaExceeded, type Refusal, STORE_FAILED } from './refusal.ts'

/** What became of a message when it was published. */
export const Routed = {
  /** No subscription matched, and it was not retained. */
  Nowhere: 0,
  /** It went to sessions in memory only: there is nothing to wait for. */
  InMemory: 1,
  /** The store has a part of it: it may be acknowledged once the commit now gathering is durable. */
  Stored: 2
} as const

export type Routed = (typeof Routed)[keyof typeof Routed]

/** Takes each accepted message to everyone who has a matching subscription ([5.0 MQTT-4.5.0-1], [3.1.1 MQTT-4.5.0-1]). */
export class Router {
  readonly #engine: Engine
  readonly #cache: MatchCache
  #published = 0
  #elision: Elision | undefined = undefined

  constructor(engine: Engine) {
    this.#engine = engine
    this.#cache = new MatchCache(engine.tree, engine.limits.cachedTopicsMax)
  }

  /** What may let the message that was published last be acknowledged before its commit. */
  get elision(): Elision | undefined {
    return this.#elision
  }

  /** How many messages have been published since the broker started. */
  get published(): number {
    return this.#published
  }

  /** Whether somebody will have a message, now or from the history. */
  hasSubscriber(topicName: string): boolean {
    const match = this.#cache.match(topicName)
    return !match.isEmpty || match.histories.length > 0
  }

  /** Why a message cannot be accepted at the moment; undefined: it can be published. */
  refusalOf(message: Message): Refusal | undefined {
    const { store, features } = this.#engine
    if (message.qos === 0 && !message.retain) return undefined
    const isStored = (message.retain && features.retainAvailable) || this.#isQueued(message)
    if (!isStored) return undefined
    return store.failure === undefined ? this.noRoomFor(message) : STORE_FAILED
  }

  /** As `refusalOf`, for a message that is to be kept even by a store that fails: it may recover. */
  noRoomFor(message: Message): Refusal | undefined {
    const { store, limits, features, histories } = this.#engine
    const isRetained = message.retain && features.retainAvailable && message.payloadLength > 0
    const isFull = store.storedBytes >= limits.storedBytesMax && (isRetained || this.#isQueued(message))
    if (isFull && !histories.makeRoom()) return this.#limitPassed('storedBytesMax')
    if (isRetained && !this.#canRetain(message)) return this.#limitPassed('retainedMessagesMax')
    return this.#queueRefusalOf(message)
  }

  #limitPassed(limit: 'storedBytesMax' | 'retainedMessagesMax'): Refusal {
    return quotaExceeded(`this server keeps no more messages: ${limit} is ${this.#engine.limits[limit]}`)
  }

  #queueRefusalOf({ qos, topicName }: Message): Refusal | undefined {
    if (qos === 0 || !this.#engine.overflow.policies.canRefuse) return undefined
    for (const queue of this.#cache.match(topicName).queues) {
      const { refusedBy } = queue
      if (refusedBy !== undefined) return queueFull(refusedBy.refusal)
    }
    return undefined
  }

  /**
   * Delivers a message to all it matches, and retains it if it says so. What a session cannot take at once waits in the
   * log or its queue; nothing here waits for a client.
   */
  publish(message: Message): Routed {
    this.#published++
    const match = this.#cache.match(message.topicName)
    const isQueued = message.qos > 0 && match.queues.length > 0
    const sequence = isQueued || match.histories.length > 0 ? this.#append(message, match) : 0
    const isRetained = message.retain && this.#retain(message, sequence)
    this.#engine.elisions.offers()
    for (const target of match.targets) target.session.deliver(message, target, sequence)
    for (const group of match.groups) group.deliver(message, isQueued ? sequence : 0)
    if (match.absent.length > 0) this.#engine.fates.recordForMany('subscriber-offline', message, missedBy(match, message))
    // What is kept for others as well is not safe with its subscribers alone.
    const isSubscribersOwn = sequence > 0 && !isRetained && match.histories.length === 0
    const elision = isSubscribersOwn ? this.#elisionOf(match, sequence) : undefined
    if (message.qos > 0) for (const queue of match.queues) queue.appended(message, sequence)
    if (sequence > 0 && match.histories.length > 0) this.#engine.histories.appended(match.histories, message)
    for (const local of match.locals) this.#tell(local, message)
    this.#elision = elision
    if ((sequence > 0 && message.qos > 0) || isRetained) return Routed.Stored
    if (sequence > 0 || !match.isEmpty) return Routed.InMemory
    this.#engine.fates.record('no-subscriber', message, message.publisherClientId)
    return Routed.Nowhere
  }

  #elisionOf({ queues }: Match, sequence: SequenceNumber): Elision | undefined {
    const { elisions, store } = this.#engine
    let consumers = 0
    for (const queue of queues) consumers += queue.consumerCount
    return elisions.offered(sequence, store.gatheringCommit, consumers)
  }

  #isQueued({ qos, topicName }: Message): boolean {
    if (qos === 0) return false
    const { queues, histories } = this.#cache.match(topicName)
    return queues.length > 0 || histories.length > 0
  }

  /** A listener that fails is the application's mistake, not the publisher's. */
  #tell(local: LocalSubscription, message: Message): void {
    try {
      local.deliver(message)
    } catch (error) {
      const { topicFilter } = local
      this.#engine.logger.error({ err: error, topicFilter, topicName: message.topicName }, 'a listener of the application failed')
    }
  }

  /** A new topic needs room, an old one has it. */
  #canRetain({ topicName, payloadLength }: Message): boolean {
    const { store, limits } = this.#engine
    return payloadLength === 0 || store.retainedCount < limits.retainedMessagesMax || store.hasRetained(topicName)
  }

  #append(message: Message, match: Match): SequenceNumber {
    const queues: QueueId[] = []
    if (message.qos > 0) for (const queue of match.queues) if (queue.takes()) queues.push(queue.id)
    if (match.histories.length > 0 && this.#engine.histories.keeps(message)) {
      for (const history of match.histories) queues.push(history.id)
    }
    if (queues.length === 0) return 0
    message.own()
    return this.#engine.store.append(message, queues)
  }

  /** [5.0 MQTT-3.3.1-5] to [5.0 MQTT-3.3.1-7], [3.1.1 MQTT-3.3.1-5], [3.1.1 MQTT-3.3.1-10], [3.1.1 MQTT-3.3.1-11] */
  #retain(message: Message, sequence: SequenceNumber): boolean {
    const { store, fates, features } = this.#engine
    if (!features.retainAvailable) return false
    if (!this.#canRetain(message)) {
      fates.record('quota-exceeded', message, message.publisherClientId, 'limits.retainedMessagesMax')
      return false
    }
    message.own()
    if (message.payloadLength === 0) store.deleteRetained(message.topicName)
    else store.putRetained(message, sequence > 0 ? sequence : store.append(message, []))
    if (message.expiresAtMs !== Infinity) this.#engine.retainedExpiry.watch()
    return true
  }
}
