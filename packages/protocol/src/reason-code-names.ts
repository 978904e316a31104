import { PacketType } from './packet-type.ts'
import { ReasonCode } from './reason-codes.ts'

const NAMES: Readonly<Record<ReasonCode, string>> = {
  [ReasonCode.Success]: 'Success',
  [ReasonCode.GrantedQoS1]: 'Granted QoS 1',
  [ReasonCode.GrantedQoS2]: 'Granted QoS 2',
  [ReasonCode.DisconnectWithWillMessage]: 'Disconnect with Will Message',
  [ReasonCode.NoMatchingSubscribers]: 'No matching subscribers',
  [ReasonCode.NoSubscriptionExisted]: 'No subscription existed',
  [ReasonCode.ContinueAuthentication]: 'Continue authentication',
  [ReasonCode.ReAuthenticate]: 'Re-authenticate',
  [ReasonCode.UnspecifiedError]: 'Unspecified error',
  [ReasonCode.MalformedPacket]: 'Malformed Packet',
  [ReasonCode.ProtocolError]: 'Protocol Error',
  [ReasonCode.ImplementationSpecificError]: 'Implementation specific error',
  [ReasonCode.UnsupportedProtocolVersion]: 'Unsupported Protocol Version',
  [ReasonCode.ClientIdentifierNotValid]: 'Client Identifier not valid',
  [ReasonCode.BadUserNameOrPassword]: 'Bad User Name or Password',
  [ReasonCode.NotAuthorized]: 'Not authorized',
  [ReasonCode.ServerUnavailable]: 'Server unavailable',
  [ReasonCode.ServerBusy]: 'Server busy',
  [ReasonCode.Banned]: 'Banned',
  [ReasonCode.ServerShuttingDown]: 'Server shutting down',
  [ReasonCode.BadAuthenticationMethod]: 'Bad authentication method',
  [ReasonCode.KeepAliveTimeout]: 'Keep Alive timeout',
  [ReasonCode.SessionTakenOver]: 'Session taken over',
  [ReasonCode.TopicFilterInvalid]: 'Topic Filter invalid',
  [ReasonCode.TopicNameInvalid]: 'Topic Name invalid',
  [ReasonCode.PacketIdentifierInUse]: 'Packet Identifier in use',
  [ReasonCode.PacketIdentifierNotFound]: 'Packet Identifier not found',
  [ReasonCode.ReceiveMaximumExceeded]: 'Receive Maximum exceeded',
  [ReasonCode.TopicAliasInvalid]: 'Topic Alias invalid',
  [ReasonCode.PacketTooLarge]: 'Packet too large',
  [ReasonCode.MessageRateTooHigh]: 'Message rate too high',
  [ReasonCode.QuotaExceeded]: 'Quota exceeded',
  [ReasonCode.AdministrativeAction]: 'Administrative action',
  [ReasonCode.PayloadFormatInvalid]: 'Payload format invalid',
  [ReasonCode.RetainNotSupported]: 'Retain not supported',
  [ReasonCode.QoSNotSupported]: 'QoS not supported',
  [ReasonCode.UseAnotherServer]: 'Use another server',
  [ReasonCode.ServerMoved]: 'Server moved',
  [ReasonCode.SharedSubscriptionsNotSupported]: 'Shared Subscriptions not supported',
  [ReasonCode.ConnectionRateExceeded]: 'Connection rate exceeded',
  [ReasonCode.MaximumConnectTime]: 'Maximum connect time',
  [ReasonCode.SubscriptionIdentifiersNotSupported]: 'Subscription Identifiers not supported',
  [ReasonCode.WildcardSubscriptionsNotSupported]: 'Wildcard Subscriptions not supported'
}

const NAMES_BY_CODE: ReadonlyMap<number, string> = new Map(Object.entries(NAMES).map(([code, name]) => [Number(code), name]))

/**
 * The specification's name of a Reason Code ([5.0 2.4]), for people. 0x00 goes by the name it has in `packetType`:
 * Success, Normal disconnection or Granted QoS 0.
 */
export function reasonCodeName(reasonCode: number, packetType?: PacketType): string {
  if (reasonCode === 0x00 && packetType === PacketType.Disconnect) return 'Normal disconnection'
  if (reasonCode === 0x00 && packetType === PacketType.Suback) return 'Granted QoS 0'
  return NAMES_BY_CODE.get(reasonCode) ?? `Reason Code 0x${reasonCode.toString(16).padStart(2, '0')}`
}
