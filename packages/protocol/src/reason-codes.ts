/**
 * Reason Codes of MQTT 5.0 ([5.0 2.4]). Below 0x80 the operation succeeded, from 0x80 on it failed.
 * 0x00 has three names: Success, Normal disconnection, Granted QoS 0.
 */
export const ReasonCode = {
  Success: 0x00,
  NormalDisconnection: 0x00,
  GrantedQoS0: 0x00,
  GrantedQoS1: 0x01,
  GrantedQoS2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2
} as const

type ReasonCodeName = keyof typeof ReasonCode
type Code<Name extends ReasonCodeName> = (typeof ReasonCode)[Name]

export type ReasonCode = Code<ReasonCodeName>

type SuccessName =
  | 'Success'
  | 'NormalDisconnection'
  | 'GrantedQoS0'
  | 'GrantedQoS1'
  | 'GrantedQoS2'
  | 'DisconnectWithWillMessage'
  | 'NoMatchingSubscribers'
  | 'NoSubscriptionExisted'
  | 'ContinueAuthentication'
  | 'ReAuthenticate'

/** Reason Codes that tell of a failure: 0x80 and above. */
export type ErrorReasonCode = Code<Exclude<ReasonCodeName, SuccessName>>

/** Connect Reason Code ([5.0 3.2.2.2], [5.0 MQTT-3.2.2-8]). */
export type ConnectReasonCode = Code<
  | 'Success'
  | 'UnspecifiedError'
  | 'MalformedPacket'
  | 'ProtocolError'
  | 'ImplementationSpecificError'
  | 'UnsupportedProtocolVersion'
  | 'ClientIdentifierNotValid'
  | 'BadUserNameOrPassword'
  | 'NotAuthorized'
  | 'ServerUnavailable'
  | 'ServerBusy'
  | 'Banned'
  | 'BadAuthenticationMethod'
  | 'TopicNameInvalid'
  | 'PacketTooLarge'
  | 'QuotaExceeded'
  | 'PayloadFormatInvalid'
  | 'RetainNotSupported'
  | 'QoSNotSupported'
  | 'UseAnotherServer'
  | 'ServerMoved'
  | 'ConnectionRateExceeded'
>

/** PUBACK and PUBREC Reason Codes ([5.0 MQTT-3.4.2-1], [5.0 MQTT-3.5.2-1]). */
export type PublishReasonCode = Code<
  | 'Success'
  | 'NoMatchingSubscribers'
  | 'UnspecifiedError'
  | 'ImplementationSpecificError'
  | 'NotAuthorized'
  | 'TopicNameInvalid'
  | 'PacketIdentifierInUse'
  | 'QuotaExceeded'
  | 'PayloadFormatInvalid'
>

/** PUBREL and PUBCOMP Reason Codes ([5.0 MQTT-3.6.2-1], [5.0 MQTT-3.7.2-1]). */
export type ReleaseReasonCode = Code<'Success' | 'PacketIdentifierNotFound'>

/** Subscribe Reason Codes, one for each filter of a SUBACK ([5.0 MQTT-3.9.3-2]). */
export type SubscribeReasonCode = Code<
  | 'GrantedQoS0'
  | 'GrantedQoS1'
  | 'GrantedQoS2'
  | 'UnspecifiedError'
  | 'ImplementationSpecificError'
  | 'NotAuthorized'
  | 'TopicFilterInvalid'
  | 'PacketIdentifierInUse'
  | 'QuotaExceeded'
  | 'SharedSubscriptionsNotSupported'
  | 'SubscriptionIdentifiersNotSupported'
  | 'WildcardSubscriptionsNotSupported'
>

/** Unsubscribe Reason Codes, one for each filter of an UNSUBACK ([5.0 MQTT-3.11.3-2]). */
export type UnsubscribeReasonCode = Code<
  | 'Success'
  | 'NoSubscriptionExisted'
  | 'UnspecifiedError'
  | 'ImplementationSpecificError'
  | 'NotAuthorized'
  | 'TopicFilterInvalid'
  | 'PacketIdentifierInUse'
>

/** Disconnect Reason Codes ([5.0 3.14.2.1], [5.0 MQTT-3.14.2-1]). */
export type DisconnectReasonCode = Code<
  | 'NormalDisconnection'
  | 'DisconnectWithWillMessage'
  | 'UnspecifiedError'
  | 'MalformedPacket'
  | 'ProtocolError'
  | 'ImplementationSpecificError'
  | 'NotAuthorized'
  | 'ServerBusy'
  | 'ServerShuttingDown'
  | 'BadAuthenticationMethod'
  | 'KeepAliveTimeout'
  | 'SessionTakenOver'
  | 'TopicFilterInvalid'
  | 'TopicNameInvalid'
  | 'ReceiveMaximumExceeded'
  | 'TopicAliasInvalid'
  | 'PacketTooLarge'
  | 'MessageRateTooHigh'
  | 'QuotaExceeded'
  | 'AdministrativeAction'
  | 'PayloadFormatInvalid'
  | 'RetainNotSupported'
  | 'QoSNotSupported'
  | 'UseAnotherServer'
  | 'ServerMoved'
  | 'SharedSubscriptionsNotSupported'
  | 'ConnectionRateExceeded'
  | 'MaximumConnectTime'
  | 'SubscriptionIdentifiersNotSupported'
  | 'WildcardSubscriptionsNotSupported'
>

/** Authenticate Reason Codes ([5.0 MQTT-3.15.2-1]). */
export type AuthenticateReasonCode = Code<'Success' | 'ContinueAuthentication' | 'ReAuthenticate'>

/** Connect Return codes of 3.1 and 3.1.1 ([3.1.1 3.2.2.3]). */
export const ConnectReturnCode = {
  Accepted: 0x00,
  UnacceptableProtocolVersion: 0x01,
  IdentifierRejected: 0x02,
  ServerUnavailable: 0x03,
  BadUserNameOrPassword: 0x04,
  NotAuthorized: 0x05
} as const

export type ConnectReturnCode = (typeof ConnectReturnCode)[keyof typeof ConnectReturnCode]

/** SUBACK return codes of 3.1 and 3.1.1 ([3.1.1 MQTT-3.9.3-2]); 3.1 has no failure code. */
export type SubscribeReturnCode = 0x00 | 0x01 | 0x02 | 0x80
