import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type PublishProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { QoS } from '../quality-of-service.ts'
import type { Reader } from '../reader.ts'
import { ReceivedPublish } from '../received-publish.ts'
import type { Receiver } from '../receiver.ts'
import type { TopicNameCache } from '../topic-name-cache.ts'
import { malformed, protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** PUBLISH: an Application Message on its way ([5.0 3.3], [3.1.1 3.3]). */
export interface PublishPacket {
  readonly type: typeof PacketType.Publish
  /** Empty only on 5.0, together with a Topic Alias. */
  readonly topicName: string
  /** When decoded, a view of the received chunk, which may be overwritten before the next comes: copy it to keep it. */
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 1 to 65,535; 0 at QoS 0, so that every PUBLISH has one shape. */
  readonly packetIdentifier: number
  readonly properties: PublishProperties
}

/*
PUBLISH               => topic_name [packet_identifier] (QoS > 0) [PROPERTIES] (5.0) payload
  topic_name          => UTF8_STRING
  packet_identifier   => TWO_BYTE_INTEGER
  payload             => the rest of the packet
fixed header flags    => bit 3: DUP, bits 2 and 1: QoS, bit 0: RETAIN
*/

/** @param start where the packet begins in the reader's bytes; below 0: elsewhere */
export function decodePublish(
  reader: Reader,
  start: number,
  flags: number,
  protocolVersion: ProtocolVersion,
  receiver: Receiver,
  topicNames: TopicNameCache
): ReceivedPublish {
  const qos = (flags >> 1) & 0b11
  // [5.0 MQTT-3.3.1-4], [3.1.1 MQTT-3.3.1-4]
  if (qos !== 0 && qos !== 1 && qos !== 2) throw malformed('PUBLISH with QoS 3')
  // [5.0 MQTT-3.3.1-2], [3.1.1 MQTT-3.3.1-2]; 3.1 gives DUP no meaning at QoS 0.
  if ((flags & 0b1110) === 0b1000 && protocolVersion !== ProtocolVersion.Mqtt31) throw malformed('PUBLISH with DUP at QoS 0')
  const { bytes, offset: topicNameAt } = reader
  const topicName = reader.topicName(topicNames)
  const packetIdentifier = qos === 0 ? 0 : reader.packetIdentifier()
  const { offset: propertiesAt } = reader
  const properties: PublishProperties =
    protocolVersion === ProtocolVersion.Mqtt5 ? decodePublishProperties(reader, receiver) : NO_PROPERTIES
  // [5.0 3.3.2.1], [3.1.1 MQTT-4.7.3-1]
  if (topicName === '' && properties.topicAlias === undefined) {
    throw protocolError('PUBLISH with neither a Topic Name nor a Topic Alias')
  }
  const { offset: payloadAt } = reader
  reader.skipRest()
  return new ReceivedPublish(
    flags,
    qos,
    topicName,
    packetIdentifier,
    properties,
    protocolVersion,
    bytes,
    start,
    topicNameAt,
    propertiesAt,
    payloadAt,
    reader.offset
  )
}

function decodePublishProperties(reader: Reader, receiver: Receiver): PublishProperties {
  const properties = decodeProperties(reader, PacketType.Publish)
  // [5.0 MQTT-3.3.4-6]
  if (receiver === 'server' && properties.subscriptionIdentifiers !== undefined) {
    throw protocolError('PUBLISH from a client with a Subscription Identifier')
  }
  return properties
}

/**
 * For a message to one receiver; `encodePublish` encodes one for many. The Topic Name's syntax is the caller's concern.
 *
 * @throws {RangeError} for DUP or a Packet Identifier at QoS 0, and for an empty Topic Name without a Topic Alias
 */
export function encodePublishPacket(writer: Writer, packet: PublishPacket, protocolVersion: ProtocolVersion): Uint8Array {
  const { topicName, payload, qos, retain, dup, packetIdentifier, properties } = packet
  if (topicName === '' && (protocolVersion !== ProtocolVersion.Mqtt5 || properties.topicAlias === undefined)) {
    throw new RangeError('topicName must not be empty without a topicAlias')
  }
  writer.utf8String(topicName, 'topicName')
  if (qos > 0) writer.packetIdentifier(packetIdentifier)
  else if (packetIdentifier !== 0 || dup) throw new RangeError('A PUBLISH at QoS 0 has neither packetIdentifier nor dup')
  if (protocolVersion === ProtocolVersion.Mqtt5) encodeProperties(writer, PacketType.Publish, properties)
  return writer.packet(publishFirstByte(qos, retain, dup), payload)
}

/** The first byte of a PUBLISH: its type and flags. */
export function publishFirstByte(qos: QoS, retain: boolean, dup: boolean): number {
  return (PacketType.Publish << 4) | (dup ? 0b1000 : 0) | (qos << 1) | (retain ? 1 : 0)
}
