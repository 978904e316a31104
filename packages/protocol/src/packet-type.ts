/** MQTT Control Packet types: the upper four bits of the fixed header's first byte ([5.0 2.1.2], [3.1.1 2.2.1]). */
export const PacketType = {
  Connect: 1,
  Connack: 2,
  Publish: 3,
  Puback: 4,
  Pubrec: 5,
  Pubrel: 6,
  Pubcomp: 7,
  Subscribe: 8,
  Suback: 9,
  Unsubscribe: 10,
  Unsuback: 11,
  Pingreq: 12,
  Pingresp: 13,
  Disconnect: 14,
  /** 5.0 only; reserved in 3.1 and 3.1.1. */
  Auth: 15
} as const

export type PacketType = (typeof PacketType)[keyof typeof PacketType]

const NAMES: Readonly<Record<PacketType, string>> = {
  [PacketType.Connect]: 'CONNECT',
  [PacketType.Connack]: 'CONNACK',
  [PacketType.Publish]: 'PUBLISH',
  [PacketType.Puback]: 'PUBACK',
  [PacketType.Pubrec]: 'PUBREC',
  [PacketType.Pubrel]: 'PUBREL',
  [PacketType.Pubcomp]: 'PUBCOMP',
  [PacketType.Subscribe]: 'SUBSCRIBE',
  [PacketType.Suback]: 'SUBACK',
  [PacketType.Unsubscribe]: 'UNSUBSCRIBE',
  [PacketType.Unsuback]: 'UNSUBACK',
  [PacketType.Pingreq]: 'PINGREQ',
  [PacketType.Pingresp]: 'PINGRESP',
  [PacketType.Disconnect]: 'DISCONNECT',
  [PacketType.Auth]: 'AUTH'
}

/** The specification's name of a packet type: `CONNECT`, `CONNACK`, ... */
export function packetTypeName(type: PacketType): string {
  return NAMES[type]
}
