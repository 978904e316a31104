import {
  MqttError,
  PacketType,
  type PublishPacket,
  type PublishProperties,
  type PublishReasonCode,
  type QoS,
  ReasonCode,
  reasonCodeName,
  topicLevels
} from '@godwit/protocol'
import { authorize, type Verdict } from './authorization.ts'
import type { Agreement, Connection } from './connection.ts'
import type { Fate } from './fates.ts'
import { isPromise } from './maybe-promise.ts'
import { Message, type MessageContent } from './message.ts'
import type { Behaviour } from './options.ts'
import { quotaExceeded, type Refusal, STORE_FAILED } from './refusal.ts'
import { Routed } from './router.ts'

const NOT_AUTHORIZED: Refusal = {
  reasonCode: ReasonCode.NotAuthorized,
  fate: 'not-authorized',
  reason: 'not authorized to publish to this topic'
}

const AUTHORIZATION_FAILED: Refusal = {
  reasonCode: ReasonCode.NotAuthorized,
  fate: 'authorization-failed',
  reason: 'not authorized: whether it may be published could not be found out'
}

/** PUBLISH from a client ([5.0 3.3.4], [3.1.1 3.3.4]). */
export function handlePublish(connection: Connection, agreement: Agreement, packet: PublishPacket): void {
  const { engine } = connection
  const message = toMessage(connection, agreement, packet)
  if (packet.qos === 2 && agreement.session.hasReceived(packet.packetIdentifier)) {
    receiveAgain(connection, agreement, packet, message)
    return
  }
  checkAgreement(connection, packet)
  const refusal = checkTopic(connection, message)
  if (refusal !== undefined) {
    refuse(connection, packet, message, refusal)
    return
  }
  const { topicName, qos, retain } = message
  const verdict = authorize(engine, agreement.identity, { action: 'publish', topicName, qos, retain })
  if (isPromise(verdict)) {
    message.own()
    const abandon = (): void => engine.fates.record('publisher-gone', message, message.publisherClientId)
    connection.hold(verdict, (known) => decide(connection, agreement, packet, message, known), abandon)
  } else decide(connection, agreement, packet, message, verdict)
}

function decide(connection: Connection, agreement: Agreement, packet: PublishPacket, message: Message, verdict: Verdict): void {
  const refusal = refusalFor(connection, agreement, message, verdict)
  if (refusal !== undefined) refuse(connection, packet, message, refusal)
  else accept(connection, agreement, packet, message)
}

function refusalFor(connection: Connection, agreement: Agreement, message: Message, verdict: Verdict): Refusal | undefined {
  if (verdict === 'allowed') return checkRoom(connection, agreement, message)
  return verdict === 'denied' ? NOT_AUTHORIZED : AUTHORIZATION_FAILED
}

function toMessage(connection: Connection, agreement: Agreement, packet: PublishPacket): Message {
  const { topicAlias } = packet.properties
  const resolved =
    topicAlias === undefined ? packet : withoutAlias(packet, connection.inboundAliases.resolve(topicAlias, packet.topicName))
  return Message.publish(resolved, agreement.identity.clientId, connection.engine.inputAtMs)
}

/** An alias is between two ends of one connection: the message goes on with its topic name, and without it. */
function withoutAlias(packet: PublishPacket, topicName: string): MessageContent {
  const { payload, qos, retain } = packet
  const properties: PublishProperties = { ...packet.properties, topicAlias: undefined }
  return { topicName, payload, qos, retain, properties }
}

/** What a client may not do after CONNACK told it so. 3.1 and 3.1.1 clients cannot be told. */
function checkAgreement(connection: Connection, packet: PublishPacket): void {
  const { features, limits } = connection.engine
  if (packet.qos > features.maximumQoS) {
    throw new MqttError(ReasonCode.QoSNotSupported, `QoS ${packet.qos} is above the Maximum QoS of ${features.maximumQoS}`)
  }
  if (!connection.isMqtt5) return
  if (packet.retain && !features.retainAvailable) {
    throw new MqttError(ReasonCode.RetainNotSupported, 'this server does not retain messages')
  }
  if (packet.qos > 0 && connection.unansweredPublishes >= limits.receiveMaximum) {
    throw new MqttError(ReasonCode.ReceiveMaximumExceeded, `more than ${limits.receiveMaximum} messages are unacknowledged`)
  }
}

function checkTopic(connection: Connection, { topicName }: Message): Refusal | undefined {
  if (topicName === connection.lastTopicName) return undefined
  const { limits } = connection.engine
  // A UTF-16 code unit takes at most three bytes, so most topics need not be measured.
  const isTooLong = topicName.length * 3 > limits.topicBytesMax && Buffer.byteLength(topicName) > limits.topicBytesMax
  if (!isTooLong && topicLevels(topicName) <= limits.topicLevelsMax) {
    connection.lastTopicName = topicName
    return undefined
  }
  return {
    reasonCode: ReasonCode.TopicNameInvalid,
    fate: 'topic-refused',
    reason: `a topic name may have ${limits.topicBytesMax} bytes and ${limits.topicLevelsMax} levels`
  }
}

function checkRoom({ engine }: Connection, { session }: Agreement, message: Message): Refusal | undefined {
  const { limits, router, store } = engine
  const refusal = router.refusalOf(message)
  if (refusal !== undefined || message.qos < 2) return refusal
  if (session.isDurable && store.failure !== undefined) return STORE_FAILED
  if (session.receivedBytes + message.byteLength <= limits.unreleasedBytesMax) return undefined
  const { receivedBytes } = session
  return quotaExceeded(
    `${receivedBytes} bytes of QoS 2 messages wait for PUBREL, the most that this server keeps is ${limits.unreleasedBytesMax}`
  )
}

function accept(connection: Connection, agreement: Agreement, packet: PublishPacket, message: Message): void {
  const { qos, packetIdentifier } = packet
  const { router } = connection.engine
  if (qos === 0) router.publish(message)
  else if (qos === 1) {
    const routed = router.publish(message)
    if (routed === Routed.Nowhere && connection.isMqtt5) {
      answer(connection, packet, ReasonCode.NoMatchingSubscribers, undefined, false)
    } else {
      connection.sender.acknowledge(PacketType.Puback, packetIdentifier, routed === Routed.Stored, router.elision)
    }
  } else {
    receive(connection, agreement, packet, message)
  }
}

/** QoS 2: the message is kept until PUBREL ([5.0 MQTT-4.3.3-8], [3.1.1 MQTT-4.3.3-2]). */
function receive(connection: Connection, agreement: Agreement, packet: PublishPacket, message: Message): void {
  const { session } = agreement
  message.own()
  session.receive(packet.packetIdentifier, message)
  if (session.isDurable) connection.engine.store.putReceived(session.clientId, packet.packetIdentifier, message)
  confirmReceived(connection, agreement, packet, message)
}

/**
 * A repeated PUBLISH gets PUBREC again ([5.0 MQTT-4.3.3-10], [3.1.1 MQTT-4.3.3-2]). It was accepted before: whether it would
 * be now is not asked.
 */
function receiveAgain(connection: Connection, agreement: Agreement, packet: PublishPacket, message: Message): void {
  // Nothing is new, yet the PUBREC waits for the next commit: one has to come.
  agreement.session.touch()
  confirmReceived(connection, agreement, packet, message)
}

function confirmReceived(connection: Connection, { session }: Agreement, packet: PublishPacket, message: Message): void {
  if (connection.isMqtt5 && !message.retain && !connection.engine.router.hasSubscriber(message.topicName)) {
    answer(connection, packet, ReasonCode.NoMatchingSubscribers, undefined, session.isDurable)
  } else {
    connection.sender.acknowledge(PacketType.Pubrec, packet.packetIdentifier, session.isDurable)
  }
}

/** Answers a PUBLISH that is not accepted: 5.0 clients are told, the others as far as their version goes. */
function refuse(connection: Connection, packet: PublishPacket, message: Message, refusal: Refusal): void {
  const { engine } = connection
  const { reasonCode, reason, fate } = refusal
  engine.fates.record(fate, message, message.publisherClientId, reason)
  engine.logger.debug({ clientId: message.publisherClientId, topicName: message.topicName, reason }, 'PUBLISH refused')
  if (connection.isMqtt5) {
    if (packet.qos > 0) answer(connection, packet, reasonCode, reason, false)
    return
  }
  // [3.1.1 MQTT-3.3.5-2] there is no negative acknowledgement: acknowledge it as usual, or close
  if (closesMqtt3(engine.options, fate, packet.qos)) {
    const close = (): void => connection.close({ reasonCode, reason: `${reasonCodeName(reasonCode)}: ${reason}` })
    // What came before is answered first: a client that has to send it again might fill the backlog with it, again and again.
    if (connection.sender.unansweredPublishes === 0) close()
    else connection.hold(engine.answered(), close)
  } else if (packet.qos > 0) {
    connection.sender.acknowledge(packet.qos === 1 ? PacketType.Puback : PacketType.Pubrec, packet.packetIdentifier, false)
  }
}

function closesMqtt3({ unauthorizedPublishMqtt3, refusedPublishMqtt3 }: Behaviour, fate: Fate, qos: QoS): boolean {
  switch (fate) {
    case 'not-authorized':
    case 'authorization-failed':
      return unauthorizedPublishMqtt3 === 'close'
    case 'queue-full-refused':
      return refusedPublishMqtt3 === 'close'
    default:
      return qos > 0
  }
}

function answer(
  connection: Connection,
  { qos, packetIdentifier }: PublishPacket,
  reasonCode: PublishReasonCode,
  reasonString: string | undefined,
  isStored: boolean
): void {
  const type = qos === 1 ? PacketType.Puback : PacketType.Pubrec
  connection.sender.respond({ type, packetIdentifier, reasonCode, properties: { reasonString } }, isStored)
}
