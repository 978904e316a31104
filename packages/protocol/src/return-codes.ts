import { ConnectReturnCode, ReasonCode, type SubscribeReturnCode } from './reason-codes.ts'

/**
 * The Connect Return code with which a server tells a 3.1 or 3.1.1 client what it would tell a 5.0 client by
 * `reasonCode`.
 *
 * @returns undefined where none fits: just close the network connection ([3.1.1 MQTT-3.2.2-6], [3.1.1 MQTT-3.1.4-1])
 */
export function toConnectReturnCode(reasonCode: ReasonCode): ConnectReturnCode | undefined {
  switch (reasonCode) {
    case ReasonCode.Success:
      return ConnectReturnCode.Accepted
    case ReasonCode.UnsupportedProtocolVersion:
      return ConnectReturnCode.UnacceptableProtocolVersion
    case ReasonCode.ClientIdentifierNotValid:
      return ConnectReturnCode.IdentifierRejected
    case ReasonCode.ServerUnavailable:
    case ReasonCode.ServerBusy:
    case ReasonCode.ServerShuttingDown:
    case ReasonCode.ConnectionRateExceeded:
    case ReasonCode.QuotaExceeded:
    case ReasonCode.UseAnotherServer:
    case ReasonCode.ServerMoved:
      return ConnectReturnCode.ServerUnavailable
    case ReasonCode.BadUserNameOrPassword:
      return ConnectReturnCode.BadUserNameOrPassword
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
      return ConnectReturnCode.NotAuthorized
    default:
      return undefined
  }
}

/** The SUBACK return code of 3.1.1 for a Subscribe Reason Code: the granted QoS, or 0x80 for every failure. */
export function toSubscribeReturnCode(reasonCode: number): SubscribeReturnCode {
  return reasonCode === 0x00 || reasonCode === 0x01 || reasonCode === 0x02 ? reasonCode : 0x80
}
