import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type AcknowledgementProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isSubscribeReasonCode, isSubscribeReturnCode } from '../reason-code-sets.ts'
import type { SubscribeReasonCode, SubscribeReturnCode } from '../reason-codes.ts'
import { toSubscribeReturnCode } from '../return-codes.ts'
import { protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** SUBACK: the answer to SUBSCRIBE ([5.0 3.9], [3.1.1 3.9]). */
export interface SubackPacket {
  readonly type: typeof PacketType.Suback
  readonly packetIdentifier: number
  /** One for each filter of the SUBSCRIBE, in its order ([5.0 MQTT-3.9.3-1]). */
  readonly reasonCodes: readonly (SubscribeReasonCode | SubscribeReturnCode)[]
  readonly properties: AcknowledgementProperties
}

/*
SUBACK                => packet_identifier [PROPERTIES] (5.0) reason_code+
  packet_identifier   => TWO_BYTE_INTEGER
  reason_code         => BYTE (3.1, 3.1.1: the return code)
*/

export function decodeSuback(reader: Reader, protocolVersion: ProtocolVersion): SubackPacket {
  const packetIdentifier = reader.packetIdentifier()
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  const properties = isMqtt5 ? decodeProperties(reader, PacketType.Suback) : NO_PROPERTIES
  if (reader.remaining === 0) throw protocolError('SUBACK without a Reason Code')
  const reasonCodes: (SubscribeReasonCode | SubscribeReturnCode)[] = []
  while (reader.remaining > 0) {
    const code = reader.byte()
    // [5.0 MQTT-3.9.3-2], [3.1.1 MQTT-3.9.3-2]
    if (!isSubscribeReasonCode(code) || (!isMqtt5 && !isSubscribeReturnCode(code))) {
      throw protocolError(`${code} is not a SUBACK Reason Code`)
    }
    reasonCodes.push(code)
  }
  return { type: PacketType.Suback, packetIdentifier, reasonCodes, properties }
}

/** On 3.1 and 3.1.1 every failure goes out as 0x80, the only failure code there is ([3.1.1 MQTT-3.9.3-2]). */
export function encodeSuback(writer: Writer, packet: SubackPacket, protocolVersion: ProtocolVersion): Uint8Array {
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  writer.packetIdentifier(packet.packetIdentifier)
  if (isMqtt5) encodeProperties(writer, PacketType.Suback, packet.properties)
  if (packet.reasonCodes.length === 0) throw new RangeError('SUBACK needs at least one Reason Code')
  for (const reasonCode of packet.reasonCodes) writer.byte(isMqtt5 ? reasonCode : toSubscribeReturnCode(reasonCode))
  return writer.packet(PacketType.Suback << 4)
}
