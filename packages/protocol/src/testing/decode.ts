import { MqttError } from '../mqtt-error.ts'
import { PacketDecoder } from '../packet-decoder.ts'
import { PacketType } from '../packet-type.ts'
import type { Packet } from '../packet.ts'
import type { ProtocolVersion } from '../protocol-version.ts'
import { ReceivedPublish } from '../received-publish.ts'
import type { Receiver } from '../receiver.ts'
import type { ReasonCode } from '../reason-codes.ts'

/** What became of some bytes. */
export interface Outcome {
  readonly packets: readonly Packet[]
  /** The Reason Code of the MqttError that ended it. Any other error is passed on to the test. */
  readonly reasonCode: ReasonCode | undefined
  readonly message: string | undefined
}

export interface Connection {
  readonly receiver: Receiver
  readonly maximumPacketSize?: number
  readonly protocolVersion?: ProtocolVersion | undefined
}

/** Decodes `chunks` as they come, pulling all there is after each. */
export function decodeChunks(connection: Connection, chunks: Iterable<Uint8Array>): Outcome {
  const decoder = new PacketDecoder({ maximumPacketSize: 268_435_460, ...connection })
  const packets: Packet[] = []
  try {
    for (const chunk of chunks) {
      decoder.push(chunk)
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(plain(packet))
    }
    return { packets, reasonCode: undefined, message: undefined }
  } catch (error) {
    if (!(error instanceof MqttError)) throw error
    return { packets, reasonCode: error.reasonCode, message: error.message }
  }
}

export function decodeOne(connection: Connection, packetBytes: Uint8Array): Outcome {
  return decodeChunks(connection, [packetBytes])
}

export function* byteByByte(whole: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < whole.length; at++) yield whole.slice(at, at + 1)
}

/** An end of a connection that accepts `packet`, at the moment when it may arrive. */
export function connectionFor(packet: Packet, protocolVersion: ProtocolVersion): Connection {
  if (packet.type === PacketType.Connect) return { receiver: 'server' }
  return { receiver: receiverOf(packet), protocolVersion }
}

function receiverOf(packet: Packet): Receiver {
  switch (packet.type) {
    case PacketType.Connack:
    case PacketType.Suback:
    case PacketType.Unsuback:
    case PacketType.Pingresp:
      return 'client'
    case PacketType.Publish:
      return packet.properties.subscriptionIdentifiers === undefined ? 'server' : 'client'
    case PacketType.Auth:
      return packet.reasonCode === 0x00 ? 'client' : 'server'
    default:
      return 'server'
  }
}

/** A packet with nothing but its fields, to be compared with one that was not decoded. */
export function plain(packet: Packet): Packet {
  return packet instanceof ReceivedPublish ? packet.toPacket() : packet
}
