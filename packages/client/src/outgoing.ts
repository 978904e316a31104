import {
  type PublishReasonCode,
  PacketType,
  type PubackPacket,
  type PubcompPacket,
  type PubrecPacket,
  ReasonCode
} from '@godwit/protocol'
import { ClientError, describeReason } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Acknowledgement } from './delivery.ts'
import type { Emitter } from './emitter.ts'
import { encodeOutgoing, packetIdentifierOf } from './encode-outgoing.ts'
import { isFailure } from './handshake.ts'
import { COMMIT_RETRY_MS, INFLIGHT_MAXIMUM, LOADED_BYTES_MAX, LOADED_MESSAGES_MAX, PUBLISH_IDENTIFIERS } from './limits.ts'
import type { Link } from './link.ts'
import { OutgoingMessage, OutgoingState, type Publication } from './outgoing-message.ts'
import { OutgoingQueue } from './outgoing-queue.ts'
import type { Outbox } from './outbox.ts'
import type { OutboxContents, OutboxMessage, SequenceNumber } from './outbox-store.ts'
import type { PendingDelivery } from './pending-delivery.ts'
import { UnloadedMessages } from './unloaded-messages.ts'

export interface OutgoingOptions {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly emitter: Emitter
  readonly inflightMaximum: number
  /** Called when the first message is sent that is to be acknowledged, and when all are. */
  readonly onAwaited: () => void
  /** Called when messages have left, so that there is more room. */
  readonly onRoom: () => void
}

/** What becomes of what was under way when the server has lost the session. */
export interface LostSession {
  readonly resent: number
  readonly released: number
}

const SUCCESS: Acknowledgement = { reasonCode: ReasonCode.Success, reasonString: undefined, userProperties: [] }

/**
 * The messages that were accepted, in their order, on their way to the server: one stream, of which a new connection begins at the oldest that
 * is not finished, and whose end grows meanwhile. Where the stream is long only its beginning is in memory.
 *
 * ```
 *        finished     sent, not acknowledged       waiting                in the outbox only
 *   ... ┌──────────┬───────────────────────────┬───────────────────────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┐
 *       └──────────┴───────────────────────────┴───────────────────────┴─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┘
 *                  head                        next                    loadedThrough            #nextSequence
 * ```
 */
export class Outgoing {
  readonly #outbox: Outbox
  readonly #clock: Clock
  readonly #emitter: Emitter
  readonly #inflightMaximum: number
  readonly #onAwaited: () => void
  readonly #onRoom: () => void
  readonly #queue = new OutgoingQueue()
  #link: Link | undefined = undefined
  /** Undefined until the first connection. */
  #isSessionPresent: boolean | undefined = undefined
  #inflight = 0

  #nextSequence: SequenceNumber = 1
  /** Accepted, and not committed yet. */
  #storing: OutgoingMessage[] = []

  readonly #unloaded = new UnloadedMessages()
  #isLoading = false
  /** The outbox could not be read: it is asked again. */
  #cancelReload: (() => void) | undefined = undefined
  /** Messages of an earlier process that it may have sent: no more than it may have had under way, and those come first. */
  #perhapsSent: number

  #messages = 0
  #bytes = 0
  #drains: { readonly through: SequenceNumber; readonly onEnd: (error: ClientError | undefined) => void }[] = []

  constructor(options: OutgoingOptions) {
    this.#outbox = options.outbox
    this.#clock = options.clock
    this.#emitter = options.emitter
    this.#inflightMaximum = options.inflightMaximum
    this.#onAwaited = options.onAwaited
    this.#onRoom = options.onRoom
    this.#perhapsSent = Math.max(options.inflightMaximum, INFLIGHT_MAXIMUM)
  }

  /** Accepted and not finished. */
  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Sent, and not acknowledged. */
  get inflight(): number {
    return this.#inflight
  }

  /** Takes over what the outbox holds from before. */
  async restore(contents: OutboxContents): Promise<void> {
    this.#nextSequence = contents.nextSequence
    this.#messages = contents.messages
    this.#bytes = contents.bytes
    this.#unloaded.restore(contents)
    await this.#load()
  }

  /** Takes a message, for which there is room. */
  accept(publication: Publication, delivery: PendingDelivery): void {
    // A QoS 0 message has no number of its own: nobody answers it.
    const sequence = publication.qos === 0 ? this.#unloaded.loadedThrough : this.#nextSequence++
    delivery.sequence = sequence
    const message = new OutgoingMessage(publication, sequence, delivery, !this.#outbox.isDurable)
    this.#messages++
    this.#bytes += message.bytes
    const { toStore } = message
    if (toStore === undefined) {
      this.#queue.push(message)
    } else {
      this.#store(message, toStore)
      if (this.#hasRoomInMemory()) {
        this.#queue.push(message)
        this.#unloaded.pass(sequence)
      } else {
        this.#unloaded.add(message, delivery)
      }
    }
    this.#pump()
  }

  /** Everything up to here is committed. */
  stored(through: SequenceNumber): void {
    let count = 0
    for (const message of this.#storing) {
      if (message.sequence > through) break
      message.isStored = true
      message.delivery?.store()
      count++
    }
    if (count > 0) this.#storing.splice(0, count)
    this.#pump()
  }

  /** The server has accepted a connection. What was under way goes first. */
  connected(link: Link, isSessionPresent: boolean): LostSession {
    this.#link = link
    this.#inflight = 0
    const lost = isSessionPresent ? { resent: 0, released: 0 } : this.#loseSession()
    this.#isSessionPresent = isSessionPresent
    this.#queue.rewind()
    this.#pump()
    return lost
  }

  disconnected(): void {
    this.#link = undefined
    this.#inflight = 0
    for (const message of this.#queue.sent()) {
      message.isInflight = false
      // [5.0 MQTT-3.3.1-1]
      message.isDup = true
    }
  }

  drained(): void {
    this.#pump()
  }

  /** Calls back once everything that has been accepted so far is finished, or with why it will not be. */
  whenFinished(onEnd: (error: ClientError | undefined) => void): void {
    this.#drains.push({ through: this.#nextSequence - 1, onEnd })
    this.#checkDrains()
  }

  onPuback(packet: PubackPacket): void {
    const message = this.#find(packet.packetIdentifier)
    if (message?.qos !== 1 || message.state !== OutgoingState.Sent) return
    this.#answered(message, packet)
    this.#pump()
  }

  onPubrec(packet: PubrecPacket): void {
    const { packetIdentifier, reasonCode } = packet
    const message = this.#find(packetIdentifier)
    if (message?.qos !== 2 || message.state === OutgoingState.Waiting) {
      this.#release(packetIdentifier, isFailure(reasonCode))
    } else if (message.state === OutgoingState.Sent) {
      // [5.0 MQTT-4.3.3-4]: from 0x80 on that is the end of it.
      if (isFailure(reasonCode)) this.#answered(message, packet)
      else this.#startRelease(message, packet)
    } else if (message.state === OutgoingState.Released) {
      this.#link?.connection.acknowledge(PacketType.Pubrel, packetIdentifier)
    }
    this.#pump()
  }

  onPubcomp({ packetIdentifier }: PubcompPacket): void {
    const message = this.#find(packetIdentifier)
    if (message?.qos !== 2 || message.state !== OutgoingState.Released) return
    this.#finish(message, message.acknowledgement ?? SUCCESS)
    this.#tellDelivered(message, message.acknowledgement?.reasonCode ?? ReasonCode.Success)
    this.#pump()
  }

  /** Takes out a message that has not been sent. Returns whether it could. */
  withdraw(delivery: PendingDelivery, error: ClientError): boolean {
    const { sequence } = delivery
    const message = this.#queue.findDelivery(sequence, delivery)
    if (message !== undefined) {
      if (message.state !== OutgoingState.Waiting) return false
      this.#discard(message, error)
      return true
    }
    const unloaded = this.#unloaded.withdraw(sequence)
    if (unloaded === undefined) return false
    this.#messages--
    this.#bytes -= unloaded.bytes
    this.#outbox.remove(sequence)
    delivery.finish(error)
    this.#emitter.emit('discarded', { message: unloaded.published, error })
    this.#onRoom()
    this.#checkDrains()
    return true
  }

  /** Gives up the oldest message that has not been sent. Returns whether there was one. */
  dropOldest(error: ClientError): boolean {
    const oldest = this.#queue.oldestWaiting()
    if (oldest !== undefined) {
      this.#discard(oldest, error)
      return true
    }
    const unloaded = this.#unloaded.oldestDelivery
    return unloaded !== undefined && this.withdraw(unloaded, error)
  }

  /** Gives up what has expired without being sent, as far as it is in memory. */
  expire(): void {
    const nowMs = this.#clock.now()
    for (const message of this.#queue.unsent()) {
      if (message.state === OutgoingState.Waiting && isExpired(message, nowMs)) this.#discard(message, expired())
    }
  }

  /** Nothing is sent any more: every delivery that is left rejects. What a durable outbox holds stays in it. */
  close(error: ClientError): void {
    this.#link = undefined
    for (const message of this.#queue.unfinished()) message.delivery?.finish(error)
    this.#cancelReload?.()
    this.#unloaded.close(error)
    this.#storing = []
    const drains = this.#drains
    this.#drains = []
    for (const { onEnd } of drains) onEnd(error)
  }

  #store(message: OutgoingMessage, toStore: OutboxMessage): void {
    this.#outbox.put(toStore)
    if (this.#outbox.isDurable) this.#storing.push(message)
    else message.delivery?.store()
  }

  /** Without a durable outbox there is nowhere else; but what is behind messages that are not loaded yet stays behind them. */
  #hasRoomInMemory(): boolean {
    if (this.#unloaded.count > 0) return false
    if (!this.#outbox.isDurable) return true
    return this.#queue.length < LOADED_MESSAGES_MAX && this.#queue.bytes < LOADED_BYTES_MAX
  }

  /** Sends what may be sent: the one place where that is decided. */
  #pump(): void {
    const link = this.#link
    if (link === undefined) return
    for (let message = this.#queue.peek(); message !== undefined; message = this.#queue.peek()) {
      if (message.state === OutgoingState.Finished) {
        this.#queue.advance()
        continue
      }
      if (link.connection.isCongested || link.connection.isClosed) return
      if (message.qos > 0 && !this.#maySend(message, link)) return
      this.#queue.advance()
      this.#send(message, link)
    }
    if (this.#unloaded.count > 0) void this.#load()
  }

  #maySend(message: OutgoingMessage, { limits }: Link): boolean {
    // [5.0 MQTT-3.3.4-7]
    if (this.#inflight >= Math.min(this.#inflightMaximum, limits.receiveMaximum)) return false
    // Its identifier must be known after a crash: it is what the server tells a duplicate by.
    if (message.qos === 2 && !message.isStored) return false
    return message.sequence - this.#queue.oldestSequence < PUBLISH_IDENTIFIERS
  }

  #send(message: OutgoingMessage, link: Link): void {
    // [5.0 MQTT-4.4.0-1]
    if (message.state === OutgoingState.Released) {
      this.#countInflight(message)
      link.connection.acknowledge(PacketType.Pubrel, packetIdentifierOf(message.sequence))
      return
    }
    // PUBREL leaves when that PUBREC has come is stored.
    if (message.state === OutgoingState.Releasing) {
      this.#countInflight(message)
      return
    }
    const nowMs = this.#clock.now()
    if (message.state === OutgoingState.Waiting && isExpired(message, nowMs)) {
      this.#discard(message, expired())
      return
    }
    let packet: Uint8Array
    try {
      packet = encodeOutgoing(message, link, nowMs)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      this.#discard(message, error)
      return
    }
    link.connection.sendEncoded(packet)
    if (message.qos === 0) {
      this.#finish(message, SUCCESS)
    } else {
      message.state = OutgoingState.Sent
      this.#countInflight(message)
    }
  }

  #countInflight(message: OutgoingMessage): void {
    message.isInflight = true
    if (this.#inflight++ === 0) this.#onAwaited()
  }

  /** PUBREL may follow only once it is known after a crash that the message must not be sent again. */
  #startRelease(message: OutgoingMessage, packet: PubrecPacket): void {
    message.state = OutgoingState.Releasing
    message.acknowledgement = acknowledgementOf(packet)
    this.#outbox.release(message.sequence, () => {
      if (message.state !== OutgoingState.Releasing) return
      message.state = OutgoingState.Released
      if (message.isInflight) this.#link?.connection.acknowledge(PacketType.Pubrel, packetIdentifierOf(message.sequence))
    })
  }

  /** Answers a PUBREC for which there is no message: the server waits for a PUBREL ([5.0 4.3.3]). */
  #release(packetIdentifier: number, hasFailed: boolean): void {
    if (hasFailed) return
    const reasonCode = this.#link?.connection.isMqtt5 === true ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success
    this.#link?.connection.send({ type: PacketType.Pubrel, packetIdentifier, reasonCode, properties: {} })
  }

  #answered(message: OutgoingMessage, packet: PubackPacket | PubrecPacket): void {
    const { reasonCode, properties } = packet
    if (isFailure(reasonCode)) {
      const what = `The server refused the message: ${describeReason(reasonCode, properties.reasonString)}`
      this.#discard(message, new ClientError('refused', what, { reasonCode }))
    } else {
      this.#finish(message, acknowledgementOf(packet))
      this.#tellDelivered(message, reasonCode)
    }
  }

  #tellDelivered(message: OutgoingMessage, reasonCode: PublishReasonCode): void {
    if (this.#emitter.has('delivered')) this.#emitter.emit('delivered', { message: message.published, reasonCode })
  }

  #discard(message: OutgoingMessage, error: ClientError): void {
    this.#finish(message, error)
    this.#emitter.emit('discarded', { message: message.published, error })
  }

  #finish(message: OutgoingMessage, outcome: Acknowledgement | ClientError): void {
    message.state = OutgoingState.Finished
    if (message.isInflight) {
      message.isInflight = false
      if (--this.#inflight === 0) this.#onAwaited()
    }
    this.#messages--
    this.#bytes -= message.bytes
    if (message.qos > 0) this.#outbox.remove(message.sequence)
    message.delivery?.finish(outcome)
    this.#queue.trim()
    this.#onRoom()
    if (this.#drains.length > 0) this.#checkDrains()
  }

  #find(packetIdentifier: number): OutgoingMessage | undefined {
    const oldest = this.#queue.oldestSequence
    const distance = (packetIdentifier - packetIdentifierOf(oldest) + PUBLISH_IDENTIFIERS) % PUBLISH_IDENTIFIERS
    return this.#queue.find(oldest + distance)
  }

  /**
   * [5.0 MQTT-3.2.2-5]: the server knows nothing of what was under way. What it had not acknowledged is sent as new; what it had received
   * at QoS 2 was its own already, and to send it again would deliver it twice.
   */
  #loseSession(): LostSession {
    let resent = 0
    let released = 0
    for (const message of [...this.#queue.unfinished()]) {
      if (message.state === OutgoingState.Sent) {
        message.state = OutgoingState.Waiting
        message.isDup = false
        resent++
      } else if (message.state === OutgoingState.Releasing || message.state === OutgoingState.Released) {
        this.#finish(message, message.acknowledgement ?? SUCCESS)
        released++
      }
    }
    return { resent, released }
  }

  /** Brings the next messages into memory when those that are there have nearly been sent. */
  async #load(): Promise<void> {
    if (this.#isLoading || this.#unloaded.count === 0 || this.#queue.length >= LOADED_MESSAGES_MAX) return
    this.#isLoading = true
    try {
      const limit = { messages: LOADED_MESSAGES_MAX, bytes: LOADED_BYTES_MAX }
      const messages = await this.#outbox.read(this.#unloaded.loadedThrough, limit)
      for (const message of messages) this.#take(message)
      this.#isLoading = false
      if (this.#cancelReload !== undefined) this.#emitter.emit('outboxRecovered', {})
      this.#cancelReload = undefined
      if (messages.length > 0) this.#pump()
    } catch (error) {
      this.#isLoading = false
      this.#cancelReload?.()
      this.#cancelReload = this.#clock.at(this.#clock.now() + COMMIT_RETRY_MS, () => void this.#load())
      const message = error instanceof Error ? error.message : String(error)
      this.#emitter.emit('outboxFailed', {
        error: new ClientError('outbox-failed', `The outbox cannot be read: ${message}`, { cause: error })
      })
    }
  }

  #take(stored: OutboxMessage): void {
    const loaded = this.#unloaded.load(stored.sequence)
    if (loaded === undefined) return
    const message = new OutgoingMessage(stored, stored.sequence, loaded.delivery, true)
    this.#queue.push(message)
    if (!loaded.isOwn) this.#resume(message, stored.isReleased)
  }

  /** A message of an earlier process: it may have been sent, unless it is too far behind the oldest for that. */
  #resume(message: OutgoingMessage, isReleased: boolean): void {
    const isPerhapsSent = this.#perhapsSent > 0
    this.#perhapsSent--
    if (this.#isSessionPresent === false) {
      if (isReleased) this.#finish(message, SUCCESS)
    } else if (isReleased) {
      message.state = OutgoingState.Released
    } else if (isPerhapsSent) {
      message.state = OutgoingState.Sent
      message.isDup = true
    }
  }

  #checkDrains(): void {
    const oldest =
      this.#queue.length > 0 ? this.#queue.oldestSequence : this.#unloaded.count > 0 ? this.#unloaded.loadedThrough + 1 : Infinity
    const isFinished = ({ through }: { readonly through: SequenceNumber }): boolean => through < oldest
    const finished = this.#drains.filter(isFinished)
    this.#drains = this.#drains.filter((drain) => !isFinished(drain))
    for (const { onEnd } of finished) onEnd(undefined)
  }
}

function acknowledgementOf({ reasonCode, properties }: PubackPacket | PubrecPacket): Acknowledgement {
  if (reasonCode === ReasonCode.Success && properties.reasonString === undefined && properties.userProperties === undefined) {
    return SUCCESS
  }
  return { reasonCode, reasonString: properties.reasonString, userProperties: properties.userProperties ?? [] }
}

function isExpired({ expiresAtMs }: OutgoingMessage, nowMs: number): boolean {
  return expiresAtMs > 0 && expiresAtMs <= nowMs
}

function expired(): ClientError {
  return new ClientError('message-expired', 'The message expired before it could be sent')
}
