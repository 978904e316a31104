import {
  isSharedSubscription,
  MqttError,
  PacketType,
  parseSharedSubscription,
  ProtocolVersion,
  ReasonCode,
  RetainHandling,
  type SubscribePacket,
  type SubscribeReasonCode,
  type SubscribeReturnCode,
  type SubscriptionRequest,
  topicLevels,
  toSubscribeReturnCode,
  validateTopicFilter,
  hasWildcard
} from '@godwit/protocol'
import type { MaybePromise } from '@godwit/storage'
import { authorize } from './authorization.ts'
import type { Agreement, Connection } from './connection.ts'
import { isPromise } from './maybe-promise.ts'
import type { SharedFilter } from './subscriptions.ts'

/** SUBSCRIBE: each filter is judged for itself, and all are answered by one SUBACK ([5.0 MQTT-3.8.4-5], [3.1.1 MQTT-3.8.4-4]). */
export function handleSubscribe(connection: Connection, agreement: Agreement, packet: SubscribePacket): void {
  if (connection.isMqtt5) checkAvailable(connection, packet)
  else checkWellFormed(packet.subscriptions.map(({ topicFilter }) => topicFilter))
  const verdicts = packet.subscriptions.map((request) => judge(connection, agreement, request))
  if (areKnown(verdicts)) subscribe(connection, agreement, packet, verdicts)
  else {
    connection.hold(Promise.all(verdicts.map((verdict) => Promise.resolve(verdict))), (known) =>
      subscribe(connection, agreement, packet, known)
    )
  }
}

/**
 * What CONNACK told a 5.0 client not to ask for is a Protocol Error ([5.0 3.2.2.3.11] to [5.0 3.2.2.3.13]). The older
 * versions cannot be told beforehand: there it is a failure of the filter ([3.1.1 MQTT-3.8.3-2]).
 */
function checkAvailable({ engine: { features } }: Connection, { properties, subscriptions }: SubscribePacket): void {
  if (properties.subscriptionIdentifier !== undefined && !features.subscriptionIdentifiersAvailable) {
    throw new MqttError(ReasonCode.SubscriptionIdentifiersNotSupported, 'this server does not support Subscription Identifiers')
  }
  if (!features.sharedSubscriptionAvailable && subscriptions.some(({ topicFilter }) => isSharedSubscription(topicFilter))) {
    throw new MqttError(ReasonCode.SharedSubscriptionsNotSupported, 'this server does not support Shared Subscriptions')
  }
  if (!features.wildcardSubscriptionAvailable && subscriptions.some(({ topicFilter }) => hasWildcard(topicFilter))) {
    throw new MqttError(ReasonCode.WildcardSubscriptionsNotSupported, 'this server does not support Wildcard Subscriptions')
  }
}

/**
 * 3.1 and 3.1.1 have no code for a filter that is none, in SUBACK or UNSUBACK: it is a protocol violation
 * ([3.1.1 MQTT-4.7.1-2], [3.1.1 MQTT-4.7.1-3], [3.1.1 MQTT-4.7.3-1], [3.1.1 MQTT-4.8.0-1]). What is wrong only as a
 * Shared Subscription, which those versions do not know, is no violation.
 * @throws MqttError 0x8F
 */
export function checkWellFormed(topicFilters: readonly string[]): void {
  for (const topicFilter of topicFilters) {
    const problem = isSharedSubscription(topicFilter) ? undefined : validateTopicFilter(topicFilter)
    if (problem !== undefined) throw new MqttError(ReasonCode.TopicFilterInvalid, `invalid Topic Filter: ${problem}`)
  }
}

/** The failure that a filter gets; undefined: it is granted. */
type Verdict = SubscribeReasonCode | undefined

function judge(connection: Connection, agreement: Agreement, request: SubscriptionRequest): MaybePromise<Verdict> {
  const { engine } = connection
  const { topicFilter, qos } = request
  const failure = checkFilter(connection, topicFilter)
  if (failure !== undefined) return failure
  const shared = parseSharedSubscription(topicFilter)
  const verdict = authorize(engine, agreement.identity, {
    action: 'subscribe',
    topicFilter: shared?.topicFilter ?? topicFilter,
    qos,
    shareName: shared?.shareName
  })
  return isPromise(verdict) ? verdict.then(orNotAuthorized) : orNotAuthorized(verdict)
}

function areKnown(verdicts: readonly MaybePromise<Verdict>[]): verdicts is readonly Verdict[] {
  return !verdicts.some((verdict) => isPromise(verdict))
}

function orNotAuthorized(isAllowed: boolean): Verdict {
  return isAllowed ? undefined : ReasonCode.NotAuthorized
}

function checkFilter({ engine: { features, limits } }: Connection, topicFilter: string): Verdict {
  if (validateTopicFilter(topicFilter) !== undefined) return ReasonCode.TopicFilterInvalid
  if (Buffer.byteLength(topicFilter) > limits.topicBytesMax || topicLevels(topicFilter) > limits.topicLevelsMax) {
    return ReasonCode.TopicFilterInvalid
  }
  if (!features.wildcardSubscriptionAvailable && hasWildcard(topicFilter)) return ReasonCode.WildcardSubscriptionsNotSupported
  if (!features.sharedSubscriptionAvailable && isSharedSubscription(topicFilter)) {
    return ReasonCode.SharedSubscriptionsNotSupported
  }
  return undefined
}

function subscribe(connection: Connection, agreement: Agreement, packet: SubscribePacket, verdicts: readonly Verdict[]): void {
  const { engine } = connection
  const { session } = agreement
  const identifier = packet.properties.subscriptionIdentifier ?? 0
  const reasonCodes = packet.subscriptions.map((request, index) => {
    const failure = verdicts[index] ?? checkRoom(connection, agreement, request.topicFilter)
    return failure ?? grant(connection, agreement, request, identifier)
  })
  const hasStored = session.isDurable && reasonCodes.some((reasonCode) => reasonCode < ReasonCode.UnspecifiedError)
  connection.sender.respond(
    {
      type: PacketType.Suback,
      packetIdentifier: packet.packetIdentifier,
      reasonCodes: connection.isMqtt5 ? reasonCodes : toReturnCodes(connection.protocolVersion, packet, reasonCodes),
      properties: {}
    },
    hasStored
  )
  // Retained messages, and what waits for a group that has a new member, come after the SUBACK that announces them.
  if (!session.retainedScans.isActive && session.groups.size === 0) return
  if (hasStored) engine.afterCommit(() => session.pump())
  else session.pump()
}

/** 3.1 has no code for a failure: a client of its has to get a positive acknowledgement all the same ([3.1 3.8]). */
function toReturnCodes(
  protocolVersion: ProtocolVersion,
  { subscriptions }: SubscribePacket,
  reasonCodes: readonly SubscribeReasonCode[]
): SubscribeReturnCode[] {
  if (protocolVersion === ProtocolVersion.Mqtt31) return subscriptions.map(({ qos }) => qos)
  return reasonCodes.map((reasonCode) => toSubscribeReturnCode(reasonCode))
}

function checkRoom({ engine }: Connection, { session }: Agreement, topicFilter: string): Verdict {
  const { limits, subscriptions } = engine
  if (session.subscriptions.has(topicFilter)) return undefined
  const isFull = session.subscriptions.size >= limits.subscriptionsPerClientMax || subscriptions.count >= limits.subscriptionsMax
  return isFull ? ReasonCode.QuotaExceeded : undefined
}

function grant(
  { engine }: Connection,
  { session }: Agreement,
  request: SubscriptionRequest,
  identifier: number
): SubscribeReasonCode {
  const { topicFilter, qos, retainHandling } = request
  const shared: SharedFilter | undefined = parseSharedSubscription(topicFilter)
  const isNew = !session.subscriptions.has(topicFilter)
  const subscription = engine.subscriptions.add(session, request, shared, identifier)
  // Shared subscriptions get no retained messages ([5.0 4.8.2]).
  const wantsRetained =
    retainHandling === RetainHandling.SendAtSubscribe || (retainHandling === RetainHandling.SendIfNew && isNew)
  if (wantsRetained && shared === undefined && engine.store.retainedCount > 0) session.retainedScans.begin(subscription)
  engine.tell((events) => events.emit('subscribed', { clientId: session.clientId, topicFilter, qos }))
  return qos
}
