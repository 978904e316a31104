import { type AuthPacket, MqttError, ReasonCode } from '@godwit/protocol'
import { beginReauthentication, continueAuthentication } from './authenticating.ts'
import type { Connection } from './connection.ts'

/** AUTH from a client: the next step of an exchange, or the beginning of re-authentication ([5.0 3.15], [5.0 4.12]). */
export function handleAuth(connection: Connection, packet: AuthPacket): void {
  const { agreement, authenticating } = connection
  const method = authenticating?.method ?? agreement?.authentication?.method
  // [5.0 MQTT-4.12.0-7]
  if (method === undefined) {
    throw new MqttError(ReasonCode.ProtocolError, 'AUTH came though CONNECT named no Authentication Method')
  }
  // [5.0 MQTT-4.12.0-5] [5.0 MQTT-4.12.1-1]
  if (packet.properties.authenticationMethod !== method) {
    throw new MqttError(ReasonCode.ProtocolError, `the Authentication Method of AUTH is not ${method}, that of CONNECT`)
  }
  if (packet.reasonCode === ReasonCode.ContinueAuthentication && authenticating !== undefined) {
    continueAuthentication(connection, authenticating, packet)
  } else if (
    packet.reasonCode === ReasonCode.ReAuthenticate &&
    authenticating === undefined &&
    agreement?.authentication !== undefined
  ) {
    beginReauthentication(connection, agreement.authentication.request, method, packet)
  } else {
    throw new MqttError(ReasonCode.ProtocolError, 'AUTH with a Reason Code that does not fit the state of the exchange')
  }
}
