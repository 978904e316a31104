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
import type { Elision, ElisionWaiter } from './elisions.ts'
import type { Engine } from './engine.ts'
import type { Delivery } from './inflight.ts'
import type { Message } from './message.ts'
import { OutputBuffer } from './output-buffer.ts'
import { PublishWriter } from './publish-writer.ts'
import { type LateSender, type Response, Responses } from './responses.ts'
import { UnsentMessages } from './unsent-messages.ts'

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
export class PacketSender implements CommitWaiter, ElisionWaiter, LateSender {
  readonly #engine: Engine
  readonly #transport: Transport
  readonly #owner: SenderOwner
  readonly #output: OutputBuffer
  readonly #responses: Responses
  /** What QoS 0 is on its way out. */
  readonly #unsent = new UnsentMessages()
  #publishWriter: PublishWriter | undefined
  #packetBytesMax = Infinity
  #explains = true
  #unsentBytes = 0
  #isFlushScheduled = false
  #isClosed = false
  /** The transport is gone: what it held is not counted any longer. */
  #isReleased = false
  #waitsForCommit: CommitNumber = 0
  /** Since the last flush an answer has been let off waiting. */
  #hasElided = false

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

  /** Whether half of what may wait for the client does, or as much as a transport tells of when it has gone. */
  get isHalfFull(): boolean {
    const { eachMax, eachMin } = this.#engine.writeBuffers
    return this.#unsentBytes + this.#output.byteLength > Math.max(eachMax / 2, eachMin)
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
    const { now, publishScratch } = this.#engine
    this.#explains = explains
    this.#publishWriter = new PublishWriter(
      this.#output,
      this.#owner.protocolVersion,
      this.#packetBytesMax,
      topicAliasMaximum,
      now,
      publishScratch
    )
  }

  onCommitted(commit: CommitNumber): void {
    if (this.#isClosed) return
    this.#release(commit)
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

  /**
   * Answers with a PUBACK, PUBREC, PUBREL or PUBCOMP of success.
   * @param elision what may let it off waiting for the commit
   */
  acknowledge(type: AcknowledgementType, packetIdentifier: number, isStored: boolean, elision?: Elision): void {
    if (!isStored && this.#responses.isEmpty) {
      this.#responses.writeAcknowledgement(type, packetIdentifier)
      this.#engine.traffic.packetsSent++
      this.#scheduleFlush()
      return
    }
    const response: Response = { commit: this.#commitToWaitFor(isStored), acknowledgement: type, packetIdentifier }
    this.#responses.add(response)
    elision?.wait(this, response)
  }

  /** An answer need not wait for its commit; those before it may still have to. */
  onElided(response: Response): void {
    response.commit = 0
    this.#hasElided = true
    this.#scheduleFlush()
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
    const isSent = this.sendNotice(message, retain, subscriptionIdentifiers)
    if (isSent) this.#unsent.added()
    return isSent
  }

  /** The same for what the broker tells of itself: nobody asks what became of that. */
  sendNotice(message: Message, retain: boolean, subscriptionIdentifiers: readonly number[]): boolean {
    const qos: QoS = 0
    const writer = this.#publishWriter
    if (writer === undefined || !writer.takes(message, qos, subscriptionIdentifiers)) return false
    writer.write(message, qos, retain, false, 0, subscriptionIdentifiers)
    this.#engine.traffic.packetsSent++
    this.#scheduleFlush()
    return true
  }

  /** Sends a message that is in flight, with DUP if it was sent before ([5.0 MQTT-3.3.1-1], [3.1.1 MQTT-3.3.1-1]). */
  sendDelivery(delivery: Delivery): void {
    const { message, qos, retain, packetIdentifier, subscriptionIdentifiers, wasSent } = delivery
    delivery.wasSent = true
    this.#publishWriter?.write(message, qos, retain, wasSent, packetIdentifier, subscriptionIdentifiers)
    this.#engine.traffic.packetsSent++
    this.#scheduleFlush()
  }

  /** Sends a message once the commit that is gathering is durable. */
  sendAfterCommit(delivery: Delivery): void {
    this.#responses.add({ commit: this.#commitToWaitFor(true), delivery })
  }

  /** The commit that it waited for is durable. */
  sendLate(delivery: Delivery): void {
    if (this.#owner.sendsLate(delivery)) this.sendDelivery(delivery)
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
    if (this.#hasElided) this.#releaseElided()
    const { byteLength } = this.#output
    const isTaken = this.#output.flush(this.#transport)
    this.#unsent.wrote(byteLength, isTaken)
    this.countUnsent()
  }

  /** The transport has taken some of what was written, or all. */
  countUnsent(): void {
    const { bufferedBytes } = this.#transport
    if (bufferedBytes === this.#unsentBytes || this.#isReleased) return
    this.#unsent.sent(bufferedBytes)
    this.#engine.writeBuffers.changed(bufferedBytes - this.#unsentBytes)
    this.#unsentBytes = bufferedBytes
  }

  /** Writes what there is, and sends nothing any more. */
  close(): void {
    this.flush()
    this.#isClosed = true
  }

  /** How many messages of QoS 0 the client has been too slow to take. */
  get unsentMessages(): number {
    return this.#unsent.messages
  }

  /** The transport is gone, and with it what it had not sent. */
  release(): void {
    this.#isClosed = true
    this.#isReleased = true
    this.#engine.writeBuffers.changed(-this.#unsentBytes)
  }

  #releaseElided(): void {
    this.#hasElided = false
    if (this.#isClosed) return
    this.#release(0)
    this.#owner.onAnswered()
  }

  #release(commit: CommitNumber): void {
    this.#engine.traffic.packetsSent += this.#responses.release(commit, this)
  }

  #append(bytes: Uint8Array): void {
    this.#output.append(bytes)
    this.#engine.traffic.packetsSent++
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
