import { type ConnectPacket, MqttError, ProtocolVersion, ReasonCode, topicLevels, validateTopicName } from '@godwit/protocol'
import { acceptIfAllowed, refuse } from './accept-client.ts'
import type { Accepted, ConnectRequest, Refused } from './access.ts'
import { beginAuthentication } from './authenticating.ts'
import type { Connection } from './connection.ts'
import { isPromise } from './maybe-promise.ts'

/**
 * CONNECT: checked, authenticated, then accepted with a session ([5.0 3.1.4], [3.1.1 3.1.4]). The packets that a hasty
 * client sends right behind it wait until it is answered.
 * @throws MqttError for a CONNECT that is refused
 */
export function handleConnect(connection: Connection, packet: ConnectPacket): void {
  const { engine, transport } = connection
  connection.sender.limitPackets(packet.properties.maximumPacketSize ?? Infinity)
  if (engine.isClosing) throw new MqttError(ReasonCode.ServerUnavailable, 'the server is shutting down')
  if (engine.clients.size >= engine.limits.clientsMax && !engine.clients.has(packet.clientId)) {
    throw new MqttError(
      ReasonCode.QuotaExceeded,
      `${engine.limits.clientsMax} clients are connected, the most that this server takes`
    )
  }
  checkClientId(packet, engine.limits.clientIdBytesMax)
  checkWill(connection, packet)
  const request: ConnectRequest = {
    clientId: packet.clientId === '' ? engine.newClientId() : packet.clientId,
    userName: packet.userName,
    password: packet.password,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.cleanStart,
    keepAliveSeconds: packet.keepAliveSeconds,
    will: packet.will,
    properties: packet.properties,
    transport: transport.kind,
    peer: transport.peer
  }
  const method = packet.properties.authenticationMethod
  if (method !== undefined) beginAuthentication(connection, packet, request, method)
  else authenticate(connection, packet, request)
}

function authenticate(connection: Connection, packet: ConnectPacket, request: ConnectRequest): void {
  const { access } = connection.engine
  if (access.authenticate === undefined) {
    acceptIfAllowed(connection, packet, request, { accepted: true }, undefined)
    return
  }
  const verdict = access.authenticate(request)
  if (isPromise(verdict)) connection.hold(verdict, (known) => conclude(connection, packet, request, known))
  else conclude(connection, packet, request, verdict)
}

function conclude(connection: Connection, packet: ConnectPacket, request: ConnectRequest, verdict: Accepted | Refused): void {
  if (verdict.accepted) acceptIfAllowed(connection, packet, request, verdict, undefined)
  else refuse(connection, verdict)
}

/** [5.0 MQTT-3.1.3-6] [3.1.1 MQTT-3.1.3-8]: without a ClientID only a clean session can be had, and none on 3.1 */
function checkClientId({ clientId, protocolVersion, cleanStart }: ConnectPacket, bytesMax: number): void {
  if (
    clientId === '' &&
    protocolVersion !== ProtocolVersion.Mqtt5 &&
    (protocolVersion === ProtocolVersion.Mqtt31 || !cleanStart)
  ) {
    throw new MqttError(ReasonCode.ClientIdentifierNotValid, 'a ClientID is needed')
  }
  if (Buffer.byteLength(clientId) > bytesMax) {
    throw new MqttError(ReasonCode.ClientIdentifierNotValid, `a ClientID may have ${bytesMax} bytes`)
  }
}

function checkWill({ engine: { features, limits } }: Connection, { will }: ConnectPacket): void {
  if (will === undefined) return
  // [5.0 MQTT-3.2.2-12] [5.0 MQTT-3.2.2-13]
  if (will.qos > features.maximumQoS) throw new MqttError(ReasonCode.QoSNotSupported, `the Maximum QoS is ${features.maximumQoS}`)
  if (will.retain && !features.retainAvailable) {
    throw new MqttError(ReasonCode.RetainNotSupported, 'this server does not retain messages')
  }
  const problem = validateTopicName(will.topicName)
  if (problem !== undefined) throw new MqttError(ReasonCode.TopicNameInvalid, `the Will Topic: ${problem}`)
  if (Buffer.byteLength(will.topicName) > limits.topicBytesMax || topicLevels(will.topicName) > limits.topicLevelsMax) {
    throw new MqttError(
      ReasonCode.TopicNameInvalid,
      `a Will Topic may have ${limits.topicBytesMax} bytes and ${limits.topicLevelsMax} levels`
    )
  }
}
