import { type ConnectPacket, MqttError, NO_PROPERTIES, PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import type { Accepted, ClientIdentity, ConnectRequest, Refused } from './access.ts'
import { authorize, type Verdict } from './authorization.ts'
import { connackProperties } from './connack-properties.ts'
import type { Agreement, Connection } from './connection.ts'
import { isPromise } from './maybe-promise.ts'
import { Message } from './message.ts'
import { expirySeconds } from './session-expiry.ts'
import type { Session } from './session.ts'

/** The Receive Maximum of a client that does not tell its own ([5.0 3.1.2.11.3]). */
const RECEIVE_MAXIMUM_DEFAULT = 0xffff

/** Ends a connection whose client may not use this server. */
export function refuse(connection: Connection, { reasonCode, reasonString, serverReference }: Refused): void {
  connection.close({
    reasonCode: reasonCode ?? ReasonCode.NotAuthorized,
    reason: reasonString ?? 'not authorized to connect',
    serverReference
  })
}

/** Accepts an authenticated client, if it may publish its will. */
export function acceptIfAllowed(
  connection: Connection,
  packet: ConnectPacket,
  request: ConnectRequest,
  accepted: Accepted,
  authenticationData: Uint8Array | undefined
): void {
  const { clientId, protocolVersion, transport, peer, will } = request
  const userName = accepted.userName ?? request.userName
  const identity: ClientIdentity = { clientId, userName, protocolVersion, transport, peer }
  const verdict =
    will === undefined
      ? 'allowed'
      : authorize(connection.engine, identity, {
          action: 'publish',
          topicName: will.topicName,
          qos: will.qos,
          retain: will.retain
        })
  const decide = (known: Verdict): void => {
    if (known === 'allowed') accept(connection, packet, request, identity, accepted, authenticationData)
    else refuse(connection, { accepted: false, reasonString: 'not authorized to publish the Will Message' })
  }
  if (isPromise(verdict)) connection.hold(verdict, decide)
  else decide(verdict)
}

function accept(
  connection: Connection,
  packet: ConnectPacket,
  request: ConnectRequest,
  identity: ClientIdentity,
  accepted: Accepted,
  authenticationData: Uint8Array | undefined
): void {
  const { engine } = connection
  const { clientId } = identity
  // [5.0 MQTT-3.1.4-3] [3.1.1 MQTT-3.1.4-2]
  engine.clients
    .get(clientId)
    ?.close({ reasonCode: ReasonCode.SessionTakenOver, reason: 'another connection uses this ClientID' })
  const known = engine.sessions.get(clientId)
  if (known === undefined && engine.sessions.size >= engine.limits.sessionsMax) {
    throw new MqttError(
      ReasonCode.QuotaExceeded,
      `there are ${engine.limits.sessionsMax} sessions, the most that this server keeps`
    )
  }
  const session = openSession(connection, packet, clientId, known)
  keepWill(connection, packet, clientId)
  const agreement: Agreement = {
    identity,
    session,
    keepAliveSeconds: keepAliveOf(connection, packet),
    authentication: authenticationOf(packet, request)
  }
  connection.accept(agreement, packet)
  const sessionPresent = session === known
  const welcome = () => {
    sendConnack(connection, packet, agreement, sessionPresent, accepted, authenticationData)
    session.attach(connection.sender, packet.properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT)
  }
  // What CONNACK says of the session has to be true after a crash as well; so has the end of the one before, of whichever
  // connection it came.
  const isRemoving = !session.isDurable && engine.sessions.isRemoving
  if (isRemoving) engine.store.deleteSession(clientId)
  if (session.isDurable || isRemoving || packet.will !== undefined) connection.hold(engine.committed(), welcome)
  else welcome()
}

/** Clean Start, or Clean Session: the known session ends and a new one begins; else it goes on ([5.0 MQTT-3.1.2-4] to [5.0 MQTT-3.1.2-6]). */
function openSession(
  { engine, listener }: Connection,
  packet: ConnectPacket,
  clientId: string,
  known: Session | undefined
): Session {
  const requested =
    packet.protocolVersion === ProtocolVersion.Mqtt5
      ? (packet.properties.sessionExpiryInterval ?? 0)
      : packet.cleanStart
        ? 0
        : engine.limits.sessionExpirySecondsMax
  const expiryIntervalSeconds = expirySeconds(requested, engine.limits)
  if (known !== undefined && !packet.cleanStart) {
    engine.sessions.resume(known, expiryIntervalSeconds, listener)
    return known
  }
  if (known !== undefined) engine.sessions.end(known, 'session-ended')
  return engine.sessions.create(clientId, expiryIntervalSeconds, listener)
}

function keepWill({ engine }: Connection, { will }: ConnectPacket, clientId: string): void {
  if (will === undefined) return
  const { willDelayInterval, ...properties } = will.properties
  const message = Message.publish({ ...will, properties }, clientId, engine.clock.now())
  message.own()
  engine.wills.arm(clientId, message, willDelayInterval ?? 0)
}

/**
 * Neither the password nor the authentication data, which have served their purpose, nor the will, which is kept elsewhere,
 * may stay in memory for as long as the client is connected.
 */
function authenticationOf({ properties }: ConnectPacket, request: ConnectRequest): Agreement['authentication'] {
  const method = properties.authenticationMethod
  if (method === undefined) return undefined
  const told = { ...properties, authenticationData: undefined }
  return { method, request: { ...request, password: undefined, will: undefined, properties: told } }
}

/** [5.0 MQTT-3.1.2-21] [3.1.1 MQTT-3.1.2-24]: only 5.0 clients can be told another one than their own */
function keepAliveOf({ engine: { limits } }: Connection, { protocolVersion, keepAliveSeconds }: ConnectPacket): number {
  const { keepAliveSecondsMax } = limits
  if (protocolVersion !== ProtocolVersion.Mqtt5 || keepAliveSecondsMax === 0) return keepAliveSeconds
  return keepAliveSeconds === 0 ? keepAliveSecondsMax : Math.min(keepAliveSeconds, keepAliveSecondsMax)
}

function sendConnack(
  connection: Connection,
  packet: ConnectPacket,
  agreement: Agreement,
  sessionPresent: boolean,
  accepted: Accepted,
  authenticationData: Uint8Array | undefined
): void {
  const { engine, transport } = connection
  const { clientId, userName, protocolVersion } = agreement.identity
  const properties = connection.isMqtt5
    ? connackProperties(connection, packet, agreement, accepted, authenticationData)
    : NO_PROPERTIES
  connection.welcome({ type: PacketType.Connack, sessionPresent, reasonCode: ReasonCode.Success, properties })
  engine.logger.info({ clientId, userName, peer: transport.peer.address, protocolVersion, sessionPresent }, 'client connected')
  engine.tell((events) =>
    events.emit('clientConnected', {
      clientId,
      userName,
      protocolVersion,
      keepAliveSeconds: agreement.keepAliveSeconds,
      sessionPresent,
      transport: transport.kind,
      peer: transport.peer
    })
  )
}
