import { type Packet, PacketType } from '@godwit/protocol'

/** [5.0 MQTT-3.1.2-29] on these packets a server may explain itself even to a client that did not ask for it. */
export function alwaysMayExplain(packet: Packet): boolean {
  return packet.type === PacketType.Publish || packet.type === PacketType.Connack || packet.type === PacketType.Disconnect
}

/** A packet without its Reason String and User Properties: what is left out when a client has no use or no room for them. */
export function withoutDiagnostics(packet: Packet): Packet {
  switch (packet.type) {
    case PacketType.Connack:
      return { ...packet, properties: silent(packet.properties) }
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return { ...packet, properties: silent(packet.properties) }
    case PacketType.Suback:
      return { ...packet, properties: silent(packet.properties) }
    case PacketType.Unsuback:
      return { ...packet, properties: silent(packet.properties) }
    case PacketType.Disconnect:
      return { ...packet, properties: silent(packet.properties) }
    case PacketType.Auth:
      return { ...packet, properties: silent(packet.properties) }
    default:
      return packet
  }
}

function silent<Properties extends object>(
  properties: Properties
): Properties & { readonly reasonString: undefined; readonly userProperties: undefined } {
  return { ...properties, reasonString: undefined, userProperties: undefined }
}
