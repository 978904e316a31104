import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type UnsubscribeProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** UNSUBSCRIBE: a request to end one or more subscriptions ([5.0 3.10], [3.1.1 3.10]). */
export interface UnsubscribePacket {
  readonly type: typeof PacketType.Unsubscribe
  readonly packetIdentifier: number
  /** At least one ([5.0 MQTT-3.10.3-2]). */
  readonly topicFilters: readonly string[]
  readonly properties: UnsubscribeProperties
}

/*
UNSUBSCRIBE           => packet_identifier [PROPERTIES] (5.0) topic_filter+
  packet_identifier   => TWO_BYTE_INTEGER
  topic_filter        => UTF8_STRING
*/

/** Checks the filters as strings only: one that is not a Topic Filter is refused in the UNSUBACK (0x8F on 5.0). */
export function decodeUnsubscribe(reader: Reader, protocolVersion: ProtocolVersion): UnsubscribePacket {
  const packetIdentifier = reader.packetIdentifier()
  const properties = protocolVersion === ProtocolVersion.Mqtt5 ? decodeProperties(reader, PacketType.Unsubscribe) : NO_PROPERTIES
  // [5.0 MQTT-3.10.3-2], [3.1.1 MQTT-3.10.3-2]
  if (reader.remaining === 0) throw protocolError('UNSUBSCRIBE without a Topic Filter')
  const topicFilters: string[] = []
  while (reader.remaining > 0) topicFilters.push(reader.utf8String())
  return { type: PacketType.Unsubscribe, packetIdentifier, topicFilters, properties }
}

export function encodeUnsubscribe(writer: Writer, packet: UnsubscribePacket, protocolVersion: ProtocolVersion): Uint8Array {
  writer.packetIdentifier(packet.packetIdentifier)
  if (protocolVersion === ProtocolVersion.Mqtt5) encodeProperties(writer, PacketType.Unsubscribe, packet.properties)
  if (packet.topicFilters.length === 0) throw new RangeError('UNSUBSCRIBE needs at least one Topic Filter')
  for (const topicFilter of packet.topicFilters) writer.utf8String(topicFilter, 'topicFilter')
  return writer.packet((PacketType.Unsubscribe << 4) | 0b0010)
}
