import { decodeProperties } from '../decode-properties.ts'
import { encodeReason } from '../encode-properties.ts'
import type { MqttError } from '../mqtt-error.ts'
import { PacketType, packetTypeName } from '../packet-type.ts'
import { NO_PROPERTIES, type AcknowledgementProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isPublishReasonCode, isReleaseReasonCode } from '../reason-code-sets.ts'
import { ReasonCode, type PublishReasonCode, type ReleaseReasonCode } from '../reason-codes.ts'
import { protocolError } from '../violations.ts'
import { checkInteger, type Writer } from '../writer.ts'

/** PUBACK: the answer to a QoS 1 PUBLISH ([5.0 3.4], [3.1.1 3.4]). */
export interface PubackPacket {
  readonly type: typeof PacketType.Puback
  readonly packetIdentifier: number
  /** Always Success on 3.1 and 3.1.1. */
  readonly reasonCode: PublishReasonCode
  readonly properties: AcknowledgementProperties
}

/** PUBREC: the first answer to a QoS 2 PUBLISH ([5.0 3.5], [3.1.1 3.5]). */
export interface PubrecPacket {
  readonly type: typeof PacketType.Pubrec
  readonly packetIdentifier: number
  /** Always Success on 3.1 and 3.1.1. */
  readonly reasonCode: PublishReasonCode
  readonly properties: AcknowledgementProperties
}

/** PUBREL: the answer to PUBREC; the receiver may pass the message on ([5.0 3.6], [3.1.1 3.6]). */
export interface PubrelPacket {
  readonly type: typeof PacketType.Pubrel
  readonly packetIdentifier: number
  /** Always Success on 3.1 and 3.1.1. */
  readonly reasonCode: ReleaseReasonCode
  readonly properties: AcknowledgementProperties
}

/** PUBCOMP: the answer to PUBREL, and the end of the QoS 2 exchange ([5.0 3.7], [3.1.1 3.7]). */
export interface PubcompPacket {
  readonly type: typeof PacketType.Pubcomp
  readonly packetIdentifier: number
  /** Always Success on 3.1 and 3.1.1. */
  readonly reasonCode: ReleaseReasonCode
  readonly properties: AcknowledgementProperties
}

/*
PUBACK, PUBREC, PUBREL, PUBCOMP => packet_identifier [reason_code [PROPERTIES]] (5.0)
  packet_identifier             => TWO_BYTE_INTEGER
  reason_code                   => BYTE (left out: 0x00)
*/

export type PublishAcknowledgementPacket = PubackPacket | PubrecPacket | PubrelPacket | PubcompPacket
export type AcknowledgementType = PublishAcknowledgementPacket['type']

export function decodePuback(reader: Reader, protocolVersion: ProtocolVersion): PubackPacket {
  const packetIdentifier = reader.packetIdentifier()
  const reasonCode = readReasonCode(reader, protocolVersion)
  // [5.0 MQTT-3.4.2-1]
  if (!isPublishReasonCode(reasonCode)) throw invalidReasonCode(PacketType.Puback, reasonCode)
  const properties = readProperties(reader, protocolVersion, PacketType.Puback)
  return { type: PacketType.Puback, packetIdentifier, reasonCode, properties }
}

export function decodePubrec(reader: Reader, protocolVersion: ProtocolVersion): PubrecPacket {
  const packetIdentifier = reader.packetIdentifier()
  const reasonCode = readReasonCode(reader, protocolVersion)
  // [5.0 MQTT-3.5.2-1]
  if (!isPublishReasonCode(reasonCode)) throw invalidReasonCode(PacketType.Pubrec, reasonCode)
  const properties = readProperties(reader, protocolVersion, PacketType.Pubrec)
  return { type: PacketType.Pubrec, packetIdentifier, reasonCode, properties }
}

export function decodePubrel(reader: Reader, protocolVersion: ProtocolVersion): PubrelPacket {
  const packetIdentifier = reader.packetIdentifier()
  const reasonCode = readReasonCode(reader, protocolVersion)
  // [5.0 MQTT-3.6.2-1]
  if (!isReleaseReasonCode(reasonCode)) throw invalidReasonCode(PacketType.Pubrel, reasonCode)
  const properties = readProperties(reader, protocolVersion, PacketType.Pubrel)
  return { type: PacketType.Pubrel, packetIdentifier, reasonCode, properties }
}

export function decodePubcomp(reader: Reader, protocolVersion: ProtocolVersion): PubcompPacket {
  const packetIdentifier = reader.packetIdentifier()
  const reasonCode = readReasonCode(reader, protocolVersion)
  // [5.0 MQTT-3.7.2-1]
  if (!isReleaseReasonCode(reasonCode)) throw invalidReasonCode(PacketType.Pubcomp, reasonCode)
  const properties = readProperties(reader, protocolVersion, PacketType.Pubcomp)
  return { type: PacketType.Pubcomp, packetIdentifier, reasonCode, properties }
}

// Both may be left out [5.0 3.4.2.1]; 3.1 and 3.1.1 have neither.

function readReasonCode(reader: Reader, protocolVersion: ProtocolVersion): number {
  return protocolVersion === ProtocolVersion.Mqtt5 && reader.remaining > 0 ? reader.byte() : ReasonCode.Success
}

function readProperties(reader: Reader, protocolVersion: ProtocolVersion, scope: AcknowledgementType): AcknowledgementProperties {
  return protocolVersion === ProtocolVersion.Mqtt5 && reader.remaining > 0 ? decodeProperties(reader, scope) : NO_PROPERTIES
}

function invalidReasonCode(type: AcknowledgementType, reasonCode: number): MqttError {
  return protocolError(`${reasonCode} is not a ${packetTypeName(type)} Reason Code`)
}

export function encodeAcknowledgement(
  writer: Writer,
  packet: PublishAcknowledgementPacket,
  protocolVersion: ProtocolVersion
): Uint8Array {
  const { type, packetIdentifier, reasonCode, properties } = packet
  writer.packetIdentifier(packetIdentifier)
  if (protocolVersion === ProtocolVersion.Mqtt5) encodeReason(writer, type, reasonCode, properties)
  return writer.packet(acknowledgementFirstByte(type))
}

/** The bytes that `writeAcknowledgement` writes. */
export const ACKNOWLEDGEMENT_LENGTH = 4

/**
 * Writes a PUBACK, PUBREC, PUBREL or PUBCOMP with Reason Code Success and without properties, which is the same four
 * bytes in every version, straight into `target`.
 *
 * @returns where it ends
 */
export function writeAcknowledgement(
  target: Uint8Array,
  offset: number,
  type: AcknowledgementType,
  packetIdentifier: number
): number {
  checkInteger(packetIdentifier, 1, 0xffff, 'packetIdentifier')
  if (offset + ACKNOWLEDGEMENT_LENGTH > target.length) throw new RangeError('The target has no room for an acknowledgement')
  target[offset] = acknowledgementFirstByte(type)
  target[offset + 1] = 2
  target[offset + 2] = packetIdentifier >>> 8
  target[offset + 3] = packetIdentifier
  return offset + ACKNOWLEDGEMENT_LENGTH
}

function acknowledgementFirstByte(type: AcknowledgementType): number {
  // [5.0 MQTT-3.6.1-1], [3.1.1 MQTT-3.6.1-1]: PUBREL alone has a flag set.
  return (type << 4) | (type === PacketType.Pubrel ? 0b0010 : 0)
}
