import { type DisconnectPacket, MqttError, ReasonCode } from '@godwit/protocol'
import type { Agreement, Connection } from './connection.ts'
import { expirySeconds } from './session-expiry.ts'

/** DISCONNECT from a client ([5.0 3.14.4], [3.1.1 3.14.4]). */
export function handleDisconnect(connection: Connection, { session }: Agreement, packet: DisconnectPacket): void {
  const { reasonCode, properties } = packet
  const { sessionExpiryInterval } = properties
  if (sessionExpiryInterval !== undefined) {
    // [5.0 3.14.2.2.2] what was to end with its connection cannot be kept after all
    if (session.expiryIntervalSeconds === 0 && sessionExpiryInterval > 0) {
      throw new MqttError(ReasonCode.ProtocolError, 'DISCONNECT must not set a Session Expiry Interval where CONNECT had set 0')
    }
    session.expiryIntervalSeconds = expirySeconds(sessionExpiryInterval, connection.engine.limits)
  }
  // [5.0 MQTT-3.14.4-3] [3.1.1 MQTT-3.14.4-3]
  if (reasonCode === ReasonCode.NormalDisconnection) connection.engine.wills.discard(session.clientId)
  connection.closedByClient({ reasonCode, reason: properties.reasonString ?? 'the client disconnected' })
}
