import {
  type ConnectReasonCode,
  type DisconnectReasonCode,
  isConnectReasonCode,
  isDisconnectReasonCode,
  ReasonCode
} from '@godwit/protocol'

/** A reason as CONNACK may give it ([5.0 MQTT-3.2.2-8]). */
export function toConnectReasonCode(reasonCode: ReasonCode): ConnectReasonCode {
  if (isConnectReasonCode(reasonCode)) return reasonCode
  return reasonCode === ReasonCode.ServerShuttingDown ? ReasonCode.ServerUnavailable : ReasonCode.UnspecifiedError
}

/** A reason as DISCONNECT may give it ([5.0 MQTT-3.14.2-1]). */
export function toDisconnectReasonCode(reasonCode: ReasonCode): DisconnectReasonCode {
  return isDisconnectReasonCode(reasonCode) ? reasonCode : ReasonCode.UnspecifiedError
}
