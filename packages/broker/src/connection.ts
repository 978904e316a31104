import {
  type ConnackPacket,
  type ConnectPacket,
  MqttError,
  NO_PROPERTIES,
  type Packet,
  PacketDecoder,
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonCodeName,
  toConnectReturnCode
} from '@godwit/protocol'
import type { Transport, TransportReceiver } from '@godwit/transport'
import type { ClientIdentity, ConnectRequest } from './access.ts'
import type { Authenticating } from './authenticating.ts'
import type { Engine } from './engine.ts'
import { handlePacket } from './handle-packet.ts'
import type { Delivery } from './inflight.ts'
import { PacketSender, type SenderOwner } from './packet-sender.ts'
import { toConnectReasonCode, toDisconnectReasonCode } from './reason-codes.ts'
import type { Session } from './session.ts'
import type { Timer, TimerOwner } from './timers.ts'
import { InboundTopicAliases } from './topic-aliases.ts'

/** How long a peer may take to close after we have; then its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000

/** Why a connection ends, as its client is told where its version allows. */
export interface CloseReason {
  readonly reasonCode: ReasonCode
  readonly reason: string
  readonly serverReference?: string | undefined
}

/** What CONNECT and CONNACK have settled for the rest of a connection. */
export interface Agreement {
  readonly identity: ClientIdentity
  readonly session: Session
  /** Seconds, as the server enforces it: the client's, or the Server Keep Alive; 0: off. */
  readonly keepAliveSeconds: number
  /** What to authenticate again by; undefined: CONNECT named no Authentication Method. */
  readonly authentication: { readonly method: string; readonly request: ConnectRequest } | undefined
}

/**
 * One network connection, from its first byte to its close: packets come out of the decoder one by one and go to their
 * handlers; what these send goes by the sender. Only these two touch a transport.
 *
 * ```
 *   connecting ──CONNECT, authenticated──▷ accepted ──▷ closed
 *        └───────────── refused, timeout ───────────────▷ ┘
 * ```
 */
export class Connection implements TransportReceiver, SenderOwner, TimerOwner {
  readonly engine: Engine
  readonly transport: Transport
  readonly listener: string
  readonly decoder: PacketDecoder
  readonly sender: PacketSender
  readonly inboundAliases: InboundTopicAliases
  /** The exchange that is going on, at CONNECT or to re-authenticate. */
  authenticating: Authenticating | undefined
  /** The last topic name that was within the limits, authorized or not: most clients go on with it. */
  lastTopicName = ''
  readonly #timer: Timer
  #agreement: Agreement | undefined
  #lastReceivedAtMs: number
  #isHeld = false
  #isDraining = false
  #isWelcomed = false
  #isClosed = false
  #isCut = false
  /** QoS 2 messages that the session had from earlier connections: the client's quota began anew with this one ([5.0 4.9]). */
  #unreleasedBefore = 0

  /** @param listener the name of the listener that accepted it; '': it has none */
  constructor(engine: Engine, transport: Transport, listener = '') {
    this.engine = engine
    this.transport = transport
    this.listener = listener
    this.decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: engine.limits.packetBytesMax })
    this.inboundAliases = new InboundTopicAliases(engine.limits.topicAliasMaximum)
    this.sender = new PacketSender(engine, transport, this)
    this.#lastReceivedAtMs = engine.clock.now()
    this.#timer = engine.timers.create(this)
    engine.timers.set(this.#timer, this.#lastReceivedAtMs + engine.limits.connectTimeoutSeconds * 1000)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Undefined until the client is accepted. */
  get agreement(): Agreement | undefined {
    return this.#agreement
  }

  /** What the client speaks; 3.1.1 until it has told. */
  get protocolVersion(): ProtocolVersion {
    return this.decoder.protocolVersion ?? ProtocolVersion.Mqtt311
  }

  get isMqtt5(): boolean {
    return this.decoder.protocolVersion === ProtocolVersion.Mqtt5
  }

  /** QoS 1 and 2 messages of the client, on this connection, that are not yet answered to the end ([5.0 MQTT-3.3.4-7]). */
  get unansweredPublishes(): number {
    return this.sender.unansweredPublishes + (this.#agreement?.session.unreleased ?? 0) - this.#unreleasedBefore
  }

  onData(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#lastReceivedAtMs = this.engine.clock.now()
    this.engine.inputAtMs = this.#lastReceivedAtMs
    this.decoder.push(chunk)
    this.#handlePackets()
    this.decoder.keep()
  }

  onDrain(): void {
    this.sender.countUnsent()
    if (this.#isClosed) return
    this.#agreement?.session.pump()
    if (this.#isDraining) this.#goOn()
  }

  onClose(error: Error | undefined): void {
    this.engine.timers.clear(this.#timer)
    this.#recordUnsent(error)
    this.sender.release()
    const reason = error === undefined ? 'the client closed the network connection without DISCONNECT' : error.message
    this.#end({ reasonCode: ReasonCode.UnspecifiedError, reason }, false)
    this.engine.connections.delete(this)
    if (this.engine.connections.size === 0) this.engine.onAllClosed?.()
  }

  onTimer(): void {
    if (this.#isClosed) {
      this.cut()
      return
    }
    const agreement = this.#agreement
    if (agreement === undefined) {
      this.close({ reasonCode: ReasonCode.NotAuthorized, reason: 'the client was not accepted in time' })
      return
    }
    // [5.0 MQTT-3.1.2-22] [3.1.1 MQTT-3.1.2-24]; a client whose packets we hold back is not silent
    const silentMs = this.engine.clock.now() - this.#lastReceivedAtMs
    if (this.#isHeld) this.#lastReceivedAtMs = this.engine.clock.now()
    else if (silentMs >= agreement.keepAliveSeconds * 1500) {
      this.close({ reasonCode: ReasonCode.KeepAliveTimeout, reason: `nothing was received for ${Math.floor(silentMs / 1000)} s` })
      return
    }
    this.#setKeepAlive(agreement.keepAliveSeconds)
  }

  /** A QoS 2 message that waited for its commit may have been overtaken by an acknowledgement, or another connection. */
  sendsLate(delivery: Delivery): boolean {
    return this.#agreement?.session.inflight.sendsLate(delivery) === true
  }

  onAnswered(): void {
    if (this.#isDraining) this.#goOn()
  }

  onStuck(reasonCode: ReasonCode, reason: string): void {
    this.close({ reasonCode, reason })
  }

  /**
   * Holds the client's next packets back until something is known, so that their order is kept; then goes on.
   * A rejection becomes the connection's error.
   * @param abandon called instead of `proceed` if the connection has ended meanwhile
   */
  hold<T>(promise: Promise<T>, proceed: (value: T) => void, abandon?: () => void): void {
    this.#isHeld = true
    this.transport.pause()
    promise.then(
      (value) => (this.#isClosed ? abandon?.() : this.#release(() => proceed(value))),
      (error: unknown) =>
        this.#release(() => {
          throw error
        })
    )
  }

  /** The client is accepted: its session sends from here on, and its keep alive runs. */
  accept(agreement: Agreement, connect: ConnectPacket): void {
    const { engine } = this
    engine.clients.set(agreement.identity.clientId, this)
    const { topicAliasMaximum = 0, requestProblemInformation = true } = connect.properties
    this.#agreement = agreement
    this.#unreleasedBefore = agreement.session.unreleased
    this.sender.open(Math.min(topicAliasMaximum, engine.limits.topicAliasMaximum), requestProblemInformation)
    this.#setKeepAlive(agreement.keepAliveSeconds)
  }

  /**
   * Sends the CONNACK that lets the client in.
   * @throws MqttError if it is too large for the client, which could not go on without it
   */
  welcome(connack: ConnackPacket): void {
    if (!this.sender.sendNow(connack)) {
      throw new MqttError(ReasonCode.PacketTooLarge, 'CONNACK is above the Maximum Packet Size of the client')
    }
    this.#isWelcomed = true
  }

  /** Refuses the client, or ends its connection, as its version allows: CONNACK or DISCONNECT, then close. */
  close(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#announceClose(reason)
    this.#end(reason, false)
    this.#closeTransport()
  }

  /** Ends the connection at once: what the client has not taken yet is lost. */
  cut(): void {
    this.#isCut = true
    this.transport.destroy()
  }

  /** The client has said DISCONNECT. */
  closedByClient(reason: CloseReason): void {
    this.#end(reason, true)
    this.#closeTransport()
  }

  /** Ends the connection for something that went wrong while its packets were handled. */
  fail(error: unknown): void {
    if (error instanceof MqttError) {
      this.close({ reasonCode: error.reasonCode, reason: error.message })
      return
    }
    const { clientId } = this.#agreement?.identity ?? { clientId: '' }
    this.engine.logger.error({ err: error, clientId, peer: this.transport.peer.address }, 'a packet could not be handled')
    this.close({ reasonCode: ReasonCode.ImplementationSpecificError, reason: 'the broker failed to handle a packet' })
  }

  #handlePackets(): void {
    if (this.#isHeld || this.#isDraining) return
    let packet: Packet | undefined
    try {
      while (!this.#isClosed && !this.#isHeld) {
        if (this.#mustDrain()) {
          this.#isDraining = true
          this.transport.pause()
          return
        }
        packet = undefined
        packet = this.decoder.next()
        if (packet === undefined) break
        this.engine.traffic.packetsReceived++
        handlePacket(this, packet)
      }
    } catch (error) {
      this.#recordInvalid(packet, error)
      this.fail(error)
      return
    }
    this.#agreement?.session.pumpIfNeeded()
  }

  /** Whether the client has so many answers coming that it is not read from until it has taken some. */
  #mustDrain(): boolean {
    const { sender } = this
    if (sender.waitingResponses > this.engine.limits.receiveMaximum) return true
    if (!sender.isCongested) return false
    sender.flush()
    return sender.isCongested
  }

  #goOn(): void {
    this.#isDraining = false
    if (this.#isHeld) return
    this.transport.resume()
    this.engine.inputAtMs = this.engine.clock.now()
    this.#handlePackets()
  }

  #release(proceed: () => void): void {
    this.#isHeld = false
    if (this.#isClosed) return
    this.engine.inputAtMs = this.engine.clock.now()
    try {
      proceed()
    } catch (error) {
      this.fail(error)
      return
    }
    if (this.#isHeld) return
    if (!this.#isDraining) this.transport.resume()
    this.#handlePackets()
  }

  #announceClose({ reasonCode, reason, serverReference }: CloseReason): void {
    // [5.0 MQTT-3.14.0-1]
    if (!this.#isWelcomed) this.#refuse(reasonCode, reason, serverReference)
    else if (this.isMqtt5) {
      this.sender.sendNow({
        type: PacketType.Disconnect,
        reasonCode: toDisconnectReasonCode(reasonCode),
        properties: { reasonString: reason, serverReference }
      })
    }
  }

  #refuse(reasonCode: ReasonCode, reason: string, serverReference: string | undefined): void {
    if (this.decoder.protocolVersion === undefined) return
    if (this.isMqtt5) {
      this.sender.sendNow({
        type: PacketType.Connack,
        sessionPresent: false,
        reasonCode: toConnectReasonCode(reasonCode),
        properties: { reasonString: reason, serverReference }
      })
      return
    }
    // [3.1.1 MQTT-3.2.2-6] if no return code fits, the connection is closed without CONNACK
    const returnCode = toConnectReturnCode(reasonCode)
    if (returnCode === undefined) return
    this.sender.sendNow({ type: PacketType.Connack, sessionPresent: false, reasonCode: returnCode, properties: NO_PROPERTIES })
  }

  #closeTransport(): void {
    this.sender.close()
    this.transport.end()
    this.engine.timers.set(this.#timer, this.engine.clock.now() + CLOSE_TIMEOUT_MS)
  }

  /** Messages that wait in the write buffer are lost, unless the connection was ended in order, which waits for them. */
  #recordUnsent(error: Error | undefined): void {
    if (this.#isClosed && !this.#isCut && error === undefined) return
    const { clientId } = this.#agreement?.identity ?? { clientId: '' }
    this.engine.fates.recordMany('connection-lost', this.sender.unsentMessages, '', clientId)
  }

  /** A packet has ended the connection. Strangers are not counted: nothing was taken from them. */
  #recordInvalid(packet: Packet | undefined, error: unknown): void {
    const isPublish = packet === undefined ? this.decoder.isAtPublish : packet.type === PacketType.Publish
    if (!isPublish || this.#agreement === undefined) return
    const { fates } = this.engine
    const { clientId } = this.#agreement.identity
    const fate = error instanceof MqttError ? 'invalid-publish' : 'broker-failed'
    const reason = error instanceof Error ? error.message : String(error)
    if (packet?.type === PacketType.Publish) fates.record(fate, packet, clientId, reason)
    else fates.recordMany(fate, 1, '', clientId, reason)
  }

  /** What had come behind the end of the connection is not handled any more. */
  #recordUnhandled(clientId: string): void {
    try {
      for (let packet = this.decoder.next(); packet !== undefined; packet = this.decoder.next()) {
        if (packet.type === PacketType.Publish) this.engine.fates.record('publisher-gone', packet, clientId)
      }
    } catch {
      // It was not MQTT, and ends with the connection.
    }
  }

  /** Once per connection: gives up what belongs to it, and lets its session go on or end. */
  #end({ reasonCode, reason }: CloseReason, byClient: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.authenticating = undefined
    const { engine, transport } = this
    const { peer } = transport
    const agreement = this.#agreement
    if (agreement === undefined) {
      engine.tell((events) => events.emit('connectionRefused', { clientId: '', reasonCode, reason, peer }))
      engine.logger.info({ peer: peer.address, reasonCode: reasonCodeName(reasonCode), reason }, 'connection not accepted')
      return
    }
    const { clientId } = agreement.identity
    if (engine.clients.get(clientId) === this) engine.clients.delete(clientId)
    this.#recordUnhandled(clientId)
    engine.sessions.connectionClosed(agreement.session)
    engine.tell((events) => events.emit('clientDisconnected', { clientId, reasonCode, reason, byClient, peer }))
    engine.logger.info({ clientId, peer: peer.address, reasonCode: reasonCodeName(reasonCode), reason }, 'client disconnected')
  }

  #setKeepAlive(keepAliveSeconds: number): void {
    const timeoutMs = keepAliveSeconds === 0 ? Infinity : keepAliveSeconds * 1500
    this.engine.timers.set(this.#timer, this.#lastReceivedAtMs + timeoutMs)
  }
}
