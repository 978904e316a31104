import { type Packet, PacketType, packetTypeName } from '@godwit/protocol'

/** A packet as a line of a trace shows it. */
export function describePacket(packet: Packet): string {
  const name = packetTypeName(packet.type)
  switch (packet.type) {
    case PacketType.Connect: {
      const { sessionExpiryInterval, receiveMaximum } = packet.properties
      const will =
        packet.will === undefined ? '' : ` will "${Buffer.from(packet.will.payload).toString()}" ${packet.will.topicName}`
      return `${name} clean ${packet.cleanStart} expiry ${sessionExpiryInterval} receive maximum ${receiveMaximum}${will}`
    }
    case PacketType.Connack:
      return `${name} session present ${packet.sessionPresent} code ${packet.reasonCode}`
    case PacketType.Publish: {
      const { qos, packetIdentifier, topicName, dup, retain } = packet
      const flags = `${dup ? ' DUP' : ''}${retain ? ' RETAIN' : ''}`
      return `${name} QoS ${qos} id ${packetIdentifier}${flags} ${topicName} "${Buffer.from(packet.payload).toString()}"`
    }
    case PacketType.Subscribe:
      return `${name} id ${packet.packetIdentifier} ${packet.subscriptions.map((each) => `${each.topicFilter} QoS ${each.qos}${each.noLocal ? ' No Local' : ''}`).join(', ')}`
    case PacketType.Unsubscribe:
      return `${name} id ${packet.packetIdentifier} ${packet.topicFilters.join(', ')}`
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return `${name} id ${packet.packetIdentifier} code ${packet.reasonCode}`
    case PacketType.Suback:
    case PacketType.Unsuback:
      return `${name} id ${packet.packetIdentifier} codes ${packet.reasonCodes.join(', ')}`
    case PacketType.Disconnect:
      return `${name} code ${packet.reasonCode} ${packet.properties.reasonString ?? ''}`
    default:
      return name
  }
}
