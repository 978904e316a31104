import type { QoS, SubscriptionRequest } from '@godwit/protocol'
import type { Noticed } from './deadline.ts'
import type { Profile } from './history.ts'
import { type Attempt, type ConnectRequest, type Farewell, ModelClient } from './model-client.ts'
import { ModelSession, ModelSubscription } from './model-session.ts'
import { OverflowModel } from './overflow-model.ts'
import { type Moment, type PublishedContent, PublishedMessage } from './published-message.ts'
import { ReplayModel, type Subscribing } from './replay-model.ts'
import { RetainedModel } from './retained-model.ts'
import { isHistoryFilter, overflowAction } from './rules.ts'
import { Violation } from './violation.ts'

/** A message as it came to a client. */
export interface Arrival {
  readonly id: string
  readonly topicName: string
  readonly qos: QoS
  readonly dup: boolean
  readonly retain: boolean
  readonly subscriptionIdentifiers: readonly number[]
  /** Seconds; undefined: the message does not expire, or the client's version does not tell. */
  readonly expirySeconds: number | undefined
  /** Whether the client's version tells of identifiers and expiry. */
  readonly isMqtt5: boolean
}

/** What a SUBSCRIBE asked for. */
export interface Asked {
  readonly askedAt: Moment
  readonly subscriptions: readonly ModelSubscription[]
}

/**
 * What the broker has to do, drawn from what clients did and saw alone: it shares nothing with the engine but the rule by
 * which topics match. What may have happened, because bytes were on their way when something broke, is kept apart from what
 * must have happened; only the latter is demanded, and only what neither allows is forbidden.
 */
export class Model {
  readonly messages: Map<string, PublishedMessage> = new Map()
  readonly clients: Map<string, ModelClient> = new Map()
  /** All there were. */
  readonly sessions: ModelSession[] = []
  readonly retained: RetainedModel
  readonly overflow: OverflowModel
  readonly replays: ReplayModel
  /** How often the broker has crashed. */
  readonly crashedAt: Moment[] = []
  /** Whether the store has failed at any time. */
  hasStoreFailed = false
  readonly #clock: () => number
  #moment: Moment = 0
  #messages = 0
  #isStoreFailing = false
  #startedAt: Moment = 0
  /** In the order of their publishing. */
  readonly #numbers = new Map<string, number>()
  /** What the broker may still act on though nobody waits for its answer. */
  readonly #loose = new Set<PublishedMessage>()

  constructor(
    nowMs: () => number,
    { inflightMax, backlogMax, historyMax }: Pick<Profile, 'inflightMax' | 'backlogMax' | 'historyMax'>
  ) {
    this.#clock = nowMs
    this.retained = new RetainedModel(nowMs)
    this.overflow = new OverflowModel(this, backlogMax, inflightMax)
    this.replays = new ReplayModel(this, historyMax)
  }

  get nowMs(): number {
    return this.#clock()
  }

  next(): Moment {
    return ++this.#moment
  }

  client(clientId: string): ModelClient {
    let client = this.clients.get(clientId)
    if (client === undefined) {
      client = new ModelClient(clientId)
      this.clients.set(clientId, client)
    }
    return client
  }

  newMessage(content: Omit<PublishedContent, 'id'>): PublishedMessage {
    const id = `${content.isWill ? 'will' : 'message'} ${++this.#messages}`
    const message = new PublishedMessage({ ...content, id }, this.next(), this.nowMs)
    this.messages.set(id, message)
    this.#numbers.set(id, this.#messages)
    if (content.isWill && content.retain) this.retained.writing(message)
    return message
  }

  /** PUBLISH is written. */
  publishing(message: PublishedMessage): void {
    const moment = this.next()
    if (message.transmissions++ === 0) {
      message.firstSentAt = moment
      message.firstSentMs = this.nowMs
      if (message.content.retain) this.retained.writing(message)
    }
    if (message.content.qos === 0) this.#loose.add(message)
  }

  accepted(message: PublishedMessage): void {
    message.accepted(this.next(), this.nowMs)
    this.overflow.checkAccepted(message)
  }

  /** The broker has refused it. What was sent before that may have been taken. */
  refused(message: PublishedMessage): void {
    const { id } = message.content
    message.isRefused = message.transmissions === 1
    if (!this.#isStoreFailing) this.overflow.checkRefused(message)
    if (message.isRefused && this.sessions.some((session) => session.got(id) !== undefined)) {
      throw new Violation(`"${id}" was refused, and somebody has got it`)
    }
    this.#loose.add(message)
  }

  givenUp(message: PublishedMessage): void {
    message.isGivenUp = true
    this.#loose.add(message)
  }

  connecting(clientId: string, request: ConnectRequest): Attempt {
    const moment = this.next()
    const client = this.client(clientId)
    const attempt = client.connecting(request, this.nowMs)
    if (request.cleanStart) {
      if (client.session !== undefined) client.session.endedAt = moment
      client.session = undefined
    }
    return attempt
  }

  /** @returns the session that goes on, or has begun */
  connected(clientId: string, attempt: Attempt, sessionPresent: boolean): ModelSession {
    const moment = this.next()
    const client = this.client(clientId)
    if (attempt.mustBePresent && !sessionPresent) throw new Violation(`the session of ${clientId} is gone`)
    if (attempt.mustBeAbsent && sessionPresent) throw new Violation(`the session of ${clientId} should be gone`)
    client.accepted(attempt, sessionPresent, this.nowMs)
    let { session } = client
    if (session === undefined || !sessionPresent) {
      if (session !== undefined) session.endedAt = moment
      session = new ModelSession(clientId, moment, attempt.expirySeconds > 0)
      client.session = session
      this.sessions.push(session)
    } else if (!attempt.mustBePresent) session.mayHaveEndedBetween(attempt.mayHaveEndedMs, moment)
    session.connections++
    return session
  }

  connectionOver(clientId: string, farewell?: Farewell, noticed: Noticed = 'at once'): void {
    const moment = this.next()
    const { attempt, session } = this.client(clientId)
    if (attempt?.isAccepted === true && session !== undefined) session.lastConnectedAt = moment
    // The beginning of a history may still be looked for.
    const isRead = session === undefined || !this.replays.isAsking(session)
    this.client(clientId).connectionOver(this.nowMs, farewell, noticed === 'at once' && !isRead ? 'when quiet' : noticed)
  }

  crashed(): void {
    this.crashedAt.push(this.next())
    for (const client of this.clients.values()) client.brokerGone(this.nowMs)
  }

  /** The broker shut down in order, and took its clients' connections with it. */
  stopped(): void {
    this.next()
    for (const client of this.clients.values()) client.brokerStopped(this.nowMs)
  }

  /** The store fails, or is about to: the broker ends the connections of those whom it would have to answer. */
  storeFails(): void {
    this.#isStoreFailing = true
    this.hasStoreFailed = true
  }

  /** Whether the broker has come up since, which may know no more of what it had sent. */
  hasRestartedSince(moment: Moment): boolean {
    return this.#startedAt > moment
  }

  started(): void {
    this.#startedAt = this.next()
    for (const client of this.clients.values()) client.brokerBack(this.nowMs)
  }

  /** Everything that was sent has been read, and everything that this changed is committed. */
  quiet(): void {
    const moment = this.next()
    for (const client of this.clients.values()) {
      if (this.#isStoreFailing) client.farewellLost()
      client.quiet(this.nowMs, (will) => this.accepted(will))
    }
    for (const message of this.#loose) message.lastPossibleAt = Math.min(message.lastPossibleAt, moment)
    this.#loose.clear()
    this.#isStoreFailing = false
  }

  /** SUBSCRIBE is written. @returns what its SUBACK will grant */
  subscribing(session: ModelSession, requests: readonly Subscribing[], identifier: number): Asked {
    const moment = this.next()
    const subscriptions = requests.map((request) => {
      const current = session.current(request.topicFilter)
      const isNew = !session.subscriptions.some(({ topicFilter }) => topicFilter === request.topicFilter)
      const subscription = this.#subscription(session, request, identifier, moment)
      if (request.retainHandling === 0 || (request.retainHandling === 1 && isNew)) {
        this.retained.asking(session, subscription, moment, current === undefined)
      }
      if (request.replayed !== undefined) this.replays.asking(session, subscription, request.replayed, moment)
      return subscription
    })
    return { askedAt: moment, subscriptions }
  }

  #subscription(session: ModelSession, request: SubscriptionRequest, identifier: number, moment: Moment): ModelSubscription {
    const current = session.current(request.topicFilter)
    if (current?.goesOnWith(request) === true) {
      current.replacedBy(request, identifier)
      return current
    }
    if (current !== undefined && current.endingAt === undefined) {
      current.endingAt = moment
      const isAtMostOnce = request.qos === 0 && current.group === undefined
      current.isReplaced = isAtMostOnce && !isHistoryFilter(current.topicFilter)
      current.mayGoOnAtMostOnce = isAtMostOnce && isHistoryFilter(current.topicFilter)
    }
    const subscription = new ModelSubscription(request, identifier, moment)
    session.subscriptions.push(subscription)
    return subscription
  }

  /** SUBACK has come. */
  granted({ askedAt, subscriptions }: Asked): void {
    const moment = this.next()
    this.retained.granted(askedAt)
    this.replays.granted(askedAt, moment)
    for (const subscription of subscriptions) subscription.grantedAt ??= moment
  }

  /** UNSUBSCRIBE is written. @returns what its UNSUBACK will end */
  unsubscribing(session: ModelSession, topicFilters: readonly string[]): ModelSubscription[] {
    const moment = this.next()
    const ending = session.subscriptions.filter(
      ({ topicFilter, endedAt }) => endedAt === undefined && topicFilters.includes(topicFilter)
    )
    for (const subscription of ending) {
      subscription.endingAt ??= moment
      subscription.isReplaced = false
    }
    return ending
  }

  ended(subscriptions: readonly ModelSubscription[]): void {
    const moment = this.next()
    for (const subscription of subscriptions) subscription.endedAt = moment
  }

  /** A message has come, and is no repetition of a QoS 2 message that the client has already. */
  arrived(session: ModelSession, arrival: Arrival): void {
    const moment = this.next()
    const message = this.overflow.deadLetter(arrival.id, arrival.topicName) ?? this.messages.get(arrival.id)
    if (message === undefined) throw new Violation(`nobody has published "${arrival.id}"`)
    const may = session.subscriptions.filter((subscription) => subscription.mayBring(message, session.clientId))
    this.#checkArrival(session, message, arrival, may)
    const { id } = message.content
    let got = session.received.get(id)
    if (got === undefined) {
      got = { times: 0, withoutDup: 0, atQoS2: 0, retainedAt: 0, arrivedAt: moment, latestAt: moment }
      session.received.set(id, got)
    }
    if (arrival.retain) got.retainedAt = moment
    else {
      if (!arrival.dup && arrival.qos === 1) got.withoutDup++
      if (arrival.qos === 2) got.atQoS2++
      this.#checkTimes(session, message, got, may)
      if (got.times === 0) this.#checkOrder(session, message, arrival, may)
    }
    got.times++
    got.latestAt = moment
  }

  #checkArrival(session: ModelSession, message: PublishedMessage, arrival: Arrival, may: readonly ModelSubscription[]): void {
    const { content } = message
    const what = `${session.clientId} got "${arrival.id}"`
    if (arrival.topicName !== content.topicName) throw new Violation(`${what} with the topic name ${arrival.topicName}`)
    if (may.length === 0) throw new Violation(`${what}, for which it has no subscription`)
    const granted = Math.max(...may.map(({ qosMax }) => qosMax))
    if (arrival.qos > Math.min(content.qos, granted)) throw new Violation(`${what} at QoS ${arrival.qos}`)
    if (arrival.retain && !content.retain) throw new Violation(`${what} with RETAIN, without which it was published`)
    if (arrival.dup && session.connections === 1) throw new Violation(`${what} with DUP on the session's first connection`)
    if (message.isRefused) throw new Violation(`${what}, which was refused`)
    this.replays.checkAsked(session, message)
    if (message.isForbidden) throw new Violation(`${what}, which must not be published any more`)
    if (this.nowMs < message.notBeforeMs) throw new Violation(`${what} before its Will Delay Interval has passed`)
    // At QoS 2 it may have been on its way, waiting for a commit.
    if (!arrival.dup && arrival.qos < 2 && message.mustBeExpired(this.nowMs)) throw new Violation(`${what}, which has expired`)
    if (arrival.isMqtt5) this.#checkProperties(message, arrival, may, what)
  }

  #checkProperties(message: PublishedMessage, arrival: Arrival, may: readonly ModelSubscription[], what: string): void {
    for (const identifier of arrival.subscriptionIdentifiers) {
      if (!may.some(({ identifiers }) => identifiers.has(identifier))) {
        throw new Violation(`${what} with Subscription Identifier ${identifier}`)
      }
    }
    const { expirySeconds } = message.content
    const left = arrival.expirySeconds
    if ((left === undefined) !== (expirySeconds === undefined)) throw new Violation(`${what} with expiry ${left}`)
    if (left === undefined || expirySeconds === undefined) return
    const elapsedMs = this.nowMs - (message.acceptedMs ?? this.nowMs)
    // What is left of a second counts as one.
    const leftMs = Math.max(0, expirySeconds * 1000 - elapsedMs)
    if (left * 1000 >= leftMs + 1000) throw new Violation(`${what} with ${left} s to live`)
  }

  #checkTimes(
    session: ModelSession,
    message: PublishedMessage,
    { withoutDup, atQoS2 }: { readonly withoutDup: number; readonly atQoS2: number },
    may: readonly ModelSubscription[]
  ): void {
    const groups = new Set(may.flatMap(({ group }) => (group === undefined ? [] : [group]))).size
    const sources = groups + (may.some(({ group }) => group === undefined) ? this.replays.sources(session, message) : 0)
    const { id, qos } = message.content
    const published = this.overflow.copies(message, qos === 1 ? Math.max(1, message.transmissions) : 1)
    if (atQoS2 > published * sources) throw new Violation(`${session.clientId} got "${id}" ${atQoS2} times at QoS 2`)
    if (groups > 0) {
      if (atQoS2 > 0 && sources === 1) this.#checkOneMember(message)
      return
    }
    const crashes = this.crashedAt.filter((moment) => moment > message.firstSentAt).length
    if (withoutDup > published * sources * (1 + crashes)) {
      throw new Violation(`${session.clientId} got "${id}" ${withoutDup} times at QoS 1 without DUP`)
    }
  }

  /**
   * A QoS 2 message of a group is one member's alone ([5.0 MQTT-4.8.2-4], [5.0 MQTT-4.8.2-5]). What is known of members whose
   * sessions are not durable ends with a crash.
   */
  #checkOneMember(message: PublishedMessage): void {
    let members = 0
    for (const session of this.sessions) {
      const isMember = session.subscriptions.some((each) => each.group !== undefined && each.matches(message, session.clientId))
      if (isMember && !session.isDurable) return
      if ((session.got(message.content.id)?.atQoS2 ?? 0) > 0) members++
    }
    if (members > 1) throw new Violation(`"${message.content.id}" came to ${members} members of its group at QoS 2`)
  }

  /** [5.0 MQTT-4.6.0-5] [5.0 MQTT-4.6.0-6] */
  #checkOrder(session: ModelSession, message: PublishedMessage, { qos }: Arrival, may: readonly ModelSubscription[]): void {
    const { id, publisher, topicName, isWill } = message.content
    // Nobody waits for what the broker does by itself.
    if (isWill || publisher === '' || qos === 0 || may.some(({ group }) => group !== undefined)) return
    if (!this.replays.isOrdered(session, message)) return
    // One that expired before it was sent to this client comes only if it is published again.
    if (message.content.expirySeconds !== undefined && message.transmissions > 1) return
    // So does one that was dropped, or if a crash undoes that.
    const isBounded = may.some(({ matchFilter }) => overflowAction(matchFilter) !== undefined)
    if (isBounded && (message.transmissions > 1 || this.hasRestartedSince(message.firstSentAt))) return
    // One that was sent before the subscription began comes only if it is sent again, and then after later ones.
    if (!may.some((subscription) => subscription.covers(message, qos))) return
    const key = `${publisher} ${topicName} ${message.content.qos} ${qos}`
    const number = this.#numbers.get(id) ?? 0
    const latest = session.latest.get(key) ?? 0
    if (number < latest) {
      throw new Violation(`${session.clientId} got "${id}" after message ${latest}, which ${publisher} published later`)
    }
    session.latest.set(key, number)
  }
}
