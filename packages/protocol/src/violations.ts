import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'

/** The packet cannot be parsed as the specification describes it ([5.0 1.2], Malformed Packet). */
export function malformed(message: string): MqttError {
  return new MqttError(ReasonCode.MalformedPacket, message)
}

/** The packet can be parsed, and holds what the protocol does not allow at this point ([5.0 1.2], Protocol Error). */
export function protocolError(message: string): MqttError {
  return new MqttError(ReasonCode.ProtocolError, message)
}
