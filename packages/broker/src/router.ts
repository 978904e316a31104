import type { QueueId, SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { LocalSubscription } from './local-subscription.ts'
import { type Match, MatchCache, missedBy } from './match.ts'
import type { Message } from './message.ts'

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

  constructor(engine: Engine) {
    this.#engine = engine
    this.#cache = new MatchCache(engine.tree, engine.limits.cachedTopicsMax)
  }

  /** How many messages have been published since the broker started. */
  get published(): number {
    return this.#published
  }

  hasSubscriber(topicName: string): boolean {
    return !this.#cache.match(topicName).isEmpty
  }

  /** Whether the store would have to keep a message: in the log, or as retained, or forget the one that was. */
  isStored(message: Message): boolean {
    return (message.retain && this.#engine.features.retainAvailable) || this.#isQueued(message)
  }

  /** The limit that a message would pass if it were accepted; undefined: there is room for it. */
  limitPassedBy(message: Message): 'retainedMessagesMax' | 'storedBytesMax' | undefined {
    const { store, limits, features } = this.#engine
    const isKept = message.retain && features.retainAvailable && message.payload.byteLength > 0
    if ((isKept || this.#isQueued(message)) && store.storedBytes >= limits.storedBytesMax) return 'storedBytesMax'
    return isKept && !this.#canRetain(message) ? 'retainedMessagesMax' : undefined
  }

  /**
   * Delivers a message to all it matches, and retains it if it says so. What a session cannot take at once waits in the
   * log or its queue; nothing here waits for a client.
   */
  publish(message: Message): Routed {
    this.#published++
    const match = this.#cache.match(message.topicName)
    const sequence = message.qos > 0 && match.queues.length > 0 ? this.#append(message, match) : 0
    const isRetained = message.retain && this.#retain(message, sequence)
    for (const target of match.targets) target.session.deliver(message, target, sequence)
    for (const group of match.groups) group.deliver(message, sequence)
    if (match.absent.length > 0) this.#engine.fates.recordForMany('subscriber-offline', message, missedBy(match, message))
    if (sequence > 0) for (const queue of match.queues) queue.appended(message.byteLength)
    for (const local of match.locals) this.#tell(local, message)
    if (sequence > 0 || isRetained) return Routed.Stored
    if (!match.isEmpty) return Routed.InMemory
    this.#engine.fates.record('no-subscriber', message, message.publisherClientId)
    return Routed.Nowhere
  }

  #isQueued({ qos, topicName }: Message): boolean {
    return qos > 0 && this.#cache.match(topicName).queues.length > 0
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
  #canRetain({ topicName, payload }: Message): boolean {
    const { store, limits } = this.#engine
    return payload.byteLength === 0 || store.retainedCount < limits.retainedMessagesMax || store.hasRetained(topicName)
  }

  #append(message: Message, match: Match): SequenceNumber {
    message.own()
    const queues: QueueId[] = []
    for (const queue of match.queues) queues.push(queue.id)
    return this.#engine.store.append(message, queues)
  }

  /** [5.0 MQTT-3.3.1-5] to [5.0 MQTT-3.3.1-7], [3.1.1 MQTT-3.3.1-5], [3.1.1 MQTT-3.3.1-10], [3.1.1 MQTT-3.3.1-11] */
  #retain(message: Message, sequence: SequenceNumber): boolean {
    const { store, fates, features } = this.#engine
    if (!features.retainAvailable) return false
    if (!this.#canRetain(message)) {
      fates.record('quota-exceeded', message, message.publisherClientId)
      return false
    }
    message.own()
    if (message.payload.byteLength === 0) store.deleteRetained(message.topicName)
    else store.putRetained(message, sequence > 0 ? sequence : store.append(message, []))
    if (message.expiresAtMs !== Infinity) this.#engine.retainedExpiry.watch()
    return true
  }
}
