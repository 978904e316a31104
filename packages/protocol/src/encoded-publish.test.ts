import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePacket } from './encode-packet.ts'
import { copyPublish, copyPublishHeader, encodePublish, publishLength } from './encoded-publish.ts'
import type { PublishDelivery, PublishMessage, PublishVariation } from './encoded-publish.ts'
import { PacketType } from './packet-type.ts'
import { writeAcknowledgement } from './packets/publish-acknowledgements.ts'
import type { PublishPacket } from './packets/publish.ts'
import { NO_PROPERTIES } from './properties.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { ReasonCode } from './reason-codes.ts'
import { arbitraryDelivery, arbitraryMessage, arbitraryVariation } from './testing/arbitraries.ts'
import { bytes } from './testing/bytes.ts'

const PLAIN: PublishVariation = { subscriptionIdentifiers: [], topicAlias: 0, omitTopicName: false }
const AT_QOS_0: PublishDelivery = { qos: 0, retain: false, dup: false, packetIdentifier: 0, messageExpiryInterval: 0 }

/** What a receiver should get: encoded by itself, apart from the others. */
function alone(message: PublishMessage, delivery: PublishDelivery, variation: PublishVariation): PublishPacket {
  const { qos, retain, dup, packetIdentifier, messageExpiryInterval } = delivery
  const { topicAlias, subscriptionIdentifiers, omitTopicName } = variation
  return {
    type: PacketType.Publish,
    topicName: omitTopicName ? '' : message.topicName,
    payload: message.payload,
    qos,
    retain,
    dup,
    packetIdentifier,
    properties: {
      ...message.properties,
      messageExpiryInterval: message.properties.messageExpiryInterval === undefined ? undefined : messageExpiryInterval,
      topicAlias: topicAlias === 0 ? undefined : topicAlias,
      subscriptionIdentifiers
    }
  }
}

describe('a PUBLISH encoded once for all its receivers', () => {
  it('is for each of them what encoding it alone would give', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(ProtocolVersion)),
        arbitraryMessage,
        fc.array(fc.tuple(arbitraryDelivery, fc.option(arbitraryVariation, { nil: PLAIN })), { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 9 }),
        (protocolVersion, message, receivers, offset) => {
          const encodings = [
            encodePublish(message, protocolVersion, false),
            encodePublish(message, protocolVersion, true)
          ] as const
          for (const [delivery, wanted] of receivers) {
            const encoded = encodings[delivery.qos === 0 ? 0 : 1]
            const variation = protocolVersion === ProtocolVersion.Mqtt5 ? wanted : PLAIN
            const expected = encodePacket(alone(message, delivery, variation), protocolVersion)
            expect(publishLength(encoded, variation)).toBe(expected.length)

            const target = new Uint8Array(offset + expected.length + 1).fill(0xaa)
            expect(copyPublish(encoded, delivery, target, offset, variation)).toBe(offset + expected.length)
            expect(target.subarray(offset, -1)).toEqual(expected)
            expect(target.at(-1)).toBe(0xaa)

            const header = new Uint8Array(offset + expected.length)
            const payloadAt = copyPublishHeader(encoded, delivery, header, offset, variation)
            expect(payloadAt).toBe(header.length - message.payload.length)
            header.set(encoded.bytes.subarray(encoded.payloadAt), payloadAt)
            expect(header.subarray(offset)).toEqual(expected)
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it('can be sent as it is at QoS 0', () => {
    const message = { topicName: 'a/b', payload: bytes("'hi'"), properties: NO_PROPERTIES }
    expect(encodePublish(message, ProtocolVersion.Mqtt311, false).bytes).toEqual(bytes("30 07 0003 'a/b' 'hi'"))
    expect(encodePublish(message, ProtocolVersion.Mqtt5, false).bytes).toEqual(bytes("30 08 0003 'a/b' 00 'hi'"))
  })

  it('tells where its parts are', () => {
    const properties = { contentType: 'x'.repeat(200), messageExpiryInterval: 1 }
    const message = { topicName: 'a/b', payload: bytes("'hi'"), properties }
    const encoded = encodePublish(message, ProtocolVersion.Mqtt5, true)
    expect(encoded).toMatchObject({
      topicNameAt: 3,
      packetIdentifierAt: 8,
      propertiesAt: 10,
      messageExpiryIntervalAt: 13,
      payloadAt: 220
    })
    expect(encoded.bytes.subarray(13, 17)).toEqual(bytes('00000001'))
    expect(encoded.bytes.subarray(220)).toEqual(message.payload)
    expect(encodePublish(message, ProtocolVersion.Mqtt311, false)).toMatchObject({
      packetIdentifierAt: 0,
      propertiesAt: 7,
      messageExpiryIntervalAt: 0,
      payloadAt: 7
    })
  })

  it('has a property length that grows by a byte with what one receiver gets', () => {
    const message = { topicName: 'a', payload: new Uint8Array(0), properties: { contentType: 'x'.repeat(121) } }
    const encoded = encodePublish(message, ProtocolVersion.Mqtt5, false)
    const variation = { subscriptionIdentifiers: [1, 268_435_455], topicAlias: 0, omitTopicName: false }
    const target = new Uint8Array(publishLength(encoded, variation))
    copyPublish(encoded, AT_QOS_0, target, 0, variation)
    expect(encoded.bytes.subarray(1, 6)).toEqual(bytes("80 01 0001 'a'"))
    expect(target.subarray(1, 8)).toEqual(bytes("88 01 0001 'a' 8301"))
    expect(target.subarray(-7)).toEqual(bytes('0b 01 0b ffffff7f'))
  })

  const message = { topicName: 'a', payload: new Uint8Array(3), properties: NO_PROPERTIES }
  const target = new Uint8Array(100)
  it.each([
    [
      'a delivery at QoS 1 without room for a Packet Identifier',
      false,
      { ...AT_QOS_0, qos: 1, packetIdentifier: 1 } as const,
      PLAIN,
      0
    ],
    ['a delivery at QoS 0 with room for a Packet Identifier', true, AT_QOS_0, PLAIN, 0],
    ['Packet Identifier 0 at QoS 1', true, { ...AT_QOS_0, qos: 1 } as const, PLAIN, 0],
    ['Packet Identifier 65,536', true, { ...AT_QOS_0, qos: 2, packetIdentifier: 65_536 } as const, PLAIN, 0],
    ['a target without room', false, AT_QOS_0, PLAIN, 96],
    ['a target without room for a varied header', false, AT_QOS_0, { ...PLAIN, topicAlias: 1 }, 93],
    ['a Topic Alias above 65,535', false, AT_QOS_0, { ...PLAIN, topicAlias: 65_536 }, 0],
    ['neither a Topic Name nor a Topic Alias', false, AT_QOS_0, { ...PLAIN, omitTopicName: true }, 0],
    ['a Subscription Identifier of 0', false, AT_QOS_0, { ...PLAIN, subscriptionIdentifiers: [0] }, 0]
  ])('refuses %s', (_title, hasPacketIdentifier, delivery, variation, offset) => {
    const encoded = encodePublish(message, ProtocolVersion.Mqtt5, hasPacketIdentifier)
    expect(() => copyPublish(encoded, delivery, target, offset, variation)).toThrow(RangeError)
  })

  it('refuses a target in which the last byte of a varied header has no room', () => {
    const encoded = encodePublish(message, ProtocolVersion.Mqtt5, false)
    const variation = { ...PLAIN, subscriptionIdentifiers: [128] }
    const headerLength = publishLength(encoded, variation) - message.payload.length
    expect(copyPublishHeader(encoded, AT_QOS_0, target, target.length - headerLength, variation)).toBe(target.length)
    const offset = target.length - headerLength + 1
    expect(() => copyPublishHeader(encoded, AT_QOS_0, target, offset, variation)).toThrow(RangeError)
  })

  it('refuses what 3.1.1 does not have', () => {
    const encoded = encodePublish(message, ProtocolVersion.Mqtt311, false)
    expect(() => copyPublish(encoded, AT_QOS_0, target, 0, { ...PLAIN, topicAlias: 1 })).toThrow(RangeError)
  })

  it('refuses to encode without a Topic Name', () => {
    expect(() => encodePublish({ ...message, topicName: '' }, ProtocolVersion.Mqtt5, false)).toThrow(RangeError)
  })
})

describe('writeAcknowledgement', () => {
  it.each([PacketType.Puback, PacketType.Pubrec, PacketType.Pubrel, PacketType.Pubcomp])(
    'writes what encodePacket gives, of type %i',
    (type) => {
      const target = new Uint8Array(6).fill(0xaa)
      for (const packetIdentifier of [1, 127, 128, 255, 256, 65_535]) {
        const packet = { type, packetIdentifier, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES }
        expect(writeAcknowledgement(target, 1, type, packetIdentifier)).toBe(5)
        expect(target.subarray(1, 5)).toEqual(encodePacket(packet, ProtocolVersion.Mqtt5))
        expect([target[0], target[5]]).toEqual([0xaa, 0xaa])
      }
    }
  )

  it.each([0, 65_536, -1, 1.5])('refuses the Packet Identifier %d', (packetIdentifier) => {
    expect(() => writeAcknowledgement(new Uint8Array(4), 0, PacketType.Puback, packetIdentifier)).toThrow(RangeError)
  })

  it('refuses a target without room', () => {
    expect(() => writeAcknowledgement(new Uint8Array(4), 1, PacketType.Puback, 1)).toThrow(RangeError)
  })
})
