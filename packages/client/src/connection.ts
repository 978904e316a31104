import {
  type AcknowledgementType,
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
import type { Transport } from '@godwit/transport'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { KeepAlive } from './keep-alive.ts'
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
  startKeepAlive(keepAliveSeconds: number, pingTimeoutMs: number): void {
    this.#keepAlive = new KeepAlive({
      clock: this.#clock,
      keepAliveMs: keepAliveSeconds * 1000 * KEEP_ALIVE_SHARE,
      pingTimeoutMs,
      ping: () => this.send({ type: PacketType.Pingreq }),
      onTimeout: () => this.fail(new ClientError('keep-alive-timeout', 'The server has not answered PINGREQ in time'))
    })
    this.#keepAlive.isPaused = this.#isPaused
  }

  /** @throws {RangeError} for what cannot be written */
  send(packet: Packet): void {
    this.sendEncoded(encodePacket(packet, this.protocolVersion))
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
    const properties = this.isMqtt5 ? { sessionExpiryInterval } : NO_PROPERTIES
    this.send({ type: PacketType.Disconnect, reasonCode, properties })
    this.#end()
  }

  /** Closes at once; `onClose` follows with this error. */
  fail(error: ClientError): void {
    this.#error ??= error
    this.#keepAlive?.stop()
    this.#transport.destroy()
  }

  /** [5.0 4.13]: says why, where the version can, and closes. */
  failWith(error: MqttError): void {
    if (this.#isClosed) return
    this.#error ??= new ClientError('protocol-error', error.message, { cause: error, reasonCode: error.reasonCode })
    const { reasonCode } = error
    if (this.isMqtt5 && !this.#isFirstPacket && isDisconnectReasonCode(reasonCode)) {
      this.send({ type: PacketType.Disconnect, reasonCode, properties: { reasonString: error.message } })
    }
    this.#end()
  }

  #end(): void {
    this.#flush()
    this.#isClosed = true
    this.#keepAlive?.stop()
    this.#transport.end()
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#keepAlive?.received()
    if (this.#isFirstPacket && this.isMqtt5 && isOldConnack(chunk)) {
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
      if (!(error instanceof MqttError)) throw error
      this.failWith(error)
    } finally {
      this.#isDecoding = false
    }
  }

  #onDrain(): void {
    this.#isCongested = false
    this.#receiver.onDrain()
  }

  #onClose(error: Error | undefined): void {
    this.#keepAlive?.stop()
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

/**
 * A server of 3.1.1 refuses 5.0 with a CONNACK of its own version, which has no properties ([3.1.1 MQTT-3.1.2-2]): two bytes long, where one of
 * 5.0 has at least three.
 */
function isOldConnack(chunk: Uint8Array): boolean {
  return chunk[0] === PacketType.Connack << 4 && chunk[1] === 2
}
