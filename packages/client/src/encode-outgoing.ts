import { encodePacket, NO_PROPERTIES, PacketType, type PublishProperties } from '@godwit/protocol'
import { ClientError } from './client-error.ts'
import { PUBLISH_IDENTIFIERS } from './limits.ts'
import type { Link } from './link.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import type { SequenceNumber } from './outbox-store.ts'

/**
 * The Packet Identifier of a message follows from its number, so it is stored with it, and is the same after a restart. No two messages under
 * way have the same, because none is sent while one that is PUBLISH_IDENTIFIERS older is not finished.
 */
export function packetIdentifierOf(sequence: SequenceNumber): number {
  return 1 + (sequence % PUBLISH_IDENTIFIERS)
}

/**
 * The PUBLISH of a message, for one connection.
 *
 * @throws {ClientError} `not-supported`, `packet-too-large` or `invalid-argument`: it cannot be sent there
 */
export function encodeOutgoing(message: OutgoingMessage, link: Link, nowMs: number): Uint8Array {
  const { connection, limits, topicAliases } = link
  const { topicName, qos, retain } = message
  // [5.0 MQTT-3.2.2-11]
  if (qos > limits.maximumQoS) {
    throw new ClientError('not-supported', `The server takes messages up to QoS ${limits.maximumQoS} only, not QoS ${qos}`)
  }
  // [5.0 MQTT-3.2.2-14]
  if (retain && !limits.isRetainAvailable) throw new ClientError('not-supported', 'The server takes no retained messages')
  const alias = connection.isMqtt5 ? topicAliases.known(topicName) : 0
  const newAlias = connection.isMqtt5 && alias === 0 ? topicAliases.assign(topicName) : 0
  if (alias > 0 || newAlias > 0) {
    try {
      return encode(message, link, alias > 0 ? '' : topicName, alias > 0 ? alias : newAlias, nowMs)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      if (newAlias > 0) topicAliases.withdraw(topicName)
      // An alias may take more room than the topic, and may be all that was too much.
    }
  }
  return encode(message, link, topicName, 0, nowMs)
}

function encode(
  message: OutgoingMessage,
  { connection, limits }: Link,
  topicName: string,
  topicAlias: number,
  nowMs: number
): Uint8Array {
  const { payload, qos, retain, sequence } = message
  let packet: Uint8Array
  try {
    packet = encodePacket(
      {
        type: PacketType.Publish,
        topicName,
        payload,
        qos,
        retain,
        dup: message.isDup && qos > 0,
        packetIdentifier: qos === 0 ? 0 : packetIdentifierOf(sequence),
        properties: connection.isMqtt5 ? propertiesOf(message, topicAlias, nowMs) : NO_PROPERTIES
      },
      connection.protocolVersion
    )
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ClientError('invalid-argument', `The message cannot be sent: ${error.message}`, { cause: error })
  }
  checkSize(packet, limits.maximumPacketSize)
  return packet
}

/** [5.0 MQTT-3.2.2-15] */
function checkSize({ byteLength }: Uint8Array, maximumPacketSize: number): void {
  if (byteLength <= maximumPacketSize) return
  const message = `The server takes packets up to ${maximumPacketSize} bytes; the message makes one of ${byteLength} bytes`
  throw new ClientError('packet-too-large', message)
}

function propertiesOf({ properties, acceptedAtMs }: OutgoingMessage, topicAlias: number, nowMs: number): PublishProperties {
  const { messageExpiryInterval } = properties
  if (messageExpiryInterval === undefined && topicAlias === 0) return properties
  return {
    ...properties,
    messageExpiryInterval:
      messageExpiryInterval === undefined ? undefined : remainingSeconds(messageExpiryInterval, nowMs - acceptedAtMs),
    topicAlias: topicAlias === 0 ? undefined : topicAlias
  }
}

/** What it has waited here is part of its life. */
function remainingSeconds(messageExpiryInterval: number, waitedMs: number): number {
  return Math.max(1, messageExpiryInterval - Math.floor(waitedMs / 1000))
}
