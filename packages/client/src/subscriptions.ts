import {
  hasWildcard,
  isSharedSubscription,
  NO_PROPERTIES,
  PacketType,
  parseSharedSubscription,
  type SubackPacket,
  type UnsubackPacket,
  validateTopicFilter
} from '@godwit/protocol'
import type { Backpressure } from './backpressure.ts'
import { BrokerSubscription, subscriptionIdentifierOf } from './broker-subscription.ts'
import { abortedError, ClientError, describeReason } from './client-error.ts'
import type { Emitter } from './emitter.ts'
import { isFailure } from './handshake.ts'
import { PUBLISH_IDENTIFIERS, SUBSCRIBE_IDENTIFIERS } from './limits.ts'
import type { Link } from './link.ts'
import { LocalSubscription, type SubscriptionOwner } from './local-subscription.ts'
import type { MessageHandler, SubscribeOptions } from './options.ts'
import { checkQoS, checkUserProperties, integer, invalid } from './settings.ts'

/** A SUBSCRIBE or UNSUBSCRIBE that the server has not answered. */
interface PendingRequest {
  readonly kind: 'subscribe' | 'unsubscribe'
  readonly filter: string
  readonly packetIdentifier: number
}

/** The subscriptions of a client: what the server is asked for, again when it has lost the session, and by whom here. */
export class Subscriptions implements SubscriptionOwner {
  readonly #emitter: Emitter
  /** Told when a subscription begins: messages may have waited for it. */
  readonly #onSubscribed: (made: BrokerSubscription, local: LocalSubscription) => void
  /** Told when the routes of messages may have changed. */
  readonly #onChanged: () => void
  readonly #byFilter = new Map<string, BrokerSubscription>()
  readonly #byIdentifier = new Map<number, BrokerSubscription>()
  readonly #backpressure: Backpressure
  #link: Link | undefined = undefined
  /** What waits for an answer, by Packet Identifier. */
  readonly #pending = new Map<number, PendingRequest>()
  /** What waits for a Packet Identifier, in order. */
  #queued: Omit<PendingRequest, 'packetIdentifier'>[] = []
  #nextIdentifier = 0
  /** Filters that the server may have a subscription for, and should not. */
  readonly #unwanted = new Map<string, (() => void)[]>()

  constructor(
    emitter: Emitter,
    backpressure: Backpressure,
    onSubscribed: (made: BrokerSubscription, local: LocalSubscription) => void,
    onChanged: () => void
  ) {
    this.#emitter = emitter
    this.#backpressure = backpressure
    this.#onSubscribed = onSubscribed
    this.#onChanged = onChanged
  }

  /** @throws {ClientError} `invalid-argument` for what is not a Topic Filter, or not accepted */
  subscribe(filter: string, options: SubscribeOptions, handler: MessageHandler | undefined): LocalSubscription {
    checkSubscription(filter, options)
    const local = new LocalSubscription(filter, options, handler, this, this.#emitter)
    const { signal } = options
    if (signal?.aborted === true) {
      local.end(abortedError(signal))
      return local
    }
    if (signal !== undefined) local.endsWith(signal)
    const made = this.#byFilter.get(filter) ?? this.#make(filter)
    made.locals.push(local)
    made.isMade = false
    this.#onChanged()
    this.#onSubscribed(made, local)
    this.#ask({ kind: 'subscribe', filter })
    return local
  }

  async unsubscribe(local: LocalSubscription): Promise<void> {
    const made = this.#byFilter.get(local.filter)
    const index = made?.locals.indexOf(local) ?? -1
    if (made === undefined || index < 0) return
    made.locals.splice(index, 1)
    this.#onChanged()
    if (made.locals.length > 0) return
    this.#byFilter.delete(made.filter)
    this.#byIdentifier.delete(made.identifier)
    const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers()
    this.#unwanted.set(made.filter, [...(this.#unwanted.get(made.filter) ?? []), resolve])
    this.#ask({ kind: 'unsubscribe', filter: made.filter })
    // It will be told at the next connection; nobody has to wait for that.
    if (this.#link === undefined) resolve()
    await promise
  }

  /** Something was asked of the server, and not answered yet. */
  get isAnswerAwaited(): boolean {
    return this.#pending.size > 0
  }

  get isReadOn(): boolean {
    return this.#backpressure.isOverruled
  }

  onFull(subscription: LocalSubscription): void {
    this.#backpressure.onFull(subscription)
  }

  onRoom(subscription: LocalSubscription): void {
    this.#backpressure.onRoom(subscription)
  }

  all(): IterableIterator<BrokerSubscription> {
    return this.#byFilter.values()
  }

  find(identifier: number): BrokerSubscription | undefined {
    return this.#byIdentifier.get(identifier)
  }

  /**
   * Asks for what the server does not have: after a lost session that is everything.
   *
   * @param isCertain the server has told whether it has the session; 3.1 does not
   */
  connected(link: Link, isSessionPresent: boolean, isCertain: boolean): void {
    this.#link = link
    if (!isSessionPresent) this.#unwanted.clear()
    if (!isSessionPresent || !isCertain) {
      for (const made of this.#byFilter.values()) made.isMade = false
    }
    for (const filter of this.#unwanted.keys()) this.#ask({ kind: 'unsubscribe', filter })
    for (const { filter, isMade } of this.#byFilter.values()) {
      if (!isMade) this.#ask({ kind: 'subscribe', filter })
    }
  }

  disconnected(): void {
    this.#link = undefined
    this.#pending.clear()
    this.#queued = []
    for (const resolves of this.#unwanted.values()) resolves.splice(0).forEach((resolve) => resolve())
  }

  onSuback({ packetIdentifier, reasonCodes, properties }: SubackPacket): void {
    const request = this.#answered(packetIdentifier, 'subscribe')
    const made = request && this.#byFilter.get(request.filter)
    const reasonCode = reasonCodes[0]
    if (made === undefined || reasonCode === undefined) return
    if (isFailure(reasonCode)) {
      const what = `The server refused the subscription: ${describeReason(reasonCode, properties.reasonString)}`
      this.#failed(made, new ClientError('refused', what, { reasonCode }))
    } else {
      made.isMade = true
      made.grantedQoS = reasonCode
      for (const local of made.locals) local.grant(reasonCode)
    }
  }

  onUnsuback({ packetIdentifier }: UnsubackPacket): void {
    const request = this.#answered(packetIdentifier, 'unsubscribe')
    if (request === undefined) return
    this.#wantsNoMore(request.filter)
  }

  /** The server has answered UNSUBSCRIBE, or was asked for the filter again. */
  #wantsNoMore(filter: string): void {
    const resolves = this.#unwanted.get(filter) ?? []
    this.#unwanted.delete(filter)
    for (const resolve of resolves) resolve()
  }

  close(error: ClientError | undefined): void {
    for (const { locals } of this.#byFilter.values()) {
      for (const local of locals) local.end(error)
    }
    this.#byFilter.clear()
    this.#byIdentifier.clear()
    this.disconnected()
  }

  #make(filter: string): BrokerSubscription {
    const identifier = subscriptionIdentifierOf(filter, (each) => this.#byIdentifier.has(each))
    const made = new BrokerSubscription(filter, parseSharedSubscription(filter)?.topicFilter ?? filter, identifier)
    this.#byFilter.set(filter, made)
    this.#byIdentifier.set(identifier, made)
    return made
  }

  #ask(request: Omit<PendingRequest, 'packetIdentifier'>): void {
    if (this.#link === undefined) return
    if (this.#pending.size >= SUBSCRIBE_IDENTIFIERS || this.#queued.length > 0) {
      this.#queued.push(request)
    } else {
      this.#send(this.#link, request)
    }
  }

  #send(link: Link, { kind, filter }: Omit<PendingRequest, 'packetIdentifier'>): void {
    const packetIdentifier = this.#freeIdentifier()
    if (kind === 'subscribe') this.#sendSubscribe(link, filter, packetIdentifier)
    else this.#sendUnsubscribe(link, filter, packetIdentifier)
  }

  #sendSubscribe(link: Link, filter: string, packetIdentifier: number): void {
    const made = this.#byFilter.get(filter)
    if (made === undefined) return
    const unsupported = whyNot(made, link)
    if (unsupported !== undefined) {
      this.#failed(made, unsupported)
      return
    }
    const { connection, limits } = link
    try {
      connection.send({
        type: PacketType.Subscribe,
        packetIdentifier,
        subscriptions: [made.request],
        properties: connection.isMqtt5
          ? {
              subscriptionIdentifier: limits.areSubscriptionIdentifiersAvailable ? made.identifier : undefined,
              userProperties: made.locals.at(-1)?.options.userProperties
            }
          : NO_PROPERTIES
      })
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      this.#failed(made, error)
      return
    }
    this.#wantsNoMore(filter)
    this.#await({ kind: 'subscribe', filter, packetIdentifier })
  }

  #sendUnsubscribe({ connection }: Link, filter: string, packetIdentifier: number): void {
    try {
      connection.send({ type: PacketType.Unsubscribe, packetIdentifier, topicFilters: [filter], properties: NO_PROPERTIES })
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      this.#wantsNoMore(filter)
      return
    }
    this.#await({ kind: 'unsubscribe', filter, packetIdentifier })
  }

  #await(request: PendingRequest): void {
    this.#pending.set(request.packetIdentifier, request)
    this.#backpressure.onAwaited()
  }

  #answered(packetIdentifier: number, kind: PendingRequest['kind']): PendingRequest | undefined {
    const request = this.#pending.get(packetIdentifier)
    if (request?.kind !== kind) return undefined
    // Of several requests for one filter the last decides.
    const isLast = [...this.#pending.values()].findLast(({ filter }) => filter === request.filter) === request
    this.#pending.delete(packetIdentifier)
    this.#backpressure.onAwaited()
    // What is queued may not be wanted any more, and takes no identifier then.
    while (this.#link !== undefined && this.#pending.size < SUBSCRIBE_IDENTIFIERS) {
      const next = this.#queued.shift()
      if (next === undefined) break
      this.#send(this.#link, next)
    }
    return isLast ? request : undefined
  }

  #failed(made: BrokerSubscription, error: ClientError): void {
    this.#byFilter.delete(made.filter)
    this.#byIdentifier.delete(made.identifier)
    this.#onChanged()
    for (const local of made.locals) {
      local.end(error)
      this.onRoom(local)
    }
    this.#emitter.emit('subscribeFailed', { filter: made.filter, error })
  }

  /** [5.0 MQTT-2.2.1-3]: one that is not in use; those of PUBLISH are others. */
  #freeIdentifier(): number {
    do {
      this.#nextIdentifier = (this.#nextIdentifier % SUBSCRIBE_IDENTIFIERS) + 1
    } while (this.#pending.has(PUBLISH_IDENTIFIERS + this.#nextIdentifier))
    return PUBLISH_IDENTIFIERS + this.#nextIdentifier
  }
}

function checkSubscription(filter: string, options: SubscribeOptions): void {
  const reason = validateTopicFilter(filter)
  if (reason !== undefined) throw invalid(`${JSON.stringify(filter)} is not a Topic Filter: ${reason}`)
  checkQoS(options.qos ?? 0)
  checkUserProperties(options.userProperties)
  integer('retainHandling', options.retainHandling ?? 0, 0, 2)
  integer('bufferMaximum', options.bufferMaximum ?? 1, 1, Number.MAX_SAFE_INTEGER)
  // [5.0 MQTT-3.8.3-4]
  if (options.noLocal === true && isSharedSubscription(filter)) {
    throw invalid('A shared subscription cannot be noLocal')
  }
}

/** What a 5.0 server said it does not have. Before 5.0 a shared subscription is for the server to understand, or not. */
function whyNot({ filter, topicFilter }: BrokerSubscription, { limits }: Link): ClientError | undefined {
  if (hasWildcard(topicFilter) && !limits.areWildcardsAvailable) {
    return new ClientError('not-supported', 'The server has no subscriptions with wildcards')
  }
  if (isSharedSubscription(filter) && !limits.areSharedSubscriptionsAvailable) {
    return new ClientError('not-supported', 'The server has no shared subscriptions')
  }
  return undefined
}
