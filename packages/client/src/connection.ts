import {
  type AcknowledgementType,
  type DisconnectProperties,
  type DisconnectReasonCode,
  encodePacket,
  isDisconnectReasonCode,
  MqttError,
  NO_PROPERTIES,
  type Packet,
  PacketDecoder,
  PacketType,
  ProtocolVersion,
  ReasonCode
} from '@godwit/protocol'
import type { Transport } from '@godwit/transport/browser'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { KeepAlive } from './keep-alive.ts'
import { CLOSE_TIMEOUT_MS, PING_TIMEOUT_MS } from './limits.ts'
import { OutputBuffer } from './output-buffer.ts'

/** A PINGREQ leaves this much before its time: "does not exceed" has no room for a timer that is late [5.0 MQTT-3.1.2-20]. */
const KEEP_ALIVE_SHARE = 0.9

export interface ConnectionOptions {
  readonly protocolVersion: ProtocolVersion
  /** That we announce; larger packets are a protocol error. */
  readonly maximumPacketSize: number
  readonly clock: Clock
}

/** Who is told of what happens on a connection. It may be replaced, once CONNACK has come. */
export interface ConnectionReceiver {
  /** What it throws as an `MqttError` ends the connection with that Reason Code. */
  onPacket(packet: Packet): void
  /** The server takes bytes again, after `isCongested`. */
  onDrain(): void
  /** Once, after everything else; undefined: we closed it. */
  onClose(error: ClientError | undefined): void
}

/** One network connection: packets in, packets out. What was sent in one turn of the event loop leaves in one write at its end. */
export class Connection {
  readonly protocolVersion: ProtocolVersion
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #output = new OutputBuffer()
  readonly #decoder: PacketDecoder
  #receiver: ConnectionReceiver
  #keepAlive: KeepAlive | undefined = undefined
  #isFlushScheduled = false
  #isCongested = false
  #isClosed = false
  #isPaused = false
  #isDecoding = false
  #error: ClientError | undefined = undefined
  #isFirstPacket = true
  readonly #firstBytes: number[] = []
  #serverMaximumPacketSize = Infinity
  #cancelEnd: (() => void) | undefined = undefined

  constructor(transport: Transport, options: ConnectionOptions, receiver: ConnectionReceiver) {
    this.protocolVersion = options.protocolVersion
    this.#transport = transport
    this.#clock = options.clock
    this.#receiver = receiver
    this.#decoder = new PacketDecoder({
      receiver: 'client',
      protocolVersion: options.protocolVersion,
      maximumPacketSize: options.maximumPacketSize
    })
    transport.start({
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onClose(error)
    })
  }

  get isMqtt5(): boolean {
    return this.protocolVersion === ProtocolVersion.Mqtt5
  }

  /** The server reads more slowly than we write: what can wait should, until `onDrain`. */
  get isCongested(): boolean {
    return this.#isCongested
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Who is told from here on. */
  set receiver(receiver: ConnectionReceiver) {
    this.#receiver = receiver
  }

  /** @param keepAliveSeconds that is in force; 0: none */
  startKeepAlive(keepAliveSeconds: number, pingTimeoutMs: number | undefined): void {
    this.#keepAlive = new KeepAlive({
      clock: this.#clock,
      keepAliveMs: keepAliveSeconds * 1000 * KEEP_ALIVE_SHARE,
      pingTimeoutMs: pingTimeoutMs ?? Math.min(PING_TIMEOUT_MS, keepAliveSeconds * 1000),
      ping: () => this.send({ type: PacketType.Pingreq }),
      onTimeout: () => this.fail(new ClientError('keep-alive-timeout', 'The server has not answered PINGREQ in time'))
    })
    this.#keepAlive.isPaused = this.#isPaused
  }

  /** What the server takes: from here on `send` gives it no larger packet. */
  set serverMaximumPacketSize(bytes: number) {
    this.#serverMaximumPacketSize = bytes
  }

  /** @throws {ClientError} `invalid-argument` for what cannot be written, `packet-too-large` for what the server does not take */
  send(packet: Packet): void {
    this.sendEncoded(this.#encode(packet))
  }

  sendEncoded(packet: Uint8Array): void {
    if (this.#isClosed) return
    this.#output.append(packet)
    this.#scheduleFlush()
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP with Reason Code Success. */
  acknowledge(type: AcknowledgementType, packetIdentifier: number): void {
    if (this.#isClosed) return
    this.#output.acknowledge(type, packetIdentifier)
    this.#scheduleFlush()
  }

  /** Handles no more packets and reads no more, so that the server is held back by the transport. */
  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#transport.pause()
    if (this.#keepAlive !== undefined) this.#keepAlive.isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.#keepAlive !== undefined) this.#keepAlive.isPaused = false
    this.#decode()
    if (!this.#isPaused) this.#transport.resume()
  }

  /** Sends what there is to send, with a DISCONNECT behind it, and closes. `onClose` follows. */
  disconnect(reasonCode: DisconnectReasonCode, sessionExpiryInterval: number | undefined): void {
    if (this.#isClosed) return
    this.#sendDisconnect(reasonCode, this.isMqtt5 ? { sessionExpiryInterval } : NO_PROPERTIES)
    this.#end()
  }

  /** Closes at once; `onClose` follows with this error. */
  fail(error: ClientError): void {
    this.#error ??= error
    this.#isClosed = true
    this.#keepAlive?.stop()
    this.#transport.destroy()
  }

  /** [5.0 4.13]: says why, where the version can, and closes. */
  failWith(error: MqttError): void {
    if (this.#isClosed) return
    this.#error ??= new ClientError('protocol-error', error.message, { cause: error, reasonCode: error.reasonCode })
    const { reasonCode } = error
    if (this.isMqtt5 && !this.#isFirstPacket && isDisconnectReasonCode(reasonCode)) {
      this.#sendDisconnect(reasonCode, { reasonString: error.message })
    }
    this.#end()
  }

  /** [5.0 MQTT-3.14.2-3]: without its properties where they do not fit, and not at all where nothing fits. */
  #sendDisconnect(reasonCode: DisconnectReasonCode, properties: DisconnectProperties): void {
    for (const each of [properties, NO_PROPERTIES]) {
      try {
        this.send({ type: PacketType.Disconnect, reasonCode, properties: each })
        return
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
      }
    }
  }

  #encode(packet: Packet): Uint8Array {
    let encoded: Uint8Array
    try {
      encoded = encodePacket(packet, this.protocolVersion)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new ClientError('invalid-argument', `The packet cannot be written: ${error.message}`, { cause: error })
    }
    // [5.0 MQTT-3.2.2-15]
    const maximum = this.#serverMaximumPacketSize
    if (encoded.byteLength <= maximum) return encoded
    throw new ClientError(
      'packet-too-large',
      `The server takes packets up to ${maximum} bytes, not one of ${encoded.byteLength} bytes`
    )
  }

  #end(): void {
    this.#flush()
    this.#isClosed = true
    this.#keepAlive?.stop()
    this.#transport.end()
    // A server that does not read what is written would keep the connection open for ever.
    this.#cancelEnd = this.#clock.at(this.#clock.now() + CLOSE_TIMEOUT_MS, () => this.#transport.destroy())
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#keepAlive?.received()
    if (this.#isFirstPacket && this.isMqtt5 && this.#isOldConnack(chunk)) {
      const reasonCode = ReasonCode.UnsupportedProtocolVersion
      this.fail(new ClientError('connection-refused', 'The server does not speak MQTT 5.0', { reasonCode }))
      return
    }
    this.#decoder.push(chunk)
    this.#decode()
    // The transport may write others to the chunk from here on.
    this.#decoder.keep()
  }

  /** Handles the packets that are whole, until there are no more or someone asks for a pause. */
  #decode(): void {
    if (this.#isDecoding) return
    this.#isDecoding = true
    try {
      while (!this.#isPaused && !this.#isClosed) {
        const packet = this.#decoder.next()
        if (packet === undefined) break
        this.#isFirstPacket = false
        this.#receiver.onPacket(packet)
      }
    } catch (error) {
      if (error instanceof ClientError) this.fail(error)
      else if (error instanceof MqttError) this.failWith(error)
      else throw error
    } finally {
      this.#isDecoding = false
    }
  }

  /**
   * A server of 3.1.1 refuses 5.0 with a CONNACK of its own version, which has no properties ([3.1.1 MQTT-3.1.2-2]): two bytes long, where one
   * of 5.0 has at least three.
   */
  #isOldConnack(chunk: Uint8Array): boolean {
    this.#firstBytes.push(...chunk.subarray(0, 2 - this.#firstBytes.length))
    const [firstByte, remainingLength] = this.#firstBytes
    return firstByte === PacketType.Connack << 4 && remainingLength === 2
  }

  #onDrain(): void {
    this.#isCongested = false
    this.#receiver.onDrain()
  }

  #onClose(error: Error | undefined): void {
    this.#keepAlive?.stop()
    this.#cancelEnd?.()
    const wasAsked = this.#isClosed
    this.#isClosed = true
    if (this.#error === undefined && !wasAsked) {
      const why = error === undefined ? 'The server closed the connection' : `The connection was lost: ${error.message}`
      this.#error = new ClientError('connection-lost', why, error === undefined ? {} : { cause: error })
    }
    this.#receiver.onClose(this.#error)
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    this.#clock.defer(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushScheduled = false
    if (this.#isClosed || this.#output.isEmpty) return
    this.#keepAlive?.sent()
    if (!this.#output.flush(this.#transport)) this.#isCongested = true
  }
}
