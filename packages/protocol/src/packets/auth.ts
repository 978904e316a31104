import { decodeProperties } from '../decode-properties.ts'
import { encodeReason } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type AuthProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isAuthenticateReasonCode } from '../reason-code-sets.ts'
import { ReasonCode, type AuthenticateReasonCode } from '../reason-codes.ts'
import type { Receiver } from '../receiver.ts'
import { protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** AUTH: one step of an enhanced authentication exchange ([5.0 3.15]); 5.0 only. */
export interface AuthPacket {
  readonly type: typeof PacketType.Auth
  readonly reasonCode: AuthenticateReasonCode
  readonly properties: AuthProperties
}

/*
AUTH              => [reason_code PROPERTIES]
  reason_code     => BYTE (left out: 0x00)
*/

export function decodeAuth(reader: Reader, receiver: Receiver): AuthPacket {
  const isShort = reader.remaining === 0
  const reasonCode = isShort ? ReasonCode.Success : reader.byte()
  // [5.0 MQTT-3.15.2-1]
  if (!isAuthenticateReasonCode(reasonCode)) throw protocolError(`${reasonCode} is not an AUTH Reason Code`)
  // [5.0 3.15.2.1]: only servers tell of success, only clients ask to re-authenticate.
  if (reasonCode === (receiver === 'server' ? ReasonCode.Success : ReasonCode.ReAuthenticate)) {
    throw protocolError(`AUTH Reason Code ${reasonCode} is not for a ${receiver}`)
  }
  const properties: AuthProperties = isShort ? NO_PROPERTIES : decodeProperties(reader, PacketType.Auth)
  // [5.0 3.15.2.2.2]; but success may come without any properties [5.0 3.15.2.1].
  const isBareSuccess = reasonCode === ReasonCode.Success && properties === NO_PROPERTIES
  if (properties.authenticationMethod === undefined && !isBareSuccess) {
    throw protocolError('AUTH without an Authentication Method')
  }
  return { type: PacketType.Auth, reasonCode, properties }
}

/** @throws {RangeError} on 3.1 and 3.1.1, and for anything but a bare success without an Authentication Method */
export function encodeAuth(writer: Writer, packet: AuthPacket, protocolVersion: ProtocolVersion): Uint8Array {
  if (protocolVersion !== ProtocolVersion.Mqtt5) throw new RangeError('AUTH exists only in MQTT 5.0')
  encodeReason(writer, PacketType.Auth, packet.reasonCode, packet.properties)
  // [5.0 3.15.2.2.2]
  if (writer.length > 0 && packet.properties.authenticationMethod === undefined) {
    throw new RangeError('AUTH needs an authenticationMethod')
  }
  return writer.packet(PacketType.Auth << 4)
}
