import {
  isSharedSubscription,
  MqttError,
  NO_PROPERTIES,
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
import type { MaybePromise, ReplayRecord } from '@godwit/storage'
import { authorize, type Verdict as Authorization } from './authorization.ts'
import type { Agreement, Connection } from './connection.ts'
import { isPromise } from './maybe-promise.ts'
import { type AskedSubscription, readRequests, type SubscribeRefusal, withoutHistory } from './replay-requests.ts'
import { findReplayStart } from './replay-start.ts'
import type { SharedFilter } from './subscriptions.ts'

/** SUBSCRIBE: each filter is judged for itself, and all are answered by one SUBACK ([5.0 MQTT-3.8.4-5], [3.1.1 MQTT-3.8.4-4]). */
export function handleSubscribe(connection: Connection, agreement: Agreement, packet: SubscribePacket): void {
  if (connection.isMqtt5) checkAvailable(connection, packet)
  else checkWellFormed(packet.subscriptions.map(({ topicFilter }) => topicFilter))
  const asked = readRequests(packet)
  const verdicts = asked.map((each) => judge(connection, agreement, each))
  whenKnown(connection, verdicts, (refusals) => {
    const replays = asked.map((each, index) => refusals[index] ?? findReplay(connection, each))
    whenKnown(connection, replays, (found) => subscribe(connection, agreement, packet, asked, found))
  })
}

/** Goes on once all values are there; until then the client's next packets are held back. */
function whenKnown<T>(connection: Connection, values: readonly MaybePromise<T>[], proceed: (known: readonly T[]) => void): void {
  if (areKnown(values)) proceed(values)
  else connection.hold(Promise.all(values), proceed)
}

function areKnown<T>(values: readonly MaybePromise<T>[]): values is readonly T[] {
  return !values.some((value) => isPromise(value))
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

/** Why a filter is refused; undefined: it is not. */
type Verdict = SubscribeRefusal | undefined

function judge(connection: Connection, agreement: Agreement, asked: AskedSubscription): MaybePromise<Verdict> {
  const { engine } = connection
  const { topicFilter, qos } = asked.request
  const failure = checkFilter(connection, asked.writtenFilter)
  if (failure !== undefined) return { reasonCode: failure, reason: undefined }
  if (asked.refusal !== undefined) return asked.refusal
  const shared = parseSharedSubscription(topicFilter)
  const verdict = authorize(engine, agreement.identity, {
    action: 'subscribe',
    topicFilter: shared?.topicFilter ?? topicFilter,
    qos,
    shareName: shared?.shareName,
    ...(asked.start === undefined ? {} : REPLAY)
  })
  return isPromise(verdict) ? verdict.then(orNotAuthorized) : orNotAuthorized(verdict)
}

const REPLAY = { replay: true } as const
const NOT_AUTHORIZED: SubscribeRefusal = { reasonCode: ReasonCode.NotAuthorized, reason: undefined }

function orNotAuthorized(verdict: Authorization): Verdict {
  return verdict === 'allowed' ? undefined : NOT_AUTHORIZED
}

/** Where the history begins that is asked for; undefined: none is. */
function findReplay({ engine }: Connection, asked: AskedSubscription): MaybePromise<SubscribeRefusal | ReplayRecord | undefined> {
  const { start, request } = asked
  if (start === undefined) return undefined
  const history = engine.histories.covering(request.topicFilter)
  if (history === undefined) return withoutHistory(asked)
  const historyFilter = history.topicFilter
  const after = findReplayStart(engine, history, start, request.topicFilter)
  return isPromise(after) ? after.then((found) => ({ historyFilter, after: found })) : { historyFilter, after }
}

function checkFilter({ engine: { features, limits } }: Connection, topicFilter: string): SubscribeReasonCode | undefined {
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

function subscribe(
  connection: Connection,
  agreement: Agreement,
  packet: SubscribePacket,
  asked: readonly AskedSubscription[],
  found: readonly (SubscribeRefusal | ReplayRecord | undefined)[]
): void {
  const { engine } = connection
  const { session } = agreement
  const identifier = packet.properties.subscriptionIdentifier ?? 0
  let reasonString: string | undefined
  const reasonCodes = asked.map(({ request }, index) => {
    const replay = found[index]
    if (replay !== undefined && 'reasonCode' in replay) {
      reasonString ??= replay.reason
      return replay.reasonCode
    }
    return checkRoom(connection, agreement, request.topicFilter) ?? grant(connection, agreement, request, identifier, replay)
  })
  const hasStored = session.isDurable && reasonCodes.some((reasonCode) => reasonCode < ReasonCode.UnspecifiedError)
  connection.sender.respond(
    {
      type: PacketType.Suback,
      packetIdentifier: packet.packetIdentifier,
      reasonCodes: connection.isMqtt5 ? reasonCodes : toReturnCodes(connection.protocolVersion, packet, reasonCodes),
      properties: connection.isMqtt5 && reasonString !== undefined ? { reasonString } : NO_PROPERTIES
    },
    hasStored
  )
  // Retained messages, history, and what waits for a group that has a new member, come after the SUBACK that announces them.
  if (!session.hasToCatchUp) return
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

function checkRoom({ engine }: Connection, { session }: Agreement, topicFilter: string): SubscribeReasonCode | undefined {
  const { limits, subscriptions } = engine
  if (session.subscriptions.has(topicFilter)) return undefined
  const isFull = session.subscriptions.size >= limits.subscriptionsPerClientMax || subscriptions.count >= limits.subscriptionsMax
  return isFull ? ReasonCode.QuotaExceeded : undefined
}

function grant(
  { engine }: Connection,
  { session }: Agreement,
  request: SubscriptionRequest,
  identifier: number,
  replay: ReplayRecord | undefined
): SubscribeReasonCode {
  const { topicFilter, qos, retainHandling } = request
  const shared: SharedFilter | undefined = parseSharedSubscription(topicFilter)
  const isNew = !session.subscriptions.has(topicFilter)
  const subscription = engine.subscriptions.add(session, request, shared, identifier, replay)
  // Shared subscriptions get no retained messages ([5.0 4.8.2]); who asks for history, has them in it, in their place.
  const wantsRetained =
    retainHandling === RetainHandling.SendAtSubscribe || (retainHandling === RetainHandling.SendIfNew && isNew)
  if (wantsRetained && shared === undefined && replay === undefined && engine.store.retainedCount > 0) {
    session.retainedScans.begin(subscription)
  }
  engine.tell((events) => events.emit('subscribed', { clientId: session.clientId, topicFilter, qos }))
  return qos
}
