import {
  type AcknowledgementType,
  type ConnackPacket,
  type ConnectPacket,
  encodePacket,
  MqttError,
  NO_PROPERTIES,
  type Packet,
  PacketDecoder,
  PacketType,
  ProtocolVersion,
  type QoS,
  ReasonCode,
  reasonCodeName,
  toConnectReturnCode
} from '@godwit/protocol'
import type { CommitNumber } from '@godwit/storage'
import type { Transport, TransportReceiver } from '@godwit/transport'
import type { ClientIdentity, ConnectRequest } from './access.ts'
import type { Authenticating } from './authenticating.ts'
import type { CommitWaiter } from './commits.ts'
import { alwaysMayExplain, withoutDiagnostics } from './diagnostics.ts'
import type { Engine } from './engine.ts'
import { handlePacket } from './handle-packet.ts'
import type { Delivery } from './inflight.ts'
import type { Message } from './message.ts'
import { OutputBuffer } from './output-buffer.ts'
import { PublishWriter } from './publish-writer.ts'
import { toConnectReasonCode, toDisconnectReasonCode } from './reason-codes.ts'
import { Responses } from './responses.ts'
import type { Session } from './session.ts'
import type { Timer } from './timers.ts'
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
  readonly request: ConnectRequest
  readonly session: Session
  /** The client's Receive Maximum. */
  readonly receiveMaximum: number
  /** Seconds, as the server enforces it: the client's, or the Server Keep Alive; 0: off. */
  readonly keepAliveSeconds: number
  /** False: Reason Strings and User Properties only on PUBLISH, CONNACK and DISCONNECT ([5.0 MQTT-3.1.2-29]). */
  readonly requestProblemInformation: boolean
  readonly authenticationMethod: string | undefined
}

/**
 * One network connection, from its first byte to its close. Only here a transport is touched: packets come out of the
 * decoder one by one, go to their handlers, and what these send is written once per event-loop turn.
 *
 * ```
 *   connecting ──CONNECT, authenticated──▷ accepted ──▷ closed
 *        └───────────── refused, timeout ───────────────▷ ┘
 * ```
 */
export class Connection implements TransportReceiver, CommitWaiter {
  readonly engine: Engine
  readonly transport: Transport
  readonly decoder: PacketDecoder
  inboundAliases: InboundTopicAliases
  /** The exchange that is going on, at CONNECT or to re-authenticate. */
  authenticating: Authenticating | undefined
  readonly #output: OutputBuffer
  readonly #responses: Responses
  readonly #timer: Timer
  #publishWriter: PublishWriter | undefined
  #agreement: Agreement | undefined
  #packetBytesMax = Infinity
  #lastReceivedAtMs: number
  #unsentBytes = 0
  #isHeld = false
  #isDraining = false
  #isFlushScheduled = false
  #isWelcomed = false
  #isClosed = false
  #waitsForCommit: CommitNumber = 0
  /** QoS 2 messages that the session had from earlier connections: the client's quota began anew with this one ([5.0 4.9]). */
  #unreleasedBefore = 0

  constructor(engine: Engine, transport: Transport) {
    this.engine = engine
    this.transport = transport
    this.decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: engine.limits.packetBytesMax })
    this.inboundAliases = new InboundTopicAliases(engine.limits.topicAliasMaximum)
    this.#output = new OutputBuffer(engine.slabs)
    this.#responses = new Responses(this.#output)
    this.#lastReceivedAtMs = engine.clock.now()
    this.#timer = engine.timers.create(() => this.#onTimer())
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
    return this.#responses.unanswered + (this.#agreement?.session.received.size ?? 0) - this.#unreleasedBefore
  }

  /** Whether the client reads so slowly that nothing more should be sent to it for now. */
  get isCongested(): boolean {
    return this.#unsentBytes + this.#output.byteLength > this.engine.writeBuffers.eachMax
  }

  onData(chunk: Uint8Array): void {
    if (this.#isClosed) return
    this.#lastReceivedAtMs = this.engine.clock.now()
    this.decoder.push(chunk)
    this.#handlePackets()
  }

  onDrain(): void {
    this.#countUnsent()
    if (this.#isClosed) return
    this.#agreement?.session.pump()
    if (this.#isDraining) this.#goOn()
  }

  onClose(error: Error | undefined): void {
    this.engine.timers.clear(this.#timer)
    this.engine.writeBuffers.changed(-this.#unsentBytes)
    this.#unsentBytes = 0
    const reason = error === undefined ? 'the client closed the network connection without DISCONNECT' : error.message
    this.#end({ reasonCode: ReasonCode.UnspecifiedError, reason }, false)
    this.engine.connections.delete(this)
    if (this.engine.connections.size === 0) this.engine.onAllClosed?.()
  }

  onCommitted(commit: CommitNumber): void {
    if (this.#isClosed) return
    this.#responses.release(commit, (delivery) => this.#sendIfInFlight(delivery))
    this.#scheduleFlush()
    if (this.#isDraining) this.#goOn()
  }

  onCommitFailed(error: Error): void {
    this.close({ reasonCode: ReasonCode.ImplementationSpecificError, reason: `the store failed: ${error.message}` })
  }

  /**
   * Holds the client's next packets back until something is known, so that their order is kept; then goes on.
   * A rejection becomes the connection's error.
   */
  hold<T>(promise: Promise<T>, proceed: (value: T) => void): void {
    this.#isHeld = true
    this.transport.pause()
    promise.then(
      (value) => this.#release(() => proceed(value)),
      (error: unknown) =>
        this.#release(() => {
          throw error
        })
    )
  }

  /** The client has told its Maximum Packet Size: nothing larger is sent from here on ([5.0 MQTT-3.1.2-24]). */
  limitPackets(maximumPacketSize: number): void {
    this.#packetBytesMax = maximumPacketSize
  }

  /** The client is accepted: its session sends from here on, and its keep alive runs. */
  accept(agreement: Agreement, connect: ConnectPacket): void {
    const { engine } = this
    engine.clients.set(agreement.identity.clientId, this)
    const { topicAliasMaximum } = connect.properties
    this.#agreement = agreement
    this.#unreleasedBefore = agreement.session.received.size
    this.#publishWriter = new PublishWriter(
      this.#output,
      this.protocolVersion,
      this.#packetBytesMax,
      Math.min(topicAliasMaximum ?? 0, engine.limits.topicAliasMaximum),
      () => engine.clock.now()
    )
    this.#setKeepAlive(agreement.keepAliveSeconds)
  }

  /**
   * Sends the CONNACK that lets the client in.
   * @throws MqttError if it is too large for the client, which could not go on without it
   */
  welcome(connack: ConnackPacket): void {
    const bytes = this.#encodeToFit(connack)
    if (bytes === undefined) {
      throw new MqttError(ReasonCode.PacketTooLarge, 'CONNACK is above the Maximum Packet Size of the client')
    }
    this.#isWelcomed = true
    this.#output.append(bytes)
    this.#scheduleFlush()
  }

  /** Answers with a packet; if the store has to keep something first, once that is durable. */
  respond(packet: Packet, isStored: boolean): void {
    const bytes = this.#encodeToFit(packet)
    if (bytes === undefined) return
    if (!isStored && this.#responses.isEmpty) {
      this.#output.append(bytes)
      this.#scheduleFlush()
    } else {
      this.#responses.add({ commit: this.#commitToWaitFor(isStored), bytes })
    }
  }

  /** Answers with a PUBACK, PUBREC, PUBREL or PUBCOMP of success. */
  acknowledge(type: AcknowledgementType, packetIdentifier: number, isStored: boolean): void {
    if (!isStored && this.#responses.isEmpty) {
      this.#responses.writeAcknowledgement(type, packetIdentifier)
      this.#scheduleFlush()
    } else {
      this.#responses.add({ commit: this.#commitToWaitFor(isStored), acknowledgement: type, packetIdentifier })
    }
  }

  /** Sends a packet ahead of any answers that wait: AUTH, PINGRESP, DISCONNECT, a CONNACK that refuses. */
  sendNow(packet: Packet): void {
    const bytes = this.#encodeToFit(packet)
    if (bytes === undefined) return
    this.#output.append(bytes)
    this.#scheduleFlush()
  }

  /** Whether the client's Maximum Packet Size allows a message ([5.0 MQTT-3.1.2-24]). */
  takes(delivery: Delivery): boolean {
    return this.#publishWriter?.takes(delivery.message, delivery.qos, delivery.subscriptionIdentifiers) ?? false
  }

  /** Sends a message; false if it is too large for the client. */
  sendPublish(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[],
    packetIdentifier: number,
    dup: boolean
  ): boolean {
    const writer = this.#publishWriter
    if (writer === undefined || !writer.takes(message, qos, subscriptionIdentifiers)) return false
    writer.write(message, qos, retain, dup, packetIdentifier, subscriptionIdentifiers)
    this.#scheduleFlush()
    return true
  }

  /** Sends a message that is in flight, with DUP if it was sent before ([5.0 MQTT-3.3.1-1], [3.1.1 MQTT-3.3.1-1]). */
  sendDelivery(delivery: Delivery): void {
    const { message, qos, retain, packetIdentifier, subscriptionIdentifiers, wasSent } = delivery
    delivery.wasSent = true
    this.#publishWriter?.write(message, qos, retain, wasSent, packetIdentifier, subscriptionIdentifiers)
    this.#scheduleFlush()
  }

  /** Sends a message once the commit that is gathering is durable. */
  sendAfterCommit(delivery: Delivery): void {
    this.#responses.add({ commit: this.#commitToWaitFor(true), delivery })
  }

  sendPubrel(packetIdentifier: number): void {
    this.acknowledge(PacketType.Pubrel, packetIdentifier, false)
  }

  /** Writes what this turn has brought. */
  flush(): void {
    this.#isFlushScheduled = false
    this.#output.flush(this.transport)
    this.#countUnsent()
  }

  /** Refuses the client, or ends its connection, as its version allows: CONNACK or DISCONNECT, then close. */
  close(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#announceClose(reason)
    this.#end(reason, false)
    this.#closeTransport()
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
    try {
      while (!this.#isClosed && !this.#isHeld) {
        if (this.#mustDrain()) {
          this.#isDraining = true
          this.transport.pause()
          return
        }
        const packet = this.decoder.next()
        if (packet === undefined) break
        handlePacket(this, packet)
      }
    } catch (error) {
      this.fail(error)
      return
    }
    this.#agreement?.session.pumpIfNeeded()
  }

  /** Whether the client has so many answers coming that it is not read from until it has taken some. */
  #mustDrain(): boolean {
    if (this.#responses.length > this.engine.limits.receiveMaximum) return true
    if (!this.isCongested) return false
    this.flush()
    return this.isCongested
  }

  #goOn(): void {
    this.#isDraining = false
    if (this.#isHeld) return
    this.transport.resume()
    this.#handlePackets()
  }

  #release(proceed: () => void): void {
    this.#isHeld = false
    if (this.#isClosed) return
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

  #sendIfInFlight(delivery: Delivery): void {
    if (this.#agreement?.session.inflight.sendsLate(delivery) === true) this.sendDelivery(delivery)
  }

  #commitToWaitFor(isStored: boolean): CommitNumber {
    const { store, commits } = this.engine
    if (!isStored) return 0
    const commit = store.gatheringCommit
    if (this.#waitsForCommit !== commit) {
      this.#waitsForCommit = commit
      commits.wait(commit, this)
    }
    return commit
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isClosed) return
    this.#isFlushScheduled = true
    this.engine.flushes.schedule(this)
  }

  #countUnsent(): void {
    const { bufferedBytes } = this.transport
    if (bufferedBytes === this.#unsentBytes) return
    this.engine.writeBuffers.changed(bufferedBytes - this.#unsentBytes)
    this.#unsentBytes = bufferedBytes
  }

  /** Encodes a packet for this client, without its Reason String and User Properties where they must not be sent. */
  #encodeToFit(packet: Packet): Uint8Array | undefined {
    const wantsDiagnostics = this.#agreement?.requestProblemInformation !== false || alwaysMayExplain(packet)
    const full = encodePacket(wantsDiagnostics ? packet : withoutDiagnostics(packet), this.protocolVersion)
    if (full.byteLength <= this.#packetBytesMax) return full
    const bare = encodePacket(withoutDiagnostics(packet), this.protocolVersion)
    return bare.byteLength <= this.#packetBytesMax ? bare : undefined
  }

  #announceClose({ reasonCode, reason, serverReference }: CloseReason): void {
    // [5.0 MQTT-3.14.0-1]
    if (!this.#isWelcomed) this.#refuse(reasonCode, reason, serverReference)
    else if (this.isMqtt5) {
      this.sendNow({
        type: PacketType.Disconnect,
        reasonCode: toDisconnectReasonCode(reasonCode),
        properties: { reasonString: reason, serverReference }
      })
    }
  }

  #refuse(reasonCode: ReasonCode, reason: string, serverReference: string | undefined): void {
    if (this.decoder.protocolVersion === undefined) return
    if (this.isMqtt5) {
      this.sendNow({
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
    this.sendNow({ type: PacketType.Connack, sessionPresent: false, reasonCode: returnCode, properties: NO_PROPERTIES })
  }

  #closeTransport(): void {
    this.#output.flush(this.transport)
    this.#countUnsent()
    this.transport.end()
    this.engine.timers.set(this.#timer, this.engine.clock.now() + CLOSE_TIMEOUT_MS)
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
      engine.events.emit('connectionRefused', { clientId: '', reasonCode, reason, peer })
      engine.logger.info({ peer: peer.address, reasonCode: reasonCodeName(reasonCode), reason }, 'connection not accepted')
      return
    }
    const { clientId } = agreement.identity
    if (engine.clients.get(clientId) === this) engine.clients.delete(clientId)
    engine.sessions.connectionClosed(agreement.session)
    engine.events.emit('clientDisconnected', { clientId, reasonCode, reason, byClient, peer })
    engine.logger.info({ clientId, peer: peer.address, reasonCode: reasonCodeName(reasonCode), reason }, 'client disconnected')
  }

  #setKeepAlive(keepAliveSeconds: number): void {
    const timeoutMs = keepAliveSeconds === 0 ? Infinity : keepAliveSeconds * 1500
    this.engine.timers.set(this.#timer, this.#lastReceivedAtMs + timeoutMs)
  }

  #onTimer(): void {
    if (this.#isClosed) {
      this.transport.destroy()
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
}
