import { expect, test } from 'vitest'
import { copyPublish, encodePublish, type PublishDelivery, publishLength, type PublishVariation } from './encoded-publish.ts'
import { NO_PROPERTIES } from './properties.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { publishHeaderLengthMax, writePublishHeader } from './write-publish.ts'

const OFFSET = 3
const MARK = 0xee

const topicNames = [
  't',
  'plant/line/7',
  'ü',
  'ü'.repeat(60),
  '𝄞'.repeat(20),
  'x'.repeat(65),
  'x'.repeat(65_535),
  'ü'.repeat(32_767)
]
/** About each length at which the Remaining Length takes another byte, with and without what comes before the payload. */
const payloadLengths = [0, 1, 64, 126, 127, 128, 4096, 16_382, 16_383, 16_384]
for (let length = 0; length < 130; length++) payloadLengths.push(length, 16_384 - length)

const atMostOnce: PublishDelivery = { qos: 0, retain: false, dup: false, packetIdentifier: 0, messageExpiryInterval: 0 }
const atLeastOnce: PublishDelivery = { qos: 1, retain: true, dup: true, packetIdentifier: 1, messageExpiryInterval: 0 }
const exactlyOnce: PublishDelivery = { qos: 2, retain: false, dup: false, packetIdentifier: 0xffff, messageExpiryInterval: 0 }

const variations: (PublishVariation | undefined)[] = [
  undefined,
  { subscriptionIdentifiers: [], topicAlias: 0, omitTopicName: false },
  { subscriptionIdentifiers: [1, 268_435_455], topicAlias: 7, omitTopicName: false },
  { subscriptionIdentifiers: Array.from({ length: 60 }, (_, index) => 200 + index), topicAlias: 0, omitTopicName: false },
  { subscriptionIdentifiers: [], topicAlias: 65_535, omitTopicName: true }
]

function written(
  topicName: string,
  payload: Uint8Array,
  version: ProtocolVersion,
  delivery: PublishDelivery,
  variation?: PublishVariation
) {
  const room = publishHeaderLengthMax(topicName, variation)
  const target = new Uint8Array(OFFSET + room + payload.length).fill(MARK)
  const payloadAt = writePublishHeader(topicName, payload.length, version, delivery, target, OFFSET, variation)
  expect(payloadAt).toBeLessThanOrEqual(OFFSET + room)
  target.set(payload, payloadAt)
  expect([...target.subarray(0, OFFSET)]).toEqual([MARK, MARK, MARK])
  return Buffer.from(target.subarray(OFFSET, payloadAt + payload.length)).toString('hex')
}

function copied(
  topicName: string,
  payload: Uint8Array,
  version: ProtocolVersion,
  delivery: PublishDelivery,
  variation?: PublishVariation
) {
  const encoded = encodePublish({ topicName, payload, properties: NO_PROPERTIES }, version, delivery.qos > 0)
  const target = new Uint8Array(publishLength(encoded, variation))
  copyPublish(encoded, delivery, target, 0, variation)
  return Buffer.from(target).toString('hex')
}

test.each([
  ['3.1.1', ProtocolVersion.Mqtt311, variations.slice(0, 1)],
  ['5.0', ProtocolVersion.Mqtt5, variations]
] as const)('a PUBLISH of %s is the same bytes, written at once or copied from its encoding', (_, version, each) => {
  for (const topicName of topicNames) {
    for (const length of topicName.length > 1000 ? [0, 1] : payloadLengths) {
      const payload = new Uint8Array(length).fill(0x61)
      for (const delivery of [atMostOnce, atLeastOnce, exactlyOnce]) {
        for (const variation of each) {
          expect(written(topicName, payload, version, delivery, variation)).toBe(
            copied(topicName, payload, version, delivery, variation)
          )
        }
      }
    }
  }
})

test.each([
  ['a packet of more than 268,435,455 bytes', 't', 268_435_450, atLeastOnce, undefined],
  ['QoS 1 without a Packet Identifier', 't', 0, { ...atLeastOnce, packetIdentifier: 0 }, undefined],
  ['a Topic Alias that is none', 't', 0, atLeastOnce, { subscriptionIdentifiers: [], topicAlias: 65_536, omitTopicName: false }],
  ['no Topic Name and no Topic Alias', 't', 0, atLeastOnce, { subscriptionIdentifiers: [], topicAlias: 0, omitTopicName: true }],
  ['a Topic Name with U+0000 [5.0 MQTT-1.5.4-2]', 'a\0', 0, atMostOnce, undefined],
  ['a Topic Name with half a surrogate pair [5.0 MQTT-1.5.4-1]', '\ud800', 0, atMostOnce, undefined]
] as const)('it is not written: %s', (_, topicName, payloadLength, delivery, variation) => {
  const target = new Uint8Array(64)
  expect(() => writePublishHeader(topicName, payloadLength, ProtocolVersion.Mqtt5, delivery, target, 0, variation)).toThrow(
    RangeError
  )
})

test('3.1.1 has no Topic Aliases', () => {
  const write = () => writePublishHeader('t', 0, ProtocolVersion.Mqtt311, atMostOnce, new Uint8Array(64), 0, variations[2])
  expect(write).toThrow(RangeError)
})
