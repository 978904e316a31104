import { decodeProperties } from '../decode-properties.ts'
import { encodeReason } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type DisconnectProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isDisconnectReasonCode } from '../reason-code-sets.ts'
import { ReasonCode, type DisconnectReasonCode } from '../reason-codes.ts'
import type { Receiver } from '../receiver.ts'
import { protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** DISCONNECT: the last packet on a network connection ([5.0 3.14], [3.1.1 3.14]); from a server only on 5.0. */
export interface DisconnectPacket {
  readonly type: typeof PacketType.Disconnect
  /** Always Normal disconnection on 3.1 and 3.1.1. */
  readonly reasonCode: DisconnectReasonCode
  readonly properties: DisconnectProperties
}

/*
DISCONNECT        => [reason_code [PROPERTIES]] (5.0)
  reason_code     => BYTE (left out: 0x00)
*/

const NORMAL_DISCONNECTION: DisconnectPacket = Object.freeze({
  type: PacketType.Disconnect,
  reasonCode: ReasonCode.NormalDisconnection,
  properties: NO_PROPERTIES
})

export function decodeDisconnect(reader: Reader, protocolVersion: ProtocolVersion, receiver: Receiver): DisconnectPacket {
  if (protocolVersion !== ProtocolVersion.Mqtt5 || reader.remaining === 0) return NORMAL_DISCONNECTION
  const reasonCode = reader.byte()
  // [5.0 MQTT-3.14.2-1]
  if (!isDisconnectReasonCode(reasonCode)) throw protocolError(`${reasonCode} is not a DISCONNECT Reason Code`)
  const properties = reader.remaining === 0 ? NO_PROPERTIES : readProperties(reader, receiver)
  return { type: PacketType.Disconnect, reasonCode, properties }
}

function readProperties(reader: Reader, receiver: Receiver): DisconnectProperties {
  const properties = decodeProperties(reader, PacketType.Disconnect)
  // [5.0 MQTT-3.14.2-2]
  if (receiver === 'client' && properties.sessionExpiryInterval !== undefined) {
    throw protocolError('DISCONNECT from a server with a Session Expiry Interval')
  }
  return properties
}

export function encodeDisconnect(writer: Writer, packet: DisconnectPacket, protocolVersion: ProtocolVersion): Uint8Array {
  if (protocolVersion === ProtocolVersion.Mqtt5) {
    encodeReason(writer, PacketType.Disconnect, packet.reasonCode, packet.properties)
  }
  return writer.packet(PacketType.Disconnect << 4)
}
