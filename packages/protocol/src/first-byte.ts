import { PacketType, packetTypeName } from './packet-type.ts'
import { ProtocolVersion } from './protocol-version.ts'
import type { Receiver } from './receiver.ts'
import { malformed, protocolError } from './violations.ts'

const PACKET_TYPES: readonly PacketType[] = Object.values(PacketType)

/** Who may send a packet, and the fixed header flags it must have from 3.1.1 on ([5.0 2.1.3], [3.1.1 2.2.2]). */
interface FirstByteRule {
  readonly mayReach: readonly Receiver[]
  /** undefined: the flags have a meaning of their own. */
  readonly flags: number | undefined
}

const RULES: Readonly<Record<PacketType, FirstByteRule>> = {
  [PacketType.Connect]: { mayReach: ['server'], flags: 0 },
  [PacketType.Connack]: { mayReach: ['client'], flags: 0 },
  [PacketType.Publish]: { mayReach: ['server', 'client'], flags: undefined },
  [PacketType.Puback]: { mayReach: ['server', 'client'], flags: 0 },
  [PacketType.Pubrec]: { mayReach: ['server', 'client'], flags: 0 },
  // [5.0 MQTT-3.6.1-1], [3.1.1 MQTT-3.6.1-1]
  [PacketType.Pubrel]: { mayReach: ['server', 'client'], flags: 0b0010 },
  [PacketType.Pubcomp]: { mayReach: ['server', 'client'], flags: 0 },
  // [5.0 MQTT-3.8.1-1], [3.1.1 MQTT-3.8.1-1]
  [PacketType.Subscribe]: { mayReach: ['server'], flags: 0b0010 },
  [PacketType.Suback]: { mayReach: ['client'], flags: 0 },
  // [5.0 MQTT-3.10.1-1], [3.1.1 MQTT-3.10.1-1]
  [PacketType.Unsubscribe]: { mayReach: ['server'], flags: 0b0010 },
  [PacketType.Unsuback]: { mayReach: ['client'], flags: 0 },
  [PacketType.Pingreq]: { mayReach: ['server'], flags: 0 },
  [PacketType.Pingresp]: { mayReach: ['client'], flags: 0 },
  // [5.0 MQTT-3.14.1-1], [3.1.1 MQTT-3.14.1-1]
  [PacketType.Disconnect]: { mayReach: ['server', 'client'], flags: 0 },
  // [5.0 MQTT-3.15.1-1]
  [PacketType.Auth]: { mayReach: ['server', 'client'], flags: 0 }
}

/**
 * The type of the packet that begins with `firstByte`.
 *
 * @param protocolVersion undefined before CONNECT, when nothing else may arrive
 * @throws {MqttError} Malformed Packet for reserved types and flags, Protocol Error for a packet that may not arrive here
 */
export function readPacketType(firstByte: number, protocolVersion: ProtocolVersion | undefined, receiver: Receiver): PacketType {
  const type = PACKET_TYPES[(firstByte >> 4) - 1]
  if (type === undefined) throw malformed('Packet type 0 is reserved')
  if (protocolVersion === undefined) {
    // [5.0 MQTT-3.1.0-1], [3.1.1 MQTT-3.1.0-1]
    if (type !== PacketType.Connect) throw protocolError(`${packetTypeName(type)} arrived before CONNECT`)
    return type
  }
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  if (type === PacketType.Auth && !isMqtt5) throw malformed('Packet type 15 is reserved')
  const { mayReach } = RULES[type]
  const isServerDisconnect = type === PacketType.Disconnect && receiver === 'client'
  if (!mayReach.includes(receiver) || (isServerDisconnect && !isMqtt5)) {
    throw protocolError(`${packetTypeName(type)} is not for a ${receiver}`)
  }
  // [5.0 MQTT-3.1.0-2], [3.1.1 MQTT-3.1.0-2]
  if (type === PacketType.Connect) throw protocolError('A second CONNECT')
  checkFlags(type, firstByte & 0x0f, protocolVersion)
  return type
}

/** Of a CONNECT this can be known only once its version is. */
export function checkFlags(type: PacketType, flags: number, protocolVersion: ProtocolVersion): void {
  const prescribed = RULES[type].flags
  // 3.1 has DUP and QoS in every fixed header, and does not say what else to do with them.
  if (prescribed === undefined || flags === prescribed || protocolVersion === ProtocolVersion.Mqtt31) return
  // [5.0 MQTT-2.1.3-1], [3.1.1 MQTT-2.2.2-2]
  throw malformed(`${packetTypeName(type)} with reserved flags ${flags.toString(2).padStart(4, '0')}`)
}
