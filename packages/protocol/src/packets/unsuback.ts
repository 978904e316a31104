import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type AcknowledgementProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isUnsubscribeReasonCode } from '../reason-code-sets.ts'
import type { UnsubscribeReasonCode } from '../reason-codes.ts'
import { protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** UNSUBACK: the answer to UNSUBSCRIBE ([5.0 3.11], [3.1.1 3.11]). */
export interface UnsubackPacket {
  readonly type: typeof PacketType.Unsuback
  readonly packetIdentifier: number
  /** One for each filter of the UNSUBSCRIBE, in its order ([5.0 MQTT-3.11.3-1]); none on 3.1 and 3.1.1. */
  readonly reasonCodes: readonly UnsubscribeReasonCode[]
  readonly properties: AcknowledgementProperties
}

/*
UNSUBACK              => packet_identifier [PROPERTIES reason_code+] (5.0)
  packet_identifier   => TWO_BYTE_INTEGER
  reason_code         => BYTE
*/

export function decodeUnsuback(reader: Reader, protocolVersion: ProtocolVersion): UnsubackPacket {
  const packetIdentifier = reader.packetIdentifier()
  const reasonCodes: UnsubscribeReasonCode[] = []
  if (protocolVersion !== ProtocolVersion.Mqtt5) {
    return { type: PacketType.Unsuback, packetIdentifier, reasonCodes, properties: NO_PROPERTIES }
  }
  const properties = decodeProperties(reader, PacketType.Unsuback)
  if (reader.remaining === 0) throw protocolError('UNSUBACK without a Reason Code')
  while (reader.remaining > 0) {
    const code = reader.byte()
    // [5.0 MQTT-3.11.3-2]
    if (!isUnsubscribeReasonCode(code)) throw protocolError(`${code} is not an UNSUBACK Reason Code`)
    reasonCodes.push(code)
  }
  return { type: PacketType.Unsuback, packetIdentifier, reasonCodes, properties }
}

export function encodeUnsuback(writer: Writer, packet: UnsubackPacket, protocolVersion: ProtocolVersion): Uint8Array {
  writer.packetIdentifier(packet.packetIdentifier)
  if (protocolVersion === ProtocolVersion.Mqtt5) {
    if (packet.reasonCodes.length === 0) throw new RangeError('UNSUBACK needs at least one Reason Code')
    encodeProperties(writer, PacketType.Unsuback, packet.properties)
    for (const reasonCode of packet.reasonCodes) writer.byte(reasonCode)
  }
  return writer.packet(PacketType.Unsuback << 4)
}
