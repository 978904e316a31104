import { encodeProperties } from './encode-properties.ts'
import { PacketType } from './packet-type.ts'
import { publishFirstByte } from './packets/publish.ts'
import type { MessageProperties } from './properties.ts'
import { Property } from './property-table.ts'
import { ProtocolVersion } from './protocol-version.ts'
import type { QoS } from './quality-of-service.ts'
import {
  checkInteger,
  VARIABLE_BYTE_INTEGER_MAX,
  variableByteIntegerLength,
  Writer,
  writeFourByteInteger,
  writeTwoByteInteger,
  writeVariableByteInteger
} from './writer.ts'

/*
A PUBLISH as `encodePublish` lays it out, and what of it differs from receiver to receiver:

  first_byte remaining_length topic_name [packet_identifier] [property_length [0x02 message_expiry_interval] ...] payload
  ~~~~~~~~~~                              ~~~~~~~~~~~~~~~~~                        ~~~~~~~~~~~~~~~~~~~~~~~
A Topic Alias and Subscription Identifiers change the lengths too: the parts between are copied, the lengths made anew.
*/

/** What all receivers of a message get alike. The Topic Name is valid ([5.0 4.7]). */
export interface PublishMessage {
  readonly topicName: string
  readonly payload: Uint8Array
  readonly properties: MessageProperties
}

/** A message encoded once for all receivers with the same version and with or without a Packet Identifier. */
export interface EncodedPublish {
  /** Where the packet is, among others perhaps: from `start` to `end`. All places are counted from the first of these bytes. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** The whole packet, with all its bytes. */
  readonly packet: Uint8Array
  readonly protocolVersion: ProtocolVersion
  /** Where the topic name's length begins: behind the fixed header. */
  readonly topicNameAt: number
  /** 0 at QoS 0. */
  readonly packetIdentifierAt: number
  /** Where the Property Length begins; on 3.1 and 3.1.1, which have none, as `payloadAt`. */
  readonly propertiesAt: number
  /** Where the Message Expiry Interval's four bytes begin; 0 if it has none. */
  readonly messageExpiryIntervalAt: number
  /** From here to `end` all is payload: `bytes.subarray(payloadAt, end)` may follow a `copyPublishHeader` without being copied. */
  readonly payloadAt: number
}

/** How a message goes to one receiver. */
export interface PublishDelivery {
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 1 to 65,535; 0 at QoS 0. */
  readonly packetIdentifier: number
  /** The seconds that are left ([5.0 MQTT-3.3.2-6]); of no effect on a message that does not expire. */
  readonly messageExpiryInterval: number
}

/** What else a 5.0 receiver may get. */
export interface PublishVariation {
  /** Of the subscriptions that match ([5.0 MQTT-3.3.4-3]). */
  readonly subscriptionIdentifiers: readonly number[]
  /** 1 to 65,535; 0: none. */
  readonly topicAlias: number
  /** The receiver knows the Topic Alias already: send it without the Topic Name. */
  readonly omitTopicName: boolean
}

const writer = new Writer()

/**
 * Encodes `message`, with its payload, for the receivers that have `protocolVersion` and either a QoS above 0 or QoS 0.
 *
 * @throws {RangeError} for what cannot be written: an empty or overlong Topic Name, properties out of their ranges, ...
 */
export function encodePublish(
  message: PublishMessage,
  protocolVersion: ProtocolVersion,
  hasPacketIdentifier: boolean
): EncodedPublish {
  const { topicName, payload, properties } = message
  if (topicName === '') throw new RangeError('topicName must not be empty')
  writer.clear()
  writer.utf8String(topicName, 'topicName')
  const topicNameEnd = writer.length
  if (hasPacketIdentifier) writer.packetIdentifier(1)
  const propertiesStart = writer.length
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  if (isMqtt5) encodeProperties(writer, PacketType.Publish, properties)
  const headerLength = writer.length
  const bytes = writer.packet(publishFirstByte(hasPacketIdentifier ? 1 : 0, false, false), payload)
  const topicNameAt = bytes.length - payload.length - headerLength
  const propertiesAt = topicNameAt + propertiesStart
  return {
    bytes,
    start: 0,
    end: bytes.length,
    packet: bytes,
    protocolVersion,
    topicNameAt,
    packetIdentifierAt: hasPacketIdentifier ? topicNameAt + topicNameEnd : 0,
    propertiesAt,
    messageExpiryIntervalAt:
      isMqtt5 && properties.messageExpiryInterval !== undefined ? variableByteIntegerEnd(bytes, propertiesAt) + 1 : 0,
    payloadAt: topicNameAt + headerLength
  }
}

/** The bytes that `copyPublish` writes. */
export function publishLength(encoded: EncodedPublish, variation?: PublishVariation): number {
  if (variation === undefined || isPlain(variation)) return encoded.end - encoded.start
  const remainingLength = variedRemainingLength(encoded, variation)
  return 1 + variableByteIntegerLength(remainingLength) + remainingLength
}

/**
 * Writes the PUBLISH for one receiver into `target`, which has room for `publishLength` bytes from `offset` on.
 *
 * @returns where it ends
 * @throws {RangeError} for a delivery or variation that does not fit the encoding, and if there is no room
 */
export function copyPublish(
  encoded: EncodedPublish,
  delivery: PublishDelivery,
  target: Uint8Array,
  offset: number,
  variation?: PublishVariation
): number {
  const { bytes, start, end, payloadAt } = encoded
  if (variation === undefined || isPlain(variation)) {
    target.set(encoded.packet, offset)
    patch(encoded, delivery, target, offset)
    return offset + end - start
  }
  const targetPayloadAt = copyPublishHeader(encoded, delivery, target, offset, variation)
  return copyBytes(bytes, payloadAt, end, target, targetPayloadAt)
}

/** As `copyPublish`, without the payload: a large one had better follow as it is. */
export function copyPublishHeader(
  encoded: EncodedPublish,
  delivery: PublishDelivery,
  target: Uint8Array,
  offset: number,
  variation?: PublishVariation
): number {
  if (variation !== undefined && !isPlain(variation)) return copyVariedHeader(encoded, delivery, target, offset, variation)
  const { bytes, start, payloadAt } = encoded
  target.set(bytes.subarray(start, payloadAt), offset)
  patch(encoded, delivery, target, offset)
  return offset + payloadAt - start
}

function copyVariedHeader(
  encoded: EncodedPublish,
  delivery: PublishDelivery,
  target: Uint8Array,
  offset: number,
  variation: PublishVariation
): number {
  checkVariation(encoded.protocolVersion, variation)
  const { bytes, end, topicNameAt, packetIdentifierAt, propertiesAt, messageExpiryIntervalAt, payloadAt } = encoded
  const remainingLength = variedRemainingLength(encoded, variation)
  const targetEnd = offset + 1 + variableByteIntegerLength(remainingLength) + remainingLength - (end - payloadAt)
  if (targetEnd > target.length) throw new RangeError('The target has no room for the PUBLISH')
  target[offset] = checkedFirstByte(encoded.packetIdentifierAt > 0, delivery)
  let at = writeVariableByteInteger(target, offset + 1, remainingLength)
  if (variation.omitTopicName) {
    target[at++] = 0
    target[at++] = 0
  } else {
    at = copyBytes(bytes, topicNameAt, topicNameEnd(encoded), target, at)
  }
  if (packetIdentifierAt > 0) at = writeTwoByteInteger(target, at, delivery.packetIdentifier)
  const sharedPropertiesAt = variableByteIntegerEnd(bytes, propertiesAt)
  at = writeVariableByteInteger(target, at, payloadAt - sharedPropertiesAt + variationLength(variation))
  const sharedPropertiesEnd = copyBytes(bytes, sharedPropertiesAt, payloadAt, target, at)
  if (messageExpiryIntervalAt > 0) {
    writeFourByteInteger(target, at + messageExpiryIntervalAt - sharedPropertiesAt, delivery.messageExpiryInterval)
  }
  return writeVariation(target, sharedPropertiesEnd, variation)
}

/** Writes the properties that a variation adds, and returns where they end. */
export function writeVariation(
  target: Uint8Array,
  offset: number,
  { subscriptionIdentifiers, topicAlias }: PublishVariation
): number {
  let at = offset
  if (topicAlias > 0) {
    target[at++] = Property.TopicAlias
    at = writeTwoByteInteger(target, at, topicAlias)
  }
  for (const subscriptionIdentifier of subscriptionIdentifiers) {
    target[at++] = Property.SubscriptionIdentifier
    at = writeVariableByteInteger(target, at, subscriptionIdentifier)
  }
  return at
}

function patch(encoded: EncodedPublish, delivery: PublishDelivery, target: Uint8Array, offset: number): void {
  const { start, packetIdentifierAt, messageExpiryIntervalAt } = encoded
  target[offset] = checkedFirstByte(packetIdentifierAt > 0, delivery)
  const shift = offset - start
  if (packetIdentifierAt > 0) writeTwoByteInteger(target, shift + packetIdentifierAt, delivery.packetIdentifier)
  if (messageExpiryIntervalAt > 0) {
    writeFourByteInteger(target, shift + messageExpiryIntervalAt, delivery.messageExpiryInterval)
  }
}

/** @throws {RangeError} for a delivery that needs a Packet Identifier where there is none, or the reverse */
export function checkedFirstByte(hasPacketIdentifier: boolean, { qos, retain, dup, packetIdentifier }: PublishDelivery): number {
  if (qos > 0 !== hasPacketIdentifier) throw new RangeError(`This encoding is not for QoS ${qos}`)
  if (qos > 0) checkInteger(packetIdentifier, 1, 0xffff, 'packetIdentifier')
  return publishFirstByte(qos, retain, dup && qos > 0)
}

/** @throws {RangeError} for a variation that the receiver cannot get */
export function checkVariation(protocolVersion: ProtocolVersion, variation: PublishVariation): void {
  const { subscriptionIdentifiers, topicAlias, omitTopicName } = variation
  if (protocolVersion !== ProtocolVersion.Mqtt5) throw new RangeError('Only 5.0 has Topic Aliases and Subscription Identifiers')
  checkInteger(topicAlias, 0, 0xffff, 'topicAlias')
  if (omitTopicName && topicAlias === 0) throw new RangeError('The Topic Name must not be omitted without a topicAlias')
  for (const each of subscriptionIdentifiers) checkInteger(each, 1, VARIABLE_BYTE_INTEGER_MAX, 'A Subscription Identifier')
}

/** Returns where the copy ends. A few bytes are copied sooner than a view of them is made (`bench/micro/codec.ts`). */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, offset: number): number {
  if (end - start > COPIED_SINGLY_MAX) target.set(source.subarray(start, end), offset)
  else for (let at = start, to = offset; at < end; at++, to++) target[to] = source[at] ?? 0
  return offset + end - start
}

const COPIED_SINGLY_MAX = 64

function isPlain({ subscriptionIdentifiers, topicAlias, omitTopicName }: PublishVariation): boolean {
  return topicAlias === 0 && !omitTopicName && subscriptionIdentifiers.length === 0
}

/** The bytes of the properties that a variation adds. */
export function variationLength({ subscriptionIdentifiers, topicAlias }: PublishVariation): number {
  let length = topicAlias > 0 ? 3 : 0
  for (const subscriptionIdentifier of subscriptionIdentifiers) length += 1 + variableByteIntegerLength(subscriptionIdentifier)
  return length
}

function variedRemainingLength(encoded: EncodedPublish, variation: PublishVariation): number {
  const { bytes, end, topicNameAt, packetIdentifierAt, propertiesAt, payloadAt } = encoded
  const topicNameLength = variation.omitTopicName ? 2 : topicNameEnd(encoded) - topicNameAt
  const packetIdentifierLength = packetIdentifierAt > 0 ? 2 : 0
  const propertiesLength = payloadAt - variableByteIntegerEnd(bytes, propertiesAt) + variationLength(variation)
  const propertySectionLength = variableByteIntegerLength(propertiesLength) + propertiesLength
  const remainingLength = topicNameLength + packetIdentifierLength + propertySectionLength + end - payloadAt
  if (remainingLength > VARIABLE_BYTE_INTEGER_MAX) throw new RangeError('The packet is longer than 268,435,455 bytes')
  return remainingLength
}

function topicNameEnd({ packetIdentifierAt, propertiesAt }: EncodedPublish): number {
  return packetIdentifierAt > 0 ? packetIdentifierAt : propertiesAt
}

/** Where a Variable Byte Integer that was written here ends. */
function variableByteIntegerEnd(bytes: Uint8Array, start: number): number {
  let at = start
  while ((bytes[at] ?? 0) > 0x7f) at++
  return at + 1
}
