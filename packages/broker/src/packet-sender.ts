import {
  type AcknowledgementType,
  encodePacket,
  type Packet,
  PacketType,
  type ProtocolVersion,
  type QoS,
  ReasonCode
} from '@godwit/protocol'
import type { CommitNumber } from '@godwit/storage'
import type { Transport } from '@godwit/transport'
import type { CommitWaiter } from './commits.ts'
import { alwaysMayExplain, withoutDiagnostics } from './diagnostics.ts'
import type { Engine } from './engine.ts'
import type { Delivery } from './inflight.ts'
import type { Message } from './message.ts'
import { OutputBuffer } from './output-buffer.ts'
import { PublishWriter } from './publish-writer.ts'
import { Responses } from './responses.ts'

/** What a sender is given to know of its client. */
export interface SenderOwner {
  /** 3.1.1 until the client has told. */
  readonly protocolVersion: ProtocolVersion
  /** Whether a message that waited for its commit is still to be sent. */
  sendsLate(delivery: Delivery): boolean
  /** A commit that the client waited for is durable, and its answers are on their way. */
  onAnswered(): void
  /** The client cannot go on: a commit it waited for has failed, or an answer is larger than it takes. */
  onStuck(reasonCode: ReasonCode, reason: string): void
}

/**
 * Sends packets to one client: encoded for its version and within its Maximum Packet Size, answers in order and not
 * before the commit they wait for, and all of it written once per event-loop turn.
 */
export class PacketSender implements CommitWaiter {
  readonly #engine: Engine
  readonly #transport: Transport
  readonly #owner: SenderOwner
  readonly #output: OutputBuffer
  readonly #responses: Responses
  #publishWriter: PublishWriter | undefined
  #packetBytesMax = Infinity
  #explains = true
  #unsentBytes = 0
  #isFlushScheduled = false
  #isClosed = false
  /** The transport is gone: what it held is not counted any longer. */
  #isReleased = false
  #waitsForCommit: CommitNumber = 0

  constructor(engine: Engine, transport: Transport, owner: SenderOwner) {
    this.#engine = engine
    this.#transport = transport
    this.#owner = owner
    this.#output = new OutputBuffer(engine.slabs)
    this.#responses = new Responses(this.#output)
  }

  /** Whether the client reads so slowly that nothing more should be sent to it for now. */
  get isCongested(): boolean {
    return this.#unsentBytes + this.#output.byteLength > this.#engine.writeBuffers.eachMax
  }

  /** How many answers wait for a commit. */
  get waitingResponses(): number {
    return this.#responses.length
  }

  /** How many PUBLISH packets of the client wait for the answer that ends their exchange. */
  get unansweredPublishes(): number {
    return this.#responses.unanswered
  }

  /** The client has told its Maximum Packet Size: nothing larger is sent from here on ([5.0 MQTT-3.1.2-24]). */
  limitPackets(maximumPacketSize: number): void {
    this.#packetBytesMax = maximumPacketSize
  }

  /**
   * The client is accepted: messages may be sent to it.
   * @param topicAliasMaximum how many topic aliases may be used
   * @param explains whether it wants Reason Strings and User Properties ([5.0 MQTT-3.1.2-29])
   */
  open(topicAliasMaximum: number, explains: boolean): void {
    const { clock } = this.#engine
    this.#explains = explains
    this.#publishWriter = new PublishWriter(
      this.#output,
      this.#owner.protocolVersion,
      this.#packetBytesMax,
      topicAliasMaximum,
      () => clock.now()
    )
  }

  onCommitted(commit: CommitNumber): void {
    if (this.#isClosed) return
    this.#responses.release(commit, (delivery) => {
      if (this.#owner.sendsLate(delivery)) this.sendDelivery(delivery)
    })
    this.#scheduleFlush()
    this.#owner.onAnswered()
  }

  onCommitFailed(error: Error): void {
    this.#owner.onStuck(ReasonCode.ImplementationSpecificError, `the store failed: ${error.message}`)
  }

  /** Answers with a packet; if the store has to keep something first, once that is durable. */
  respond(packet: Packet, isStored: boolean): void {
    const bytes = this.#encode(packet)
    if (bytes === undefined) {
      this.#owner.onStuck(ReasonCode.PacketTooLarge, 'the answer is above the Maximum Packet Size of the client')
    } else if (!isStored && this.#responses.isEmpty) {
      this.#append(bytes)
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

  /** Sends a packet ahead of any answers that wait: CONNACK, AUTH, PINGRESP, DISCONNECT. False: it is too large for the client. */
  sendNow(packet: Packet): boolean {
    const bytes = this.#encode(packet)
    if (bytes !== undefined) this.#append(bytes)
    return bytes !== undefined
  }

  /** Whether the client's Maximum Packet Size allows a message ([5.0 MQTT-3.1.2-24]). */
  takes(delivery: Delivery): boolean {
    return this.#publishWriter?.takes(delivery.message, delivery.qos, delivery.subscriptionIdentifiers) ?? false
  }

  /** Sends a message at QoS 0; false if it is too large for the client. */
  sendAtMostOnce(message: Message, retain: boolean, subscriptionIdentifiers: readonly number[]): boolean {
    const qos: QoS = 0
    const writer = this.#publishWriter
    if (writer === undefined || !writer.takes(message, qos, subscriptionIdentifiers)) return false
    writer.write(message, qos, retain, false, 0, subscriptionIdentifiers)
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

  /** Has the connection ended: the broker cannot do what the client expects of it. */
  giveUp(reason: string): void {
    this.#owner.onStuck(ReasonCode.ImplementationSpecificError, reason)
  }

  /** Writes what this turn has brought. */
  flush(): void {
    this.#isFlushScheduled = false
    if (this.#isReleased) return
    this.#output.flush(this.#transport)
    this.countUnsent()
  }

  /** The transport has taken some of what was written, or all. */
  countUnsent(): void {
    const { bufferedBytes } = this.#transport
    if (bufferedBytes === this.#unsentBytes || this.#isReleased) return
    this.#engine.writeBuffers.changed(bufferedBytes - this.#unsentBytes)
    this.#unsentBytes = bufferedBytes
  }

  /** Writes what there is, and sends nothing any more. */
  close(): void {
    this.flush()
    this.#isClosed = true
  }

  /** The transport is gone, and with it what it had not sent. */
  release(): void {
    this.#isClosed = true
    this.#isReleased = true
    this.#engine.writeBuffers.changed(-this.#unsentBytes)
  }

  #append(bytes: Uint8Array): void {
    this.#output.append(bytes)
    this.#scheduleFlush()
  }

  #commitToWaitFor(isStored: boolean): CommitNumber {
    const { store, commits } = this.#engine
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
    this.#engine.flushes.schedule(this)
  }

  /** Encodes a packet, without its Reason String and User Properties where they must not be sent; undefined: it is too large. */
  #encode(packet: Packet): Uint8Array | undefined {
    const { protocolVersion } = this.#owner
    const full = encodePacket(this.#explains || alwaysMayExplain(packet) ? packet : withoutDiagnostics(packet), protocolVersion)
    if (full.byteLength <= this.#packetBytesMax) return full
    const bare = encodePacket(withoutDiagnostics(packet), protocolVersion)
    return bare.byteLength <= this.#packetBytesMax ? bare : undefined
  }
}
