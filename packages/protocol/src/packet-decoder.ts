import { checkFlags, readPacketType } from './first-byte.ts'
import { MqttError } from './mqtt-error.ts'
import { PacketType, packetTypeName } from './packet-type.ts'
import type { Packet } from './packet.ts'
import { decodeAuth } from './packets/auth.ts'
import { decodeConnack } from './packets/connack.ts'
import { decodeConnect, decodeConnectProtocol } from './packets/connect.ts'
import { decodeDisconnect } from './packets/disconnect.ts'
import { PINGREQ, PINGRESP } from './packets/ping.ts'
import { decodePuback, decodePubcomp, decodePubrec, decodePubrel } from './packets/publish-acknowledgements.ts'
import { decodePublish } from './packets/publish.ts'
import { decodeSuback } from './packets/suback.ts'
import { decodeSubscribe } from './packets/subscribe.ts'
import { decodeUnsuback } from './packets/unsuback.ts'
import { decodeUnsubscribe } from './packets/unsubscribe.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { Reader } from './reader.ts'
import { ReasonCode } from './reason-codes.ts'
import type { Receiver } from './receiver.ts'
import { TopicNameCache } from './topic-name-cache.ts'
import { unreachable } from './unreachable.ts'
import { malformed } from './violations.ts'
import { variableByteIntegerLength } from './writer.ts'

export interface PacketDecoderOptions {
  /** The end of the connection that the packets arrive at. */
  readonly receiver: Receiver
  /** Bytes of a whole packet, from its first byte on; a larger one is Packet too large as soon as its length is known. */
  readonly maximumPacketSize: number
  /** What a client said in its CONNECT. A server leaves it out, and learns it from CONNECT. */
  readonly protocolVersion?: ProtocolVersion | undefined
}

const EMPTY = new Uint8Array(0)
const COLLECTED_SIZE_MIN = 1024

const State = { FirstByte: 0, RemainingLength: 1, Body: 2 } as const
type State = (typeof State)[keyof typeof State]

/**
 * Makes packets of the bytes of one network connection, whatever the chunks they come in. `push` takes a chunk, `next`
 * gives the packets one by one, so the receiver may stop between two packets and go on later.
 *
 * The payload of a PUBLISH is a view of the chunk that was pushed: whoever keeps it has to copy it. Everything else is
 * copied. A transport may write to the chunk again once `keep` has been called, or `next` has found no whole packet.
 *
 * The first error ends it: `next` throws the same error from then on.
 */
export class PacketDecoder {
  /**
   * What both ends speak. On a server undefined until CONNECT has told. If CONNECT fails, it is what the refusal should
   * be encoded in, which after Unsupported Protocol Version is the version whose CONNACK the client will understand
   * best ([3.1.1 MQTT-3.1.2-2], [5.0 MQTT-3.1.2-2]); undefined means that no answer fits: just close.
   */
  protocolVersion: ProtocolVersion | undefined

  readonly #receiver: Receiver
  readonly #maximumPacketSize: number
  readonly #reader = new Reader()
  /** Made when the first PUBLISH comes: many clients only subscribe. */
  #topicNames: TopicNameCache | undefined = undefined

  #failure: { readonly error: unknown } | undefined

  // Bytes to decode: #chunk from #offset on, then #waiting from #waitingAt on.
  #chunk: Uint8Array = EMPTY
  #offset = 0
  #waiting: Uint8Array[] = []
  #waitingAt = 0
  #bufferedBytes = 0

  // The packet that is being decoded.
  #state: State = State.FirstByte
  #firstByte = 0
  #type: PacketType = PacketType.Connect
  #flags = 0
  #remainingLength = 0
  #lengthBytes = 0
  #isLengthPadded = false

  // The beginning of a body that spans chunks.
  #collected: Uint8Array = EMPTY
  #collectedLength = 0

  constructor(options: PacketDecoderOptions) {
    if (options.receiver === 'client' && options.protocolVersion === undefined) {
      throw new TypeError('The decoder of a client needs the protocolVersion of its CONNECT')
    }
    this.#receiver = options.receiver
    this.#maximumPacketSize = options.maximumPacketSize
    this.protocolVersion = options.protocolVersion
  }

  /** The bytes that were pushed and do not belong to a packet that `next` has returned. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Whether what was decoded last, or could not be, began as a PUBLISH does. */
  get isAtPublish(): boolean {
    return this.#firstByte >> 4 === PacketType.Publish
  }

  /** Takes bytes as they arrived. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#failure !== undefined) return
    this.#bufferedBytes += chunk.length
    if (this.#offset < this.#chunk.length || this.#waitingAt < this.#waiting.length) {
      this.#waiting.push(chunk)
      return
    }
    this.#chunk = chunk
    this.#offset = 0
  }

  /** Copies what has not been decoded yet: the chunk that was pushed last is about to be written to again. */
  keep(): void {
    if (this.#offset === this.#chunk.length) return
    if (this.#waitingAt === this.#waiting.length) {
      this.#chunk = new Uint8Array(this.#chunk.subarray(this.#offset))
      this.#offset = 0
    } else {
      const last = this.#waiting.length - 1
      this.#waiting[last] = new Uint8Array(this.#waiting[last] ?? EMPTY)
    }
  }

  /**
   * The next packet, or undefined if more bytes are needed for it.
   *
   * @throws {MqttError} when what arrived is not MQTT, or breaks its rules
   */
  next(): Packet | undefined {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      return this.#next()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  #next(): Packet | undefined {
    if (this.#state === State.FirstByte) {
      const firstByte = this.#nextByte()
      if (firstByte === undefined) return undefined
      this.#firstByte = firstByte
      this.#type = readPacketType(firstByte, this.protocolVersion, this.#receiver)
      this.#flags = firstByte & 0x0f
      this.#remainingLength = 0
      this.#lengthBytes = 0
      this.#state = State.RemainingLength
    }
    if (this.#state === State.RemainingLength) {
      if (!this.#readRemainingLength()) return undefined
      this.#state = State.Body
    }
    const length = this.#remainingLength
    if (this.#collectedLength === 0 && this.#chunk.length - this.#offset >= length) {
      const start = this.#offset
      this.#offset = start + length
      // Below 0 if the fixed header began in an earlier chunk, and of no use if it is longer than it would be written.
      const packetStart = this.#isLengthPadded ? -1 : start - this.#lengthBytes - 1
      return this.#finish(this.#chunk, packetStart, start, length)
    }
    if (!this.#collect()) return undefined
    const collected = this.#collected
    this.#collected = EMPTY
    this.#collectedLength = 0
    return this.#finish(collected, -1, 0, length)
  }

  #finish(bytes: Uint8Array, packetStart: number, start: number, length: number): Packet {
    this.#reader.reset(bytes, start, start + length)
    const packet = this.#decode(packetStart)
    if (this.#reader.remaining > 0) throw malformed(`${packetTypeName(this.#type)} is longer than its fields`)
    this.#reader.release()
    this.#bufferedBytes -= 1 + this.#lengthBytes + length
    this.#state = State.FirstByte
    if (this.#offset === this.#chunk.length) this.#takeWaiting()
    return packet
  }

  #decode(packetStart: number): Packet {
    const version = this.protocolVersion
    if (version === undefined) return this.#decodeConnect()
    const reader = this.#reader
    const type = this.#type
    switch (type) {
      case PacketType.Publish:
        this.#topicNames ??= new TopicNameCache()
        return decodePublish(reader, packetStart, this.#flags, version, this.#receiver, this.#topicNames)
      case PacketType.Puback:
        return decodePuback(reader, version)
      case PacketType.Pubrec:
        return decodePubrec(reader, version)
      case PacketType.Pubrel:
        return decodePubrel(reader, version)
      case PacketType.Pubcomp:
        return decodePubcomp(reader, version)
      case PacketType.Connect:
        return this.#decodeConnect()
      case PacketType.Connack:
        return decodeConnack(reader, version)
      case PacketType.Subscribe:
        return decodeSubscribe(reader, version)
      case PacketType.Suback:
        return decodeSuback(reader, version)
      case PacketType.Unsubscribe:
        return decodeUnsubscribe(reader, version)
      case PacketType.Unsuback:
        return decodeUnsuback(reader, version)
      case PacketType.Pingreq:
        return PINGREQ
      case PacketType.Pingresp:
        return PINGRESP
      case PacketType.Disconnect:
        return decodeDisconnect(reader, version, this.#receiver)
      case PacketType.Auth:
        return decodeAuth(reader, this.#receiver)
      default:
        return unreachable(type)
    }
  }

  #decodeConnect(): Packet {
    const { answerVersion, isSupported } = decodeConnectProtocol(this.#reader)
    this.protocolVersion = answerVersion
    if (answerVersion === undefined || !isSupported) {
      throw new MqttError(ReasonCode.UnsupportedProtocolVersion, 'CONNECT with a protocol name or version that is not supported')
    }
    checkFlags(PacketType.Connect, this.#flags, answerVersion)
    if (this.#isLengthPadded) this.#checkPaddedLength()
    return decodeConnect(this.#reader, answerVersion)
  }

  /** @returns whether the Remaining Length is complete */
  #readRemainingLength(): boolean {
    for (;;) {
      const byte = this.#nextByte()
      if (byte === undefined) return false
      this.#remainingLength |= (byte & 0x7f) << (7 * this.#lengthBytes++)
      if (byte <= 0x7f) break
      // [5.0 1.5.5], [3.1.1 2.2.3]
      if (this.#lengthBytes === 4) throw malformed('The Remaining Length is longer than four bytes')
    }
    this.#isLengthPadded = this.#lengthBytes > variableByteIntegerLength(this.#remainingLength)
    if (this.#isLengthPadded && this.protocolVersion !== undefined) this.#checkPaddedLength()
    const packetSize = 1 + this.#lengthBytes + this.#remainingLength
    if (packetSize > this.#maximumPacketSize) {
      const limit = `the maximum of ${this.#maximumPacketSize}`
      throw new MqttError(ReasonCode.PacketTooLarge, `A packet of ${packetSize} bytes is larger than ${limit}`)
    }
    return true
  }

  // 3.1 and 3.1.1 do not ask for the shortest form, and there are clients that always send the same number of bytes.
  #checkPaddedLength(): void {
    // [5.0 MQTT-1.5.5-1]
    if (this.protocolVersion === ProtocolVersion.Mqtt5) throw malformed('The Remaining Length is not in its shortest form')
  }

  /**
   * Moves what has arrived of a body that spans chunks into #collected. That grows by doubling, so that neither many
   * small chunks cost more than their bytes, nor a length that is only claimed takes memory.
   *
   * @returns whether the body is complete
   */
  #collect(): boolean {
    const length = this.#remainingLength
    while (this.#collectedLength < length) {
      if (this.#offset === this.#chunk.length && !this.#takeWaiting()) return false
      const taken = Math.min(this.#chunk.length - this.#offset, length - this.#collectedLength)
      this.#growCollected(this.#collectedLength + taken)
      this.#collected.set(this.#chunk.subarray(this.#offset, this.#offset + taken), this.#collectedLength)
      this.#collectedLength += taken
      this.#offset += taken
    }
    return true
  }

  #growCollected(needed: number): void {
    if (needed <= this.#collected.length) return
    const size = Math.max(needed, this.#collected.length * 2, COLLECTED_SIZE_MIN)
    const grown = new Uint8Array(Math.min(size, this.#remainingLength))
    grown.set(this.#collected.subarray(0, this.#collectedLength))
    this.#collected = grown
  }

  #nextByte(): number | undefined {
    if (this.#offset === this.#chunk.length && !this.#takeWaiting()) return undefined
    return this.#chunk[this.#offset++]
  }

  /** Lets go of the chunk that is used up and goes on to the next. */
  #takeWaiting(): boolean {
    this.#chunk = EMPTY
    this.#offset = 0
    const chunk = this.#waiting[this.#waitingAt]
    if (chunk === undefined) return false
    this.#chunk = chunk
    this.#waiting[this.#waitingAt++] = EMPTY
    // Half of it used up: the cost of closing the gap is spread over as many chunks.
    if (this.#waitingAt * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingAt)
      this.#waitingAt = 0
    }
    return true
  }

  #fail(error: unknown): void {
    this.#failure = { error }
    this.#chunk = EMPTY
    this.#offset = 0
    this.#waiting = []
    this.#waitingAt = 0
    this.#collected = EMPTY
    this.#bufferedBytes = 0
    this.#reader.release()
  }
}
