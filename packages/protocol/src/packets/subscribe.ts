import { decodeProperties } from '../decode-properties.ts'
import { encodeProperties } from '../encode-properties.ts'
import { PacketType } from '../packet-type.ts'
import { NO_PROPERTIES, type SubscribeProperties } from '../properties.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { QoS } from '../quality-of-service.ts'
import type { Reader } from '../reader.ts'
import { isSharedSubscription } from '../topics.ts'
import { malformed, protocolError } from '../violations.ts'
import type { Writer } from '../writer.ts'

/** SUBSCRIBE: a request for one or more subscriptions ([5.0 3.8], [3.1.1 3.8]). */
export interface SubscribePacket {
  readonly type: typeof PacketType.Subscribe
  readonly packetIdentifier: number
  /** At least one ([5.0 MQTT-3.8.3-2]). */
  readonly subscriptions: readonly SubscriptionRequest[]
  readonly properties: SubscribeProperties
}

/** A Topic Filter with its Subscription Options ([5.0 3.8.3.1]). */
export interface SubscriptionRequest extends SubscriptionOptions {
  readonly topicFilter: string
}

/** Subscription Options; on 3.1 and 3.1.1 all but the QoS have the values that give those versions' behaviour. */
export interface SubscriptionOptions {
  /** The maximum QoS at which the client wants messages. */
  readonly qos: QoS
  /** Do not send the client what it published itself. 3.1, 3.1.1: false. */
  readonly noLocal: boolean
  /** Forward the RETAIN flag as the publisher set it. 3.1, 3.1.1: false. */
  readonly retainAsPublished: boolean
  readonly retainHandling: RetainHandling
}

/** When retained messages are sent to a new subscription ([5.0 MQTT-3.3.1-9] to [5.0 MQTT-3.3.1-11]). */
export const RetainHandling = {
  /** Always; the behaviour of 3.1 and 3.1.1. */
  SendAtSubscribe: 0,
  /** Only if the subscription did not exist. */
  SendIfNew: 1,
  DoNotSend: 2
} as const

export type RetainHandling = (typeof RetainHandling)[keyof typeof RetainHandling]

/*
SUBSCRIBE              => packet_identifier [PROPERTIES] (5.0) subscription+
  packet_identifier    => TWO_BYTE_INTEGER
  subscription         => topic_filter subscription_options
    topic_filter       => UTF8_STRING
    subscription_options => BYTE (bits 1 and 0: QoS; 5.0 only: bit 2: No Local, bit 3: Retain As Published,
                            bits 5 and 4: Retain Handling; the others 0)
*/

/** Checks the filters as strings only: one that is not a Topic Filter is the server's to refuse, in SUBACK on 5.0. */
export function decodeSubscribe(reader: Reader, protocolVersion: ProtocolVersion): SubscribePacket {
  const packetIdentifier = reader.packetIdentifier()
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  const properties = isMqtt5 ? decodeProperties(reader, PacketType.Subscribe) : NO_PROPERTIES
  // [5.0 MQTT-3.8.3-2], [3.1.1 MQTT-3.8.3-3]
  if (reader.remaining === 0) throw protocolError('SUBSCRIBE without a Topic Filter')
  const subscriptions: SubscriptionRequest[] = []
  while (reader.remaining > 0) {
    const topicFilter = reader.utf8String()
    const options = reader.byte()
    subscriptions.push(
      isMqtt5 ? readSubscription(topicFilter, options) : readOldSubscription(topicFilter, options, protocolVersion)
    )
  }
  return { type: PacketType.Subscribe, packetIdentifier, subscriptions, properties }
}

function readSubscription(topicFilter: string, options: number): SubscriptionRequest {
  // [5.0 MQTT-3.8.3-5]
  if ((options & 0b1100_0000) !== 0) throw malformed('Reserved Subscription Options are set')
  const qos = options & 0b11
  // [5.0 3.8.3.1]
  if (qos !== 0 && qos !== 1 && qos !== 2) throw protocolError('Subscription with QoS 3')
  const retainHandling = (options >> 4) & 0b11
  // [5.0 3.8.3.1]
  if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2) throw protocolError('Retain Handling is 3')
  const noLocal = (options & 0b0100) !== 0
  // [5.0 MQTT-3.8.3-4]
  if (noLocal && isSharedSubscription(topicFilter)) throw protocolError('No Local on a Shared Subscription')
  return { topicFilter, qos, noLocal, retainAsPublished: (options & 0b1000) !== 0, retainHandling }
}

function readOldSubscription(topicFilter: string, options: number, protocolVersion: ProtocolVersion): SubscriptionRequest {
  const qos = options & 0b11
  // [3.1.1 MQTT-3.8.3-4]; 3.1 gives the upper bits no meaning.
  const isReservedSet = protocolVersion === ProtocolVersion.Mqtt311 && options > 0b11
  if (isReservedSet || (qos !== 0 && qos !== 1 && qos !== 2)) throw malformed(`Requested QoS byte ${options} is not a QoS`)
  return { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: RetainHandling.SendAtSubscribe }
}

/** Writes the filters as they are; `validateTopicFilter` tells whether they are Topic Filters. */
export function encodeSubscribe(writer: Writer, packet: SubscribePacket, protocolVersion: ProtocolVersion): Uint8Array {
  const isMqtt5 = protocolVersion === ProtocolVersion.Mqtt5
  writer.packetIdentifier(packet.packetIdentifier)
  if (isMqtt5) encodeProperties(writer, PacketType.Subscribe, packet.properties)
  if (packet.subscriptions.length === 0) throw new RangeError('SUBSCRIBE needs at least one subscription')
  for (const { topicFilter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    writer.utf8String(topicFilter, 'topicFilter')
    writer.byte(isMqtt5 ? qos | (noLocal ? 0b0100 : 0) | (retainAsPublished ? 0b1000 : 0) | (retainHandling << 4) : qos)
  }
  return writer.packet((PacketType.Subscribe << 4) | 0b0010)
}
