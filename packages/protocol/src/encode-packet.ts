import { PacketType } from './packet-type.ts'
import type { Packet } from './packet.ts'
import { encodeAuth } from './packets/auth.ts'
import { encodeConnack } from './packets/connack.ts'
import { encodeConnect } from './packets/connect.ts'
import { encodeDisconnect } from './packets/disconnect.ts'
import { encodePing } from './packets/ping.ts'
import { encodeAcknowledgement } from './packets/publish-acknowledgements.ts'
import { encodePublishPacket } from './packets/publish.ts'
import { encodeSuback } from './packets/suback.ts'
import { encodeSubscribe } from './packets/subscribe.ts'
import { encodeUnsuback } from './packets/unsuback.ts'
import { encodeUnsubscribe } from './packets/unsubscribe.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import { unreachable } from './unreachable.ts'
import { Writer } from './writer.ts'

// Encoding is synchronous, so one writer is never in use twice.
const writer = new Writer()

/**
 * The bytes of `packet` in its shortest form. What 3.1 and 3.1.1 do not have, properties and Reason Codes, is left out
 * there; failures in a SUBACK become 0x80.
 *
 * Small packets share a slab of memory: copy the bytes to keep them for long.
 *
 * @throws {RangeError} for values that cannot be written: a string over 65,535 bytes or with surrogates, an integer out
 *   of its range, a property that the packet does not have, a return code that the version does not have, ...
 */
export function encodePacket(packet: Packet, protocolVersion: ProtocolVersion): Uint8Array {
  writer.clear()
  switch (packet.type) {
    case PacketType.Connect:
      return encodeConnect(writer, packet, protocolVersion)
    case PacketType.Connack:
      return encodeConnack(writer, packet, protocolVersion)
    case PacketType.Publish:
      return encodePublishPacket(writer, packet, protocolVersion)
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return encodeAcknowledgement(writer, packet, protocolVersion)
    case PacketType.Subscribe:
      return encodeSubscribe(writer, packet, protocolVersion)
    case PacketType.Suback:
      return encodeSuback(writer, packet, protocolVersion)
    case PacketType.Unsubscribe:
      return encodeUnsubscribe(writer, packet, protocolVersion)
    case PacketType.Unsuback:
      return encodeUnsuback(writer, packet, protocolVersion)
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      return encodePing(writer, packet)
    case PacketType.Disconnect:
      return encodeDisconnect(writer, packet, protocolVersion)
    case PacketType.Auth:
      return encodeAuth(writer, packet, protocolVersion)
    default:
      return unreachable(packet)
  }
}
