import type { EncodedPublish } from './encoded-publish.ts'
import { PacketType } from './packet-type.ts'
import type { PublishPacket } from './packets/publish.ts'
import type { PublishProperties } from './properties.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import type { QoS } from './quality-of-service.ts'

/**
 * A PUBLISH that was decoded, and where it stands in the bytes that came: most messages are sent on in the very layout
 * they were received in, so that nothing has to be encoded, and nobody looks at the payload, of which a view is made
 * only on demand. Bench: `bench/micro/hot-path.ts`.
 */
export class ReceivedPublish implements PublishPacket, EncodedPublish {
  readonly type: typeof PacketType.Publish = PacketType.Publish
  readonly topicName: string
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly packetIdentifier: number
  readonly properties: PublishProperties
  readonly protocolVersion: ProtocolVersion
  /**
   * Whether it can be sent on as it is laid out. Not if its header came in another chunk than its body, nor with a
   * Topic Alias or a Message Expiry Interval, which its receivers do not get as they were.
   */
  readonly isWhole: boolean
  readonly messageExpiryIntervalAt = 0
  bytes: Uint8Array
  start: number
  topicNameAt: number
  packetIdentifierAt: number
  propertiesAt: number
  payloadAt: number
  end: number
  #packet: Uint8Array | undefined = undefined

  /**
   * @param flags of the fixed header
   * @param start where the packet begins in `bytes`; below 0: elsewhere
   */
  constructor(
    flags: number,
    qos: QoS,
    topicName: string,
    packetIdentifier: number,
    properties: PublishProperties,
    protocolVersion: ProtocolVersion,
    bytes: Uint8Array,
    start: number,
    topicNameAt: number,
    propertiesAt: number,
    payloadAt: number,
    end: number
  ) {
    this.topicName = topicName
    this.qos = qos
    this.retain = (flags & 0b0001) !== 0
    this.dup = qos > 0 && (flags & 0b1000) !== 0
    this.packetIdentifier = packetIdentifier
    this.properties = properties
    this.protocolVersion = protocolVersion
    this.isWhole = start >= 0 && properties.topicAlias === undefined && properties.messageExpiryInterval === undefined
    this.bytes = bytes
    this.start = start
    this.topicNameAt = topicNameAt
    this.packetIdentifierAt = qos > 0 ? propertiesAt - 2 : 0
    this.propertiesAt = propertiesAt
    this.payloadAt = payloadAt
    this.end = end
  }

  /** A view, made for the first receiver. */
  get packet(): Uint8Array {
    this.#packet ??= this.bytes.subarray(this.start, this.end)
    return this.#packet
  }

  /** A view of `bytes`, made anew at each call. */
  get payload(): Uint8Array {
    const { bytes, payloadAt, end } = this
    // Not subarray(): of a Buffer that would be a Buffer, and payloads would come in two shapes.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + payloadAt, end - payloadAt)
  }

  /** Its fields alone, with a payload of its own: to be kept. */
  toPacket(): PublishPacket {
    const { type, topicName, payload, qos, retain, dup, packetIdentifier, properties } = this
    return { type, topicName, payload: payload.slice(), qos, retain, dup, packetIdentifier, properties }
  }

  get payloadLength(): number {
    return this.end - this.payloadAt
  }

  /** The bytes that `keepIn` copies: the packet if it is whole, otherwise its payload. */
  get keptLength(): number {
    return this.end - this.#keptFrom
  }

  /** Copies what stays to `target` from `offset` on, and lets go of the chunk that it came in. */
  keepIn(target: Uint8Array, offset: number): void {
    const from = this.#keptFrom
    target.set(this.bytes.subarray(from, this.end), offset)
    const shift = offset - from
    this.#packet = undefined
    this.bytes = target
    this.start += shift
    this.topicNameAt += shift
    if (this.packetIdentifierAt > 0) this.packetIdentifierAt += shift
    this.propertiesAt += shift
    this.payloadAt += shift
    this.end += shift
  }

  get #keptFrom(): number {
    return this.isWhole ? this.start : this.payloadAt
  }
}
