import {
  ReasonCode,
  type AuthenticateReasonCode,
  type ConnectReasonCode,
  type ConnectReturnCode,
  type DisconnectReasonCode,
  type PublishReasonCode,
  type ReleaseReasonCode,
  type SubscribeReasonCode,
  type SubscribeReturnCode,
  type UnsubscribeReasonCode
} from './reason-codes.ts'

// The Reason Codes of each packet as they arrive on the wire. Written as records, so that the compiler holds each set to
// exactly the members of its type.

const CONNECT: Readonly<Record<ConnectReasonCode, true>> = {
  [ReasonCode.Success]: true,
  [ReasonCode.UnspecifiedError]: true,
  [ReasonCode.MalformedPacket]: true,
  [ReasonCode.ProtocolError]: true,
  [ReasonCode.ImplementationSpecificError]: true,
  [ReasonCode.UnsupportedProtocolVersion]: true,
  [ReasonCode.ClientIdentifierNotValid]: true,
  [ReasonCode.BadUserNameOrPassword]: true,
  [ReasonCode.NotAuthorized]: true,
  [ReasonCode.ServerUnavailable]: true,
  [ReasonCode.ServerBusy]: true,
  [ReasonCode.Banned]: true,
  [ReasonCode.BadAuthenticationMethod]: true,
  [ReasonCode.TopicNameInvalid]: true,
  [ReasonCode.PacketTooLarge]: true,
  [ReasonCode.QuotaExceeded]: true,
  [ReasonCode.PayloadFormatInvalid]: true,
  [ReasonCode.RetainNotSupported]: true,
  [ReasonCode.QoSNotSupported]: true,
  [ReasonCode.UseAnotherServer]: true,
  [ReasonCode.ServerMoved]: true,
  [ReasonCode.ConnectionRateExceeded]: true
}

const CONNECT_RETURN: Readonly<Record<ConnectReturnCode, true>> = { 0: true, 1: true, 2: true, 3: true, 4: true, 5: true }

const PUBLISH: Readonly<Record<PublishReasonCode, true>> = {
  [ReasonCode.Success]: true,
  [ReasonCode.NoMatchingSubscribers]: true,
  [ReasonCode.UnspecifiedError]: true,
  [ReasonCode.ImplementationSpecificError]: true,
  [ReasonCode.NotAuthorized]: true,
  [ReasonCode.TopicNameInvalid]: true,
  [ReasonCode.PacketIdentifierInUse]: true,
  [ReasonCode.QuotaExceeded]: true,
  [ReasonCode.PayloadFormatInvalid]: true
}

const RELEASE: Readonly<Record<ReleaseReasonCode, true>> = {
  [ReasonCode.Success]: true,
  [ReasonCode.PacketIdentifierNotFound]: true
}

const SUBSCRIBE: Readonly<Record<SubscribeReasonCode, true>> = {
  [ReasonCode.GrantedQoS0]: true,
  [ReasonCode.GrantedQoS1]: true,
  [ReasonCode.GrantedQoS2]: true,
  [ReasonCode.UnspecifiedError]: true,
  [ReasonCode.ImplementationSpecificError]: true,
  [ReasonCode.NotAuthorized]: true,
  [ReasonCode.TopicFilterInvalid]: true,
  [ReasonCode.PacketIdentifierInUse]: true,
  [ReasonCode.QuotaExceeded]: true,
  [ReasonCode.SharedSubscriptionsNotSupported]: true,
  [ReasonCode.SubscriptionIdentifiersNotSupported]: true,
  [ReasonCode.WildcardSubscriptionsNotSupported]: true
}

const SUBSCRIBE_RETURN: Readonly<Record<SubscribeReturnCode, true>> = { 0: true, 1: true, 2: true, 0x80: true }

const UNSUBSCRIBE: Readonly<Record<UnsubscribeReasonCode, true>> = {
  [ReasonCode.Success]: true,
  [ReasonCode.NoSubscriptionExisted]: true,
  [ReasonCode.UnspecifiedError]: true,
  [ReasonCode.ImplementationSpecificError]: true,
  [ReasonCode.NotAuthorized]: true,
  [ReasonCode.TopicFilterInvalid]: true,
  [ReasonCode.PacketIdentifierInUse]: true
}

const DISCONNECT: Readonly<Record<DisconnectReasonCode, true>> = {
  [ReasonCode.NormalDisconnection]: true,
  [ReasonCode.DisconnectWithWillMessage]: true,
  [ReasonCode.UnspecifiedError]: true,
  [ReasonCode.MalformedPacket]: true,
  [ReasonCode.ProtocolError]: true,
  [ReasonCode.ImplementationSpecificError]: true,
  [ReasonCode.NotAuthorized]: true,
  [ReasonCode.ServerBusy]: true,
  [ReasonCode.ServerShuttingDown]: true,
  [ReasonCode.BadAuthenticationMethod]: true,
  [ReasonCode.KeepAliveTimeout]: true,
  [ReasonCode.SessionTakenOver]: true,
  [ReasonCode.TopicFilterInvalid]: true,
  [ReasonCode.TopicNameInvalid]: true,
  [ReasonCode.ReceiveMaximumExceeded]: true,
  [ReasonCode.TopicAliasInvalid]: true,
  [ReasonCode.PacketTooLarge]: true,
  [ReasonCode.MessageRateTooHigh]: true,
  [ReasonCode.QuotaExceeded]: true,
  [ReasonCode.AdministrativeAction]: true,
  [ReasonCode.PayloadFormatInvalid]: true,
  [ReasonCode.RetainNotSupported]: true,
  [ReasonCode.QoSNotSupported]: true,
  [ReasonCode.UseAnotherServer]: true,
  [ReasonCode.ServerMoved]: true,
  [ReasonCode.SharedSubscriptionsNotSupported]: true,
  [ReasonCode.ConnectionRateExceeded]: true,
  [ReasonCode.MaximumConnectTime]: true,
  [ReasonCode.SubscriptionIdentifiersNotSupported]: true,
  [ReasonCode.WildcardSubscriptionsNotSupported]: true
}

const AUTHENTICATE: Readonly<Record<AuthenticateReasonCode, true>> = {
  [ReasonCode.Success]: true,
  [ReasonCode.ContinueAuthentication]: true,
  [ReasonCode.ReAuthenticate]: true
}

export function isConnectReasonCode(code: number): code is ConnectReasonCode {
  return Object.hasOwn(CONNECT, code)
}

export function isConnectReturnCode(code: number): code is ConnectReturnCode {
  return Object.hasOwn(CONNECT_RETURN, code)
}

export function isPublishReasonCode(code: number): code is PublishReasonCode {
  return Object.hasOwn(PUBLISH, code)
}

export function isReleaseReasonCode(code: number): code is ReleaseReasonCode {
  return Object.hasOwn(RELEASE, code)
}

export function isSubscribeReasonCode(code: number): code is SubscribeReasonCode {
  return Object.hasOwn(SUBSCRIBE, code)
}

export function isSubscribeReturnCode(code: number): code is SubscribeReturnCode {
  return Object.hasOwn(SUBSCRIBE_RETURN, code)
}

export function isUnsubscribeReasonCode(code: number): code is UnsubscribeReasonCode {
  return Object.hasOwn(UNSUBSCRIBE, code)
}

export function isDisconnectReasonCode(code: number): code is DisconnectReasonCode {
  return Object.hasOwn(DISCONNECT, code)
}

export function isAuthenticateReasonCode(code: number): code is AuthenticateReasonCode {
  return Object.hasOwn(AUTHENTICATE, code)
}
