import {
  checkedFirstByte,
  checkVariation,
  type PublishDelivery,
  type PublishVariation,
  variationLength,
  writeVariation
} from './encoded-publish.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { encodeUtf8 } from './utf8-encode.ts'
import { VARIABLE_BYTE_INTEGER_MAX, variableByteIntegerLength, writeTwoByteInteger, writeVariableByteInteger } from './writer.ts'

/** The room that `writePublishHeader` may need. */
export function publishHeaderLengthMax(topicName: string, variation?: PublishVariation): number {
  return FIXED_LENGTH_MAX + topicName.length * BYTES_PER_UNIT_MAX + (variation === undefined ? 0 : variationLength(variation))
}

/** The fixed header, two lengths and the Packet Identifier. */
const FIXED_LENGTH_MAX = 5 + 2 + 4 + 2
const BYTES_PER_UNIT_MAX = 3

/**
 * Writes the PUBLISH of a message without properties, up to its payload, straight into `target`: for a message that goes to
 * one receiver, and needs no encoding that others share. `target` has room for `publishHeaderLengthMax` from `offset` on.
 *
 * @param topicName a valid one ([5.0 4.7])
 * @param variation on 5.0 alone
 * @returns where the payload begins
 * @throws {RangeError} for what cannot be written
 */
export function writePublishHeader(
  topicName: string,
  payloadLength: number,
  protocolVersion: ProtocolVersion,
  delivery: PublishDelivery,
  target: Uint8Array,
  offset: number,
  variation?: PublishVariation
): number {
  if (variation !== undefined) checkVariation(protocolVersion, variation)
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  const propertiesLength = variation === undefined ? 0 : variationLength(variation)
  const propertySectionLength = isMqtt5 ? variableByteIntegerLength(propertiesLength) + propertiesLength : 0
  const otherLength = 2 + (delivery.qos > 0 ? 2 : 0) + propertySectionLength + payloadLength
  target[offset] = checkedFirstByte(delivery.qos > 0, delivery)
  let at = writeTopicName(variation?.omitTopicName === true ? '' : topicName, otherLength, target, offset + 1)
  if (delivery.qos > 0) at = writeTwoByteInteger(target, at, delivery.packetIdentifier)
  if (!isMqtt5) return at
  at = writeVariableByteInteger(target, at, propertiesLength)
  return variation === undefined ? at : writeVariation(target, at, variation)
}

/** Writes the Remaining Length as well: it is known only once the Topic Name is encoded. */
function writeTopicName(topicName: string, otherLength: number, target: Uint8Array, offset: number): number {
  const expectedAt = offset + variableByteIntegerLength(otherLength + topicName.length)
  const end = encodeUtf8(topicName, target, expectedAt + 2)
  const length = end - expectedAt - 2
  const remainingLength = otherLength + length
  if (remainingLength > VARIABLE_BYTE_INTEGER_MAX) throw new RangeError('The packet is longer than 268,435,455 bytes')
  const topicNameAt = writeVariableByteInteger(target, offset, remainingLength)
  // What is not ASCII takes more bytes than was expected.
  if (topicNameAt !== expectedAt) target.copyWithin(topicNameAt + 2, expectedAt + 2, end)
  writeTwoByteInteger(target, topicNameAt, length)
  return topicNameAt + 2 + length
}
