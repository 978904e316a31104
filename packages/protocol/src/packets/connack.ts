import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type ConnackProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Reader } from '../reader.ts'
import { isConnectReasonCode, isConnectReturnCode } from '../reason-code-sets.ts'
import type { ConnectReasonCode, ConnectReturnCode } from '../reason-codes.ts'
import { malformed, protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** CONNACK: the server's answer to CONNECT ([5.0 3.2], [3.1.1 3.2]). */
export interface ConnackPacket {
  readonly type: typeof PacketType.Connack
  readonly sessionPresent: boolean
  /** A Connect Reason Code on 5.0, a Connect Return code on 3.1 and 3.1.1. */
  readonly reasonCode: ConnectReasonCode | ConnectReturnCode
  readonly properties: ConnackProperties
}

/*
CONNACK             => acknowledge_flags reason_code [PROPERTIES] (5.0)
  acknowledge_flags => BYTE (bit 0: Session Present, not in 3.1; the others 0)
  reason_code       => BYTE (3.1, 3.1.1: the return code)
*/

export function decodeConnack(reader: Reader, protocolVersion: ProtocolVersion): ConnackPacket {
  const flags = reader.byte()
  const reasonCode = reader.byte()
  if (protocolVersion === ProtocolVersion.Mqtt5) {
    if (!isConnectReasonCode(reasonCode)) throw protocolError(`${reasonCode} is not a CONNACK Reason Code`)
    const sessionPresent = readSessionPresent(flags, reasonCode)
    const properties = decodeProperties(reader, PacketType.Connack)
    return { type: PacketType.Connack, sessionPresent, reasonCode, properties }
  }
  if (!isConnectReturnCode(reasonCode)) throw protocolError(`${reasonCode} is not a Connect Return code`)
  // In 3.1 the first byte is not used.
  const sessionPresent = protocolVersion === ProtocolVersion.Mqtt311 && readSessionPresent(flags, reasonCode)
  return { type: PacketType.Connack, sessionPresent, reasonCode, properties: NO_PROPERTIES }
}

function readSessionPresent(flags: number, reasonCode: number): boolean {
  // [5.0 MQTT-3.2.2-1], [3.1.1 3.2.2.1]
  if (flags > 1) throw malformed('Reserved Connect Acknowledge Flags are set')
  // [5.0 MQTT-3.2.2-6], [3.1.1 MQTT-3.2.2-4]
  if (flags === 1 && reasonCode !== 0) throw protocolError('Session Present is set on a refusal')
  return flags === 1
}

/** @throws {RangeError} for a Reason Code above 5 on 3.1 and 3.1.1: `toConnectReturnCode` finds the one that fits, if any */
export function encodeConnack(writer: Writer, packet: ConnackPacket, protocolVersion: ProtocolVersion): Uint8Array {
  const { reasonCode, sessionPresent, properties } = packet
  writer.byte(sessionPresent && protocolVersion !== ProtocolVersion.Mqtt31 ? 1 : 0)
  writer.byte(reasonCode)
  if (protocolVersion === ProtocolVersion.Mqtt5) encodeProperties(writer, PacketType.Connack, properties)
  else if (!isConnectReturnCode(reasonCode)) throw new RangeError(`${reasonCode} is not a Connect Return code`)
  return writer.packet(PacketType.Connack << 4)
}
