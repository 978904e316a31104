import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { MqttError } from '../mqtt-error.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type ConnectProperties, type WillProperties } from '../properties.ts'
import { WILL } from '../property-table.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { QoS } from '../quality-of-service.ts'
import type { Reader } from '../reader.ts'
import { ReasonCode } from '../reason-codes.ts'
import { validateTopicName } from '../topics.ts'
import { malformed } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** CONNECT: the first packet on a network connection ([5.0 3.1], [3.1.1 3.1]). */
export interface ConnectPacket {
  readonly type: typeof PacketType.Connect
  readonly protocolVersion: ProtocolVersion
  /** Clean Start (5.0) or Clean Session (3.1, 3.1.1). */
  readonly cleanStart: boolean
  /** 0 to 65,535; 0 turns the keep alive mechanism off. */
  readonly keepAliveSeconds: number
  /** Empty: the server is asked to assign one. */
  readonly clientId: string
  readonly will: Will | undefined
  readonly userName: string | undefined
  readonly password: Uint8Array | undefined
  readonly properties: ConnectProperties
}

/** The Will Message and what goes with it ([5.0 3.1.2.5], [5.0 3.1.3.2]). */
export interface Will {
  readonly topicName: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: WillProperties
}

/*
CONNECT               => protocol_name protocol_version connect_flags keep_alive [PROPERTIES] (5.0)
                         client_identifier [will] [user_name] [password]
  protocol_name       => UTF8_STRING ("MQTT"; 3.1: "MQIsdp")
  protocol_version    => BYTE
  connect_flags       => BYTE (bit 7: User Name, bit 6: Password, bit 5: Will Retain, bits 4 and 3: Will QoS,
                         bit 2: Will Flag, bit 1: Clean Start, bit 0: reserved)
  keep_alive          => TWO_BYTE_INTEGER
  client_identifier   => UTF8_STRING
  will                => [WILL_PROPERTIES] (5.0) will_topic will_payload
    will_topic        => UTF8_STRING
    will_payload      => BINARY_DATA
  user_name           => UTF8_STRING
  password            => BINARY_DATA
*/

const PROTOCOL_NAME = 'MQTT'
const PROTOCOL_NAME_31 = 'MQIsdp'

const ConnectFlag = {
  Reserved: 0b0000_0001,
  CleanStart: 0b0000_0010,
  Will: 0b0000_0100,
  WillRetain: 0b0010_0000,
  Password: 0b0100_0000,
  UserName: 0b1000_0000
} as const
const WILL_QOS_SHIFT = 3

/** The beginning of a CONNECT, from which follows how to read the rest, or how to refuse it. */
export interface ConnectProtocol {
  /** The version whose CONNACK the client understands; undefined if it did not speak MQTT. */
  readonly answerVersion: ProtocolVersion | undefined
  readonly isSupported: boolean
}

export function decodeConnectProtocol(reader: Reader): ConnectProtocol {
  const protocolName = reader.utf8String()
  const level = reader.byte()
  if (protocolName === PROTOCOL_NAME_31) return { answerVersion: ProtocolVersion.Mqtt31, isSupported: level === 3 }
  // [5.0 MQTT-3.1.2-1], [3.1.1 MQTT-3.1.2-1]: something else altogether, which just gets closed.
  if (protocolName !== PROTOCOL_NAME) return { answerVersion: undefined, isSupported: false }
  // Mosquitto's bridges set bit 7, and connect again without it once they are refused in the form of the other bits.
  const answerVersion = (level & 0x7f) >= ProtocolVersion.Mqtt5 ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311
  return { answerVersion, isSupported: level === answerVersion }
}

/** The rest of a CONNECT, behind its protocol name and version. */
export function decodeConnect(reader: Reader, protocolVersion: ProtocolVersion): ConnectPacket {
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  const flags = reader.byte()
  checkConnectFlags(flags, protocolVersion)
  const keepAliveSeconds = reader.twoByteInteger()
  const properties = isMqtt5 ? decodeProperties(reader, PacketType.Connect) : NO_PROPERTIES
  const clientId = reader.utf8String()
  const will = (flags & ConnectFlag.Will) === 0 ? undefined : decodeWill(reader, flags, isMqtt5)
  const userName = isFieldPresent(reader, flags & ConnectFlag.UserName, protocolVersion) ? reader.utf8String() : undefined
  const password = isFieldPresent(reader, flags & ConnectFlag.Password, protocolVersion) ? reader.binaryData() : undefined
  const cleanStart = (flags & ConnectFlag.CleanStart) !== 0
  return {
    type: PacketType.Connect,
    protocolVersion,
    cleanStart,
    keepAliveSeconds,
    clientId,
    will,
    userName,
    password,
    properties
  }
}

function checkConnectFlags(flags: number, protocolVersion: ProtocolVersion): void {
  if (protocolVersion !== ProtocolVersion.Mqtt5 && (flags & ConnectFlag.Password) !== 0 && (flags & ConnectFlag.UserName) === 0) {
    // [3.1.1 MQTT-3.1.2-22], and so in 3.1.
    throw malformed('CONNECT with a Password but no User Name')
  }
  if (protocolVersion === ProtocolVersion.Mqtt31) return
  // [5.0 MQTT-3.1.2-3], [3.1.1 MQTT-3.1.2-3]; 3.1 does not use the bit.
  if ((flags & ConnectFlag.Reserved) !== 0) throw malformed('The reserved Connect Flag is set')
  // [5.0 MQTT-3.1.2-11], [5.0 MQTT-3.1.2-13], [3.1.1 MQTT-3.1.2-13], [3.1.1 MQTT-3.1.2-15]
  if ((flags & ConnectFlag.Will) === 0 && (flags & (ConnectFlag.WillRetain | (0b11 << WILL_QOS_SHIFT))) !== 0) {
    throw malformed('Will QoS or Will Retain without the Will Flag')
  }
}

function decodeWill(reader: Reader, flags: number, isMqtt5: boolean): Will {
  const qos = (flags >> WILL_QOS_SHIFT) & 0b11
  // [5.0 MQTT-3.1.2-12], [3.1.1 MQTT-3.1.2-14]
  if (qos !== 0 && qos !== 1 && qos !== 2) throw malformed('Will QoS is 3')
  const properties = isMqtt5 ? decodeProperties(reader, WILL) : NO_PROPERTIES
  const topicName = reader.utf8String()
  // [5.0 MQTT-4.7.0-1], [3.1.1 MQTT-4.7.1-1]
  const reason = validateTopicName(topicName)
  if (reason !== undefined) throw new MqttError(ReasonCode.TopicNameInvalid, `The Will Topic is not a Topic Name: ${reason}`)
  return { topicName, payload: reader.binaryData(), qos, retain: (flags & ConnectFlag.WillRetain) !== 0, properties }
}

// In 3.1 the Remaining Length takes precedence: a User Name or Password that is not there is not an error [3.1 3.1].
function isFieldPresent(reader: Reader, flag: number, protocolVersion: ProtocolVersion): boolean {
  return flag !== 0 && !(protocolVersion === ProtocolVersion.Mqtt31 && reader.remaining === 0)
}

/** @throws {RangeError} for a password without a user name on 3.1 and 3.1.1 */
export function encodeConnect(writer: Writer, packet: ConnectPacket, protocolVersion: ProtocolVersion): Uint8Array {
  const { cleanStart, keepAliveSeconds, clientId, will, userName, password, properties } = packet
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  if (packet.protocolVersion !== protocolVersion) {
    throw new RangeError(`A CONNECT of version ${packet.protocolVersion} cannot be encoded as version ${protocolVersion}`)
  }
  // [3.1.1 MQTT-3.1.2-22]
  if (!isMqtt5 && password !== undefined && userName === undefined) throw new RangeError('A password needs a userName')
  writer.utf8String(protocolVersion === ProtocolVersion.Mqtt31 ? PROTOCOL_NAME_31 : PROTOCOL_NAME, 'protocolName')
  writer.byte(protocolVersion)
  writer.byte(
    (cleanStart ? ConnectFlag.CleanStart : 0) |
      (will === undefined ? 0 : ConnectFlag.Will | (will.qos << WILL_QOS_SHIFT) | (will.retain ? ConnectFlag.WillRetain : 0)) |
      (password === undefined ? 0 : ConnectFlag.Password) |
      (userName === undefined ? 0 : ConnectFlag.UserName)
  )
  writer.twoByteInteger(keepAliveSeconds, 'keepAliveSeconds')
  if (isMqtt5) encodeProperties(writer, PacketType.Connect, properties)
  writer.utf8String(clientId, 'clientId')
  if (will !== undefined) {
    if (isMqtt5) encodeProperties(writer, WILL, will.properties)
    writer.utf8String(will.topicName, 'will.topicName')
    writer.binaryData(will.payload, 'will.payload')
  }
  if (userName !== undefined) writer.utf8String(userName, 'userName')
  if (password !== undefined) writer.binaryData(password, 'password')
  return writer.packet(PacketType.Connect << 4)
}
