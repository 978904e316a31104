import type { MessageProperties, UserProperty } from '@godwit/protocol'
import { outboxBytes, type OutboxMessage, type SequenceNumber } from '../outbox-store.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { damaged } from './outbox-failure.ts'

// A message in the file, under its number:
//
//   outbox_bytes (32 bits)  flags  accepted  [expires]  topic  [properties]  payload, to the end
//
// The times are 64-bit floating point: whatever the client's clock says comes back unchanged. The first number is what the message counts,
// to be subtracted when it is removed; it is no more than the file itself could hold.
const QOS_2 = 0x01
const RETAIN = 0x02
const RELEASED = 0x04
const EXPIRES = 0x08
const HAS_PROPERTIES = 0x10

const PAYLOAD_FORMAT_INDICATOR = 0x01
const PAYLOAD_IS_TEXT = 0x02
const MESSAGE_EXPIRY_INTERVAL = 0x04
const CONTENT_TYPE = 0x08
const RESPONSE_TOPIC = 0x10
const CORRELATION_DATA = 0x20
const USER_PROPERTIES = 0x40

/** Bytes of what stands before the rest: what the message counts. */
export const COUNT_LENGTH = 4

export function writeMessage(writer: ByteWriter, message: OutboxMessage): void {
  const { properties } = message
  const present = presentProperties(properties)
  writer.uint32(outboxBytes(message))
  writer.byte(
    (message.qos === 2 ? QOS_2 : 0) |
      (message.retain ? RETAIN : 0) |
      (message.isReleased ? RELEASED : 0) |
      (message.expiresAtMs === 0 ? 0 : EXPIRES) |
      (present === 0 ? 0 : HAS_PROPERTIES)
  )
  writer.float64(message.acceptedAtMs)
  if (message.expiresAtMs !== 0) writer.float64(message.expiresAtMs)
  writer.text(message.topicName)
  if (present !== 0) writeProperties(writer, properties, present)
  writer.raw(message.payload)
}

/**
 * The payload is a view of the bytes.
 *
 * @throws {OutboxFailure} if they are not what was written
 */
export function readMessage(sequence: SequenceNumber, bytes: Uint8Array, isReleasedSince: boolean): OutboxMessage {
  const reader = new ByteReader(bytes)
  const counted = reader.uint32()
  const flags = reader.byte()
  const acceptedAtMs = reader.float64()
  const expiresAtMs = (flags & EXPIRES) === 0 ? 0 : reader.float64()
  const topicName = reader.text()
  const properties = (flags & HAS_PROPERTIES) === 0 ? {} : readProperties(reader)
  const message: OutboxMessage = {
    sequence,
    topicName,
    payload: reader.rest(),
    qos: (flags & QOS_2) === 0 ? 1 : 2,
    retain: (flags & RETAIN) !== 0,
    properties,
    acceptedAtMs,
    expiresAtMs,
    isReleased: isReleasedSince || (flags & RELEASED) !== 0
  }
  if (outboxBytes(message) !== counted) throw damaged(`message ${sequence} is not as long as it was`)
  return message
}

function presentProperties(properties: MessageProperties): number {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } =
    properties
  let present = 0
  if (payloadFormatIndicator !== undefined) present |= PAYLOAD_FORMAT_INDICATOR
  if (payloadFormatIndicator === 1) present |= PAYLOAD_IS_TEXT
  if (messageExpiryInterval !== undefined) present |= MESSAGE_EXPIRY_INTERVAL
  if (contentType !== undefined) present |= CONTENT_TYPE
  if (responseTopic !== undefined) present |= RESPONSE_TOPIC
  if (correlationData !== undefined) present |= CORRELATION_DATA
  if (userProperties !== undefined) present |= USER_PROPERTIES
  return present
}

function writeProperties(writer: ByteWriter, properties: MessageProperties, present: number): void {
  const { messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } = properties
  writer.byte(present)
  if (messageExpiryInterval !== undefined) writer.varint(messageExpiryInterval)
  for (const text of [contentType, responseTopic]) if (text !== undefined) writer.text(text)
  if (correlationData !== undefined) writer.bytes(correlationData)
  if (userProperties === undefined) return
  writer.varint(userProperties.length)
  for (const pair of userProperties) for (const text of pair) writer.text(text)
}

function readProperties(reader: ByteReader): MessageProperties {
  const present = reader.byte()
  const has = (property: number): boolean => (present & property) !== 0
  return {
    ...(has(PAYLOAD_FORMAT_INDICATOR) && { payloadFormatIndicator: has(PAYLOAD_IS_TEXT) ? 1 : 0 }),
    ...(has(MESSAGE_EXPIRY_INTERVAL) && { messageExpiryInterval: reader.varint() }),
    ...(has(CONTENT_TYPE) && { contentType: reader.text() }),
    ...(has(RESPONSE_TOPIC) && { responseTopic: reader.text() }),
    ...(has(CORRELATION_DATA) && { correlationData: reader.bytes() }),
    ...(has(USER_PROPERTIES) && { userProperties: readUserProperties(reader) })
  }
}

function readUserProperties(reader: ByteReader): UserProperty[] {
  const userProperties: UserProperty[] = []
  for (let left = reader.varint(); left > 0; left--) userProperties.push([reader.text(), reader.text()])
  return userProperties
}
