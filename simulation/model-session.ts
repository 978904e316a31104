import { parseSharedSubscription, type QoS, type SubscriptionRequest, topicMatches } from '@godwit/protocol'
import type { Moment, PublishedMessage } from './published-message.ts'

/** A subscription, and those that replaced it without a gap. */
export class ModelSubscription {
  readonly topicFilter: string
  /** What topics are matched with. */
  readonly matchFilter: string
  /** `$share/NAME/FILTER`; undefined: not shared. */
  readonly group: string | undefined
  readonly noLocal: boolean
  readonly requestedAt: Moment
  /** SUBACK has come: from here on nothing may be missed. */
  grantedAt: Moment | undefined = undefined
  qosMin: QoS
  qosMax: QoS
  readonly identifiers: Set<number> = new Set()
  /** It may have ended since, of UNSUBSCRIBE or by another that replaced it. */
  endingAt: Moment | undefined = undefined
  /** It was replaced by one of QoS 0: what came before must be sent all the same. */
  isReplaced = false
  /** It was replaced by one of QoS 0 that may go on with its replay, and loses what is under way when the connection is lost. */
  mayGoOnAtMostOnce = false
  /** UNSUBACK has come: what is published later must not be sent. */
  endedAt: Moment | undefined = undefined

  constructor({ topicFilter, qos, noLocal }: SubscriptionRequest, identifier: number, moment: Moment) {
    const shared = parseSharedSubscription(topicFilter)
    this.topicFilter = topicFilter
    this.matchFilter = shared?.topicFilter ?? topicFilter
    this.group = shared === undefined ? undefined : topicFilter
    this.noLocal = noLocal
    this.requestedAt = moment
    this.qosMin = qos
    this.qosMax = qos
    if (identifier > 0) this.identifiers.add(identifier)
  }

  /** Whether a request goes on with it: whichever of the two is in force, the same messages match. */
  goesOnWith({ qos, noLocal }: SubscriptionRequest): boolean {
    return this.endingAt === undefined && noLocal === this.noLocal && qos > 0 === this.qosMin > 0
  }

  replacedBy({ qos }: SubscriptionRequest, identifier: number): void {
    if (qos < this.qosMin) this.qosMin = qos
    if (qos > this.qosMax) this.qosMax = qos
    if (identifier > 0) this.identifiers.add(identifier)
  }

  matches({ content }: PublishedMessage, clientId: string): boolean {
    return topicMatches(this.matchFilter, content.topicName) && !(this.noLocal && content.publisher === clientId)
  }

  /** Whether a message may be sent for it. */
  mayBring(message: PublishedMessage, clientId: string): boolean {
    return this.matches(message, clientId) && (this.endedAt === undefined || message.firstSentAt < this.endedAt)
  }

  /** Whether it was in force when a message was first sent, which it brings at this QoS at least. */
  covers({ firstSentAt }: PublishedMessage, qos: QoS): boolean {
    const { grantedAt = Infinity, endingAt = Infinity } = this
    return this.qosMin >= qos && grantedAt < firstSentAt && firstSentAt < endingAt
  }

  /** Whether a message that was accepted was, for a time at least, to be sent for it. */
  wasOwing(message: PublishedMessage, clientId: string): boolean {
    const { acceptedAt, firstSentAt } = message
    if (acceptedAt === undefined || this.grantedAt === undefined || this.qosMin === 0 || this.group !== undefined) return false
    if (this.mayGoOnAtMostOnce) return false
    // No Local may have come over its own messages while they waited.
    if (this.endingAt !== undefined && message.content.publisher === clientId) return false
    return firstSentAt > this.grantedAt && acceptedAt < (this.endingAt ?? Infinity) && this.matches(message, clientId)
  }

  /** Whether a message that was accepted must be sent for it, as long as the session lives. */
  mustBring(message: PublishedMessage, clientId: string): boolean {
    const { acceptedAt, firstSentAt } = message
    if (acceptedAt === undefined || this.grantedAt === undefined || this.qosMin === 0) return false
    if (firstSentAt < this.grantedAt || !this.matches(message, clientId)) return false
    return this.endingAt === undefined || (this.isReplaced && acceptedAt < this.endingAt)
  }
}

/** What a session has got of one message. */
export interface Received {
  /** How often it was a new message to the client: of a QoS 2 message, not the repetitions. */
  times: number
  /** How often it came at QoS 1 without DUP. */
  withoutDup: number
  /** How often it came at QoS 2 and was new. */
  atQoS2: number
  /** When it last came with RETAIN; 0: never. */
  retainedAt: Moment
  /** When it first came, and last. */
  readonly arrivedAt: Moment
  latestAt: Moment
}

/** A session from its creation to its end, as its client sees it. */
export class ModelSession {
  readonly clientId: string
  readonly beganAt: Moment
  readonly subscriptions: ModelSubscription[] = []
  readonly received: Map<string, Received> = new Map()
  /** By publisher, topic and QoS: the latest message that came for the first time. */
  readonly latest: Map<string, number> = new Map()
  connections = 0
  /** Whether it was made to outlive its connection. */
  readonly isDurable: boolean
  /** When its client was last connected: up to here it was there. */
  lastConnectedAt: Moment
  /** From when it may have ended, of which a crash then left no trace, to the next connection. */
  readonly #gaps: (readonly [fromMs: number, to: Moment])[] = []
  endedAt: Moment | undefined = undefined

  constructor(clientId: string, moment: Moment, isDurable: boolean) {
    this.clientId = clientId
    this.isDurable = isDurable
    this.lastConnectedAt = moment
    this.beganAt = moment
  }

  mayHaveEndedBetween(fromMs: number, to: Moment): void {
    this.#gaps.push([fromMs, to])
  }

  /** Whether a message may have been published while it was ended. */
  mayHaveMissed({ firstSentAt, acceptedMs = Infinity }: PublishedMessage): boolean {
    return this.#gaps.some(([fromMs, to]) => acceptedMs >= fromMs && firstSentAt < to)
  }

  /** The subscription that is or may be in force for a filter. */
  current(topicFilter: string): ModelSubscription | undefined {
    return this.subscriptions.findLast((each) => each.topicFilter === topicFilter && each.endedAt === undefined)
  }

  got(id: string): Received | undefined {
    return this.received.get(id)
  }
}
