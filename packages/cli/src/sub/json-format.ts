import { isUtf8 } from 'node:buffer'
import { latencyMsOf, type ShownMessage } from './shown-message.ts'

/**
 * A message as a JSON object, in fields that stay as they are (docs/cli.md). `pub --json-lines` reads them. A payload that is not UTF-8 comes
 * as `payloadBase64` instead.
 */
export function jsonFormat(isPretty: boolean, newline: string): (message: ShownMessage) => Uint8Array {
  return (message) => Buffer.from(`${JSON.stringify(fieldsOf(message), undefined, isPretty ? 2 : undefined)}${newline}`)
}

function fieldsOf(message: ShownMessage): object {
  const { topic, payload, qos, retain, dup, properties, subscriptionIdentifiers, receivedAtMs } = message
  const latencyMs = latencyMsOf(message)
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  return {
    topic,
    ...(isUtf8(payload) ? { payload: bytes.toString() } : { payloadBase64: bytes.toString('base64') }),
    bytes: bytes.length,
    qos,
    retain,
    dup,
    receivedAt: new Date(receivedAtMs).toISOString(),
    latencyMs: latencyMs === undefined ? undefined : Number(latencyMs.toFixed(3)),
    subscriptionIdentifiers: subscriptionIdentifiers.length === 0 ? undefined : subscriptionIdentifiers,
    properties: propertiesOf(properties)
  }
}

/** What is undefined is left out of JSON. */
function propertiesOf(properties: ShownMessage['properties']): object {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } =
    properties
  return {
    payloadFormatIndicator,
    messageExpiryInterval,
    contentType,
    responseTopic,
    correlationDataBase64: correlationData === undefined ? undefined : Buffer.from(correlationData).toString('base64'),
    userProperties
  }
}
