import {
  copyPublish,
  copyPublishHeader,
  type EncodedPublish,
  NO_PROPERTIES,
  ProtocolVersion,
  publishHeaderLengthMax,
  publishLength,
  type QoS,
  writePublishHeader
} from '@godwit/protocol'
import type { PackedMessage } from '@godwit/storage'
import type { Message } from './message.ts'
import type { OutputBuffer } from './output-buffer.ts'
import { OutboundTopicAliases } from './topic-aliases.ts'

/** A payload from this size on is sent from where it is, and not copied for each receiver. */
const PAYLOAD_BY_REFERENCE_BYTES = 4096
/** An alias takes three bytes: a topic name must be longer than this to be worth one. */
const ALIASED_TOPIC_LENGTH_MIN = 4
/** What an alias that is being set may add: itself, and a byte to each of the two lengths before it. */
const ALIAS_BYTES_MAX = 5

/** What the packet being written is made of: one for all writers, used anew for each packet, so that sending allocates nothing. */
export class PublishScratch {
  readonly delivery = { qos: 0 satisfies QoS as QoS, retain: false, dup: false, packetIdentifier: 0, messageExpiryInterval: 0 }
  readonly variation = {
    subscriptionIdentifiers: [] satisfies number[] as readonly number[],
    topicAlias: 0,
    omitTopicName: false
  }
}

/** Writes PUBLISH packets for one client: its version, its Maximum Packet Size, its topic aliases. */
export class PublishWriter {
  readonly #output: OutputBuffer
  readonly #protocolVersion: ProtocolVersion
  readonly #packetBytesMax: number
  readonly #aliases: OutboundTopicAliases | undefined
  readonly #now: () => number
  readonly #scratch: PublishScratch

  /**
   * @param packetBytesMax the client's Maximum Packet Size
   * @param topicAliasMaximum how many aliases may be used towards the client; 0: none ([5.0 MQTT-3.1.2-27])
   */
  constructor(
    output: OutputBuffer,
    protocolVersion: ProtocolVersion,
    packetBytesMax: number,
    topicAliasMaximum: number,
    now: () => number,
    scratch: PublishScratch
  ) {
    this.#output = output
    this.#protocolVersion = protocolVersion
    this.#packetBytesMax = packetBytesMax
    this.#aliases = topicAliasMaximum > 0 ? new OutboundTopicAliases(topicAliasMaximum) : undefined
    this.#now = now
    this.#scratch = scratch
  }

  /** Whether the client's Maximum Packet Size allows a message. */
  takes(message: Message, qos: QoS, subscriptionIdentifiers: readonly number[]): boolean {
    if (this.#packetBytesMax === Infinity) return true
    const encoded = message.encoded(this.#protocolVersion, qos > 0)
    return publishLength(encoded, this.#plainVariation(subscriptionIdentifiers)) <= this.#packetBytesMax
  }

  /** Appends the packet to the output. The message must fit: see `takes`. */
  write(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetIdentifier: number,
    subscriptionIdentifiers: readonly number[]
  ): void {
    const { delivery } = this.#scratch
    delivery.qos = qos
    delivery.retain = retain
    delivery.dup = dup
    delivery.packetIdentifier = packetIdentifier
    if (message.packed !== undefined && this.#writePacked(message.packed, subscriptionIdentifiers)) return
    const { payloadLength } = message
    const isByReference = payloadLength >= PAYLOAD_BY_REFERENCE_BYTES
    // What the transport is given must not be a chunk that is soon written to again.
    if (isByReference) message.own()
    const encoded = message.encoded(this.#protocolVersion, qos > 0)
    delivery.messageExpiryInterval = encoded.messageExpiryIntervalAt > 0 ? message.remainingSeconds(this.#now()) : 0
    const variation =
      this.#protocolVersion === ProtocolVersion.Mqtt5
        ? this.#variationFor(message.topicName, encoded, subscriptionIdentifiers)
        : undefined
    const output = this.#output
    const length = publishLength(encoded, variation)
    if (isByReference) {
      copyPublishHeader(encoded, delivery, output.slabFor(length - payloadLength), output.offset, variation)
      output.advance(length - payloadLength)
      output.append(encoded.bytes.subarray(encoded.payloadAt, encoded.end))
    } else {
      copyPublish(encoded, delivery, output.slabFor(length), output.offset, variation)
      output.advance(length)
    }
  }

  /**
   * Writes a message as it was read back, which this client alone gets, as the scratch says. False: it has to be encoded, having
   * properties, or a length that must be known before.
   */
  #writePacked(packed: PackedMessage, subscriptionIdentifiers: readonly number[]): boolean {
    const { topicName, payloadLength, properties } = packed
    const { delivery } = this.#scratch
    const version = this.#protocolVersion
    const isMqtt5 = version === ProtocolVersion.Mqtt5
    if (this.#packetBytesMax !== Infinity || (isMqtt5 && properties !== NO_PROPERTIES)) return false
    const variation = isMqtt5 ? this.#variationFor(topicName, undefined, subscriptionIdentifiers) : undefined
    const isByReference = payloadLength >= PAYLOAD_BY_REFERENCE_BYTES
    const output = this.#output
    const slab = output.slabFor(publishHeaderLengthMax(topicName, variation) + (isByReference ? 0 : payloadLength))
    const { offset } = output
    const payloadAt = writePublishHeader(topicName, payloadLength, version, delivery, slab, offset, variation)
    if (isByReference) {
      output.advance(payloadAt - offset)
      output.append(packed.payload)
    } else {
      packed.copyPayload(slab, payloadAt)
      output.advance(payloadAt + payloadLength - offset)
    }
    return true
  }

  #plainVariation(subscriptionIdentifiers: readonly number[]) {
    const { variation } = this.#scratch
    variation.subscriptionIdentifiers = this.#protocolVersion === ProtocolVersion.Mqtt5 ? subscriptionIdentifiers : []
    variation.topicAlias = 0
    variation.omitTopicName = false
    return variation
  }

  /** @param encoded undefined: the client takes packets of any length */
  #variationFor(topicName: string, encoded: EncodedPublish | undefined, subscriptionIdentifiers: readonly number[]) {
    const variation = this.#plainVariation(subscriptionIdentifiers)
    if (this.#aliases === undefined || topicName.length < ALIASED_TOPIC_LENGTH_MIN) return variation
    const known = this.#aliases.known(topicName)
    variation.omitTopicName = known > 0
    if (known > 0) variation.topicAlias = known
    else if (encoded === undefined || publishLength(encoded, variation) + ALIAS_BYTES_MAX <= this.#packetBytesMax) {
      variation.topicAlias = this.#aliases.assign(topicName)
    }
    return variation
  }
}
