import { type QoS, RetainHandling, type SubscriptionRequest } from '@godwit/protocol'
import type { LocalSubscription } from './local-subscription.ts'

/** A Topic Filter that the server is to have a subscription for, and those here who share it. */
export class BrokerSubscription {
  readonly filter: string
  /** The filter that topics are compared with: without `$share/{ShareName}/`. */
  readonly topicFilter: string
  readonly identifier: number
  readonly locals: LocalSubscription[] = []
  /** The server has answered the last SUBSCRIBE for it, on this session. */
  isMade = false
  /** As the server granted it. */
  grantedQoS: QoS = 0

  constructor(filter: string, topicFilter: string, identifier: number) {
    this.filter = filter
    this.topicFilter = topicFilter
    this.identifier = identifier
  }

  /** What to ask for: the highest QoS that one of them wants; in all else the latest of them decides. */
  get request(): SubscriptionRequest {
    const { noLocal, retainAsPublished, retainHandling } = this.locals.at(-1)?.options ?? {}
    return {
      topicFilter: this.filter,
      qos: this.locals.map(({ options }) => options.qos ?? 1).reduce(higher, 0),
      noLocal: noLocal ?? false,
      retainAsPublished: retainAsPublished ?? false,
      retainHandling: retainHandling ?? RetainHandling.SendAtSubscribe
    }
  }
}

function higher(first: QoS, second: QoS): QoS {
  return first > second ? first : second
}

const IDENTIFIER_MAX = 268_435_455

/**
 * The Subscription Identifier for a filter. It follows from the filter alone, so that after a restart of ours the messages of a session that
 * went on mean what they meant before; two filters that come to the same get neighbouring ones.
 */
export function subscriptionIdentifierOf(filter: string, isTaken: (identifier: number) => boolean): number {
  // FNV-1a, of the UTF-16 units.
  let hash = 0x811c9dc5
  for (let index = 0; index < filter.length; index++) hash = Math.imul(hash ^ filter.charCodeAt(index), 0x01000193)
  let identifier = 1 + ((hash >>> 0) % IDENTIFIER_MAX)
  while (isTaken(identifier)) identifier = (identifier % IDENTIFIER_MAX) + 1
  return identifier
}
