import {
  copyPublish,
  encodePacket,
  encodePublish,
  NO_PROPERTIES,
  PacketDecoder,
  PacketType,
  ProtocolVersion,
  ReasonCode,
  topicMatches,
  writeAcknowledgement,
  type Packet,
  type PublishPacket
} from '@godwit/protocol'
import type { Measurement } from './measurement.ts'

const OPERATIONS = 500_000
/** About what one read from a busy socket gives. */
const CHUNK_BYTES = 65_536

const TOPIC_NAME = 'sensors/building-7/temperature'

/** A PUBLISH of 64 bytes at QoS 0 on 3.1.1, of 67 on 5.0 at QoS 1. */
const PUBLISH: PublishPacket = {
  type: PacketType.Publish,
  topicName: TOPIC_NAME,
  payload: new Uint8Array(30).fill(0x2a),
  qos: 0,
  retain: false,
  dup: false,
  packetIdentifier: 0,
  properties: NO_PROPERTIES
}
const AT_QOS_1: PublishPacket = { ...PUBLISH, qos: 1, packetIdentifier: 1 }
const WITH_PROPERTIES: PublishPacket = {
  ...AT_QOS_1,
  properties: { messageExpiryInterval: 3600, contentType: 'application/json', userProperties: [['trace', '4bf92f3577b34da6']] }
}

/** Decodes chunks in which the packets, encoded, take turns. */
function decoding(
  title: string,
  packets: readonly Packet[],
  protocolVersion: ProtocolVersion,
  chunkBytes = CHUNK_BYTES
): Measurement {
  return {
    title,
    operations: OPERATIONS,
    prepare() {
      const encoded = packets.map((packet) => encodePacket(packet, protocolVersion))
      const chunk = Buffer.alloc(chunkBytes)
      let length = 0
      let count = 0
      for (;;) {
        const next = encoded[count % encoded.length]
        if (next === undefined || length + next.length > chunk.length) break
        chunk.set(next, length)
        length += next.length
        count++
      }
      const filled = chunk.subarray(0, length)
      const decoder = new PacketDecoder({ receiver: 'server', protocolVersion, maximumPacketSize: CHUNK_BYTES })
      return () => {
        for (let decoded = 0; decoded < OPERATIONS;) {
          decoder.push(filled)
          while (decoder.next() !== undefined) decoded++
        }
      }
    }
  }
}

function encoding(title: string, packet: Packet, protocolVersion: ProtocolVersion): Measurement {
  return {
    title,
    operations: OPERATIONS,
    prepare: () => () => {
      for (let count = 0; count < OPERATIONS; count++) encodePacket(packet, protocolVersion)
    }
  }
}

function copying(title: string, packet: PublishPacket, subscriptionIdentifiers: readonly number[]): Measurement {
  return {
    title,
    operations: OPERATIONS,
    prepare() {
      const encoded = encodePublish(packet, ProtocolVersion.Mqtt5, true)
      const delivery = { qos: 1, retain: false, dup: false, packetIdentifier: 1, messageExpiryInterval: 60 } as const
      const variation = { subscriptionIdentifiers, topicAlias: 0, omitTopicName: false }
      const target = Buffer.alloc(CHUNK_BYTES)
      return () => {
        let offset = 0
        for (let count = 0; count < OPERATIONS; count++) {
          if (offset > CHUNK_BYTES - 200) offset = 0
          offset = copyPublish(encoded, delivery, target, offset, variation)
        }
      }
    }
  }
}

const sameName = (index: number): PublishPacket => ({ ...PUBLISH, topicName: `sensors/building-${index % 10}/temperature` })
const otherName = (index: number): PublishPacket => ({
  ...PUBLISH,
  topicName: `sensors/building-7/${String(index).padStart(11, '0')}`
})
const puback: Packet = { type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES }

export const codecMeasurements: readonly Measurement[] = [
  decoding('decode PUBLISH of 64 bytes, QoS 0, 3.1.1', [PUBLISH], ProtocolVersion.Mqtt311),
  decoding(
    'decode the same, 10 topic names in turn',
    Array.from({ length: 10 }, (_, index) => sameName(index)),
    ProtocolVersion.Mqtt311
  ),
  decoding(
    'decode the same, 1,000 topic names in turn',
    Array.from({ length: 1000 }, (_, index) => otherName(index)),
    ProtocolVersion.Mqtt311
  ),
  decoding('decode the same, one packet in a chunk', [PUBLISH], ProtocolVersion.Mqtt311, 64),
  decoding('decode PUBLISH, QoS 1, 5.0', [AT_QOS_1], ProtocolVersion.Mqtt5),
  decoding('decode PUBLISH, QoS 1, 5.0, with three properties', [WITH_PROPERTIES], ProtocolVersion.Mqtt5),
  decoding('decode PUBACK', [puback], ProtocolVersion.Mqtt5),
  encoding('encodePacket PUBLISH, QoS 1, 5.0', AT_QOS_1, ProtocolVersion.Mqtt5),
  encoding('encodePacket PUBLISH, QoS 1, 5.0, with three properties', WITH_PROPERTIES, ProtocolVersion.Mqtt5),
  encoding('encodePacket PUBACK', puback, ProtocolVersion.Mqtt5),
  copying('copyPublish', AT_QOS_1, []),
  copying('copyPublish, with a Message Expiry Interval', WITH_PROPERTIES, []),
  copying('copyPublish, with a Subscription Identifier', AT_QOS_1, [7]),
  {
    title: 'writeAcknowledgement',
    operations: OPERATIONS,
    prepare() {
      const target = Buffer.alloc(CHUNK_BYTES)
      return () => {
        let offset = 0
        for (let count = 0; count < OPERATIONS; count++) {
          offset = writeAcknowledgement(target, offset % CHUNK_BYTES, PacketType.Puback, 1)
        }
      }
    }
  },
  {
    title: 'topicMatches',
    operations: OPERATIONS,
    prepare: () => () => {
      for (let count = 0; count < OPERATIONS; count++) topicMatches('sensors/+/temperature', TOPIC_NAME)
    }
  }
]
