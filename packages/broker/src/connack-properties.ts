import type { ConnackProperties, ConnectPacket } from '@godwit/protocol'
import type { Accepted } from './access.ts'
import type { Agreement, Connection } from './connection.ts'
import { toExpiryInterval } from './session-expiry.ts'

/** Tells the client what differs from what it asked for, or from what the specification lets it assume. */
export function connackProperties(
  { engine }: Connection,
  packet: ConnectPacket,
  { identity, session, keepAliveSeconds, authentication }: Agreement,
  accepted: Accepted,
  authenticationData: Uint8Array | undefined
): ConnackProperties {
  const { limits, features, options } = engine
  const { sessionExpiryInterval, requestResponseInformation } = packet.properties
  const grantedExpiryInterval = toExpiryInterval(session.expiryIntervalSeconds)
  return {
    sessionExpiryInterval: grantedExpiryInterval === (sessionExpiryInterval ?? 0) ? undefined : grantedExpiryInterval,
    receiveMaximum: limits.receiveMaximum,
    maximumQoS: features.maximumQoS === 2 ? undefined : features.maximumQoS,
    retainAvailable: features.retainAvailable ? undefined : false,
    maximumPacketSize: limits.packetBytesMax,
    assignedClientIdentifier: packet.clientId === '' ? identity.clientId : undefined,
    topicAliasMaximum: limits.topicAliasMaximum === 0 ? undefined : limits.topicAliasMaximum,
    wildcardSubscriptionAvailable: features.wildcardSubscriptionAvailable ? undefined : false,
    subscriptionIdentifiersAvailable: features.subscriptionIdentifiersAvailable ? undefined : false,
    sharedSubscriptionAvailable: features.sharedSubscriptionAvailable ? undefined : false,
    serverKeepAlive: keepAliveSeconds === packet.keepAliveSeconds ? undefined : keepAliveSeconds,
    responseInformation: requestResponseInformation === true ? options.responseInformation : undefined,
    userProperties: accepted.userProperties,
    authenticationMethod: authentication?.method,
    authenticationData
  }
}
