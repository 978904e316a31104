import { topicMatches } from '@godwit/protocol'
import type { BrokerSubscription } from './broker-subscription.ts'
import type { Clock } from './clock.ts'
import type { Emitter } from './emitter.ts'
import type { MessageRouter } from './incoming.ts'
import { UNCLAIMED_MESSAGES_MAX } from './limits.ts'
import type { LocalSubscription } from './local-subscription.ts'
import type { ReceivedMessage } from './received-message.ts'

const TOPICS_CACHED_MAX = 1_000

/** Who asks for messages. */
interface RoutedSubscriptions {
  all(): Iterable<BrokerSubscription>
  find(identifier: number): BrokerSubscription | undefined
}

export interface MessageRoutesOptions {
  readonly subscriptions: RoutedSubscriptions
  readonly clock: Clock
  readonly emitter: Emitter
  readonly unclaimedHoldMs: number
}

interface Unclaimed {
  readonly message: ReceivedMessage
  readonly untilMs: number
}

/**
 * Finds the subscriptions that a message is for: by the Subscription Identifiers that came with it, else by its topic. One that is for none waits
 * for a while: an application that starts anew may not have come to its `subscribe` yet.
 */
export class MessageRoutes implements MessageRouter {
  readonly #options: MessageRoutesOptions
  readonly #byTopic = new Map<string, readonly LocalSubscription[]>()
  #targets: readonly LocalSubscription[] = []
  #unclaimed: Unclaimed[] = []
  #cancelTimer: (() => void) | undefined = undefined
  /** The session is one that an earlier process began: what comes may be for those who have yet to subscribe. */
  continuesSession = false

  constructor(options: MessageRoutesOptions) {
    this.#options = options
  }

  match(topicName: string, subscriptionIdentifiers: readonly number[] | undefined): number {
    this.#targets = subscriptionIdentifiers === undefined ? this.#matching(topicName) : this.#identified(subscriptionIdentifiers)
    return Math.max(1, this.#targets.length)
  }

  deliver(place: number, message: ReceivedMessage): void {
    const target = this.#targets[place]
    if (target === undefined) this.#hold(message)
    else target.deliver(message)
  }

  /** Subscriptions have come or gone. */
  changed(): void {
    this.#byTopic.clear()
  }

  /** Gives a new subscription what has waited for it. */
  claim(made: BrokerSubscription, local: LocalSubscription): void {
    const claimed = this.#unclaimed.filter(({ message }) => isFor(made, message))
    if (claimed.length === 0) return
    this.#unclaimed = this.#unclaimed.filter((each) => !claimed.includes(each))
    for (const { message } of claimed) local.deliver(message)
  }

  /** Nobody will ask any more: the server keeps what was not acknowledged. */
  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#unclaimed = []
    this.#targets = []
    this.#byTopic.clear()
  }

  #identified(identifiers: readonly number[]): readonly LocalSubscription[] {
    const [first] = identifiers
    if (identifiers.length === 1 && first !== undefined) return this.#options.subscriptions.find(first)?.locals ?? []
    return identifiers.flatMap((identifier) => this.#options.subscriptions.find(identifier)?.locals ?? [])
  }

  #matching(topicName: string): readonly LocalSubscription[] {
    const cached = this.#byTopic.get(topicName)
    if (cached !== undefined) return cached
    const matching: LocalSubscription[] = []
    for (const { topicFilter, locals } of this.#options.subscriptions.all()) {
      if (topicMatches(topicFilter, topicName)) matching.push(...locals)
    }
    if (this.#byTopic.size >= TOPICS_CACHED_MAX) this.#byTopic.clear()
    this.#byTopic.set(topicName, matching)
    return matching
  }

  #hold(message: ReceivedMessage): void {
    const { clock, unclaimedHoldMs } = this.#options
    this.#unclaimed.push({ message, untilMs: clock.now() + unclaimedHoldMs })
    const holds = this.continuesSession && unclaimedHoldMs > 0
    if (!holds || this.#unclaimed.length > UNCLAIMED_MESSAGES_MAX) this.#giveUp(this.#unclaimed.shift())
    else this.#cancelTimer ??= clock.at(clock.now() + unclaimedHoldMs, () => this.#expire())
  }

  #expire(): void {
    const { clock } = this.#options
    const nowMs = clock.now()
    while ((this.#unclaimed[0]?.untilMs ?? Infinity) <= nowMs) this.#giveUp(this.#unclaimed.shift())
    const next = this.#unclaimed[0]
    this.#cancelTimer = next === undefined ? undefined : clock.at(next.untilMs, () => this.#expire())
  }

  #giveUp(unclaimed: Unclaimed | undefined): void {
    if (unclaimed === undefined) return
    this.#options.emitter.emit('unclaimed', { message: unclaimed.message })
    unclaimed.message.ack()
  }
}

function isFor({ identifier, topicFilter }: BrokerSubscription, { topic, subscriptionIdentifiers }: ReceivedMessage): boolean {
  if (subscriptionIdentifiers.length > 0) return subscriptionIdentifiers.includes(identifier)
  return topicMatches(topicFilter, topic)
}
