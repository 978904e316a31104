import { type MessageProperties, NO_PROPERTIES, type QoS } from '@godwit/protocol'
import { PackedMessage } from '../packed-message.ts'
import type { StoredMessage } from '../stored-message.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { damaged } from './store-error.ts'

// A message on disk:
//
//   flags  topic  publisher  published  [expires]  [properties]  payload
//
// The times are 64-bit floating point: whatever the broker's clock says comes back unchanged.
const QOS = 0x03
const RETAIN = 0x04
const EXPIRES = 0x08
const HAS_PROPERTIES = 0x10

const PAYLOAD_FORMAT_INDICATOR = 0x01
const PAYLOAD_IS_TEXT = 0x02
const MESSAGE_EXPIRY_INTERVAL = 0x04
const CONTENT_TYPE = 0x08
const RESPONSE_TOPIC = 0x10
const CORRELATION_DATA = 0x20
const USER_PROPERTIES = 0x40

export function writeMessage(writer: ByteWriter, message: StoredMessage): void {
  const present = presentProperties(message.properties)
  writer.byte(
    message.qos |
      (message.retain ? RETAIN : 0) |
      (message.expiresAtMs === Infinity ? 0 : EXPIRES) |
      (present === 0 ? 0 : HAS_PROPERTIES)
  )
  writer.text(message.topicName)
  writer.text(message.publisherClientId)
  writer.float64(message.publishedAtMs)
  if (message.expiresAtMs !== Infinity) writer.float64(message.expiresAtMs)
  if (present !== 0) writeProperties(writer, message.properties, present)
  writer.bytes(message.payload)
}

/**
 * The payload stays in the bytes being read.
 *
 * @param similar another message, which may have the same topic and publisher
 */
export function readMessage(reader: ByteReader, similar?: StoredMessage): PackedMessage {
  const flags = reader.byte()
  const topicName = reader.text(similar?.topicName)
  const publisherClientId = reader.text(similar?.publisherClientId)
  const publishedAtMs = reader.float64()
  const expiresAtMs = (flags & EXPIRES) === 0 ? Infinity : reader.float64()
  const properties = (flags & HAS_PROPERTIES) === 0 ? NO_PROPERTIES : readProperties(reader)
  const payloadLength = reader.varint()
  const payloadAt = reader.pass(payloadLength)
  return new PackedMessage(
    topicName,
    qosOf(flags & QOS),
    (flags & RETAIN) !== 0,
    properties,
    publisherClientId,
    publishedAtMs,
    expiresAtMs,
    reader.source,
    payloadAt,
    payloadLength
  )
}

export function qosOf(value: number): QoS {
  if (value === 0 || value === 1 || value === 2) return value
  throw damaged(`QoS ${value}`)
}

function presentProperties(properties: MessageProperties): number {
  return (
    (properties.payloadFormatIndicator === undefined ? 0 : PAYLOAD_FORMAT_INDICATOR) |
    (properties.payloadFormatIndicator === 1 ? PAYLOAD_IS_TEXT : 0) |
    (properties.messageExpiryInterval === undefined ? 0 : MESSAGE_EXPIRY_INTERVAL) |
    (properties.contentType === undefined ? 0 : CONTENT_TYPE) |
    (properties.responseTopic === undefined ? 0 : RESPONSE_TOPIC) |
    (properties.correlationData === undefined ? 0 : CORRELATION_DATA) |
    (properties.userProperties === undefined ? 0 : USER_PROPERTIES)
  )
}

function writeProperties(writer: ByteWriter, properties: MessageProperties, present: number): void {
  const { messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } = properties
  writer.byte(present)
  if (messageExpiryInterval !== undefined) writer.varint(messageExpiryInterval)
  if (contentType !== undefined) writer.text(contentType)
  if (responseTopic !== undefined) writer.text(responseTopic)
  if (correlationData !== undefined) writer.bytes(correlationData)
  if (userProperties === undefined) return
  writer.varint(userProperties.length)
  for (const [name, value] of userProperties) {
    writer.text(name)
    writer.text(value)
  }
}

function readProperties(reader: ByteReader): MessageProperties {
  const present = reader.byte()
  const payloadFormatIndicator = (present & PAYLOAD_IS_TEXT) === 0 ? 0 : 1
  return {
    ...((present & PAYLOAD_FORMAT_INDICATOR) !== 0 && { payloadFormatIndicator }),
    ...((present & MESSAGE_EXPIRY_INTERVAL) !== 0 && { messageExpiryInterval: reader.varint() }),
    ...((present & CONTENT_TYPE) !== 0 && { contentType: reader.text() }),
    ...((present & RESPONSE_TOPIC) !== 0 && { responseTopic: reader.text() }),
    ...((present & CORRELATION_DATA) !== 0 && { correlationData: reader.bytes() }),
    ...((present & USER_PROPERTIES) !== 0 && { userProperties: readUserProperties(reader) })
  }
}

function readUserProperties(reader: ByteReader): [name: string, value: string][] {
  const userProperties: [name: string, value: string][] = []
  for (let left = reader.varint(); left > 0; left--) userProperties.push([reader.text(), reader.text()])
  return userProperties
}
