import { abortedError, ClientError, throwIfAborted } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Delivery } from './delivery.ts'
import type { Emitter } from './emitter.ts'
import { encodePayload } from './encode-payload.ts'
import type { PublishedMessage } from './events.ts'
import { WAITING_FOR_ROOM_MAX } from './limits.ts'
import type { ClientOptions } from './options.ts'
import { outboxBytes } from './outbox-store.ts'
import type { Outgoing } from './outgoing.ts'
import type { Publication } from './outgoing-message.ts'
import type { Payload } from './payload.ts'
import { PendingDelivery } from './pending-delivery.ts'
import type { PublishOptions } from './publish-options.ts'
import { checkQoS, checkTopic, messagePropertiesOf, type Settings } from './settings.ts'

interface Waiting {
  readonly publication: Publication
  readonly delivery: PendingDelivery
}

const NO_OPTIONS: PublishOptions = {}

/** What stands before the outbox: checks what is published, and keeps its bounds. */
export class Publisher {
  readonly #outgoing: Outgoing
  readonly #clock: Clock
  readonly #emitter: Emitter
  readonly #limits: Settings['outboxLimits']
  readonly #whenFull: NonNullable<ClientOptions['whenOutboxFull']>
  /** In their order; nobody overtakes them. */
  #waiting: Waiting[] = []
  #isAdmitting = false
  #closed: ClientError | undefined = undefined

  constructor(outgoing: Outgoing, emitter: Emitter, settings: Settings) {
    this.#outgoing = outgoing
    this.#emitter = emitter
    this.#clock = settings.clock
    this.#limits = settings.outboxLimits
    this.#whenFull = settings.options.whenOutboxFull ?? 'refuse'
  }

  /** Accepted, or waiting to be. */
  get messages(): number {
    return this.#outgoing.messages + this.#waiting.length
  }

  publish(topicName: string, payload: Payload, options: PublishOptions = NO_OPTIONS): Delivery {
    const delivery = new PendingDelivery()
    try {
      if (this.#closed !== undefined) throw this.#closed
      throwIfAborted(options.signal)
      this.#admit(this.#publicationOf(topicName, payload, options), delivery, options.signal)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      const message = {
        topic: topicName,
        qos: options.qos ?? 0,
        retain: options.retain ?? false,
        acceptedAtMs: this.#clock.now()
      }
      this.#refuse(delivery, { ...message, payloadBytes: 0 }, error)
    }
    return delivery
  }

  /** There may be more room. */
  admitWaiting(): void {
    // What is admitted may be sent and finished at once, which makes room again.
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    for (let first = this.#waiting[0]; first !== undefined && this.#hasRoom(first.publication); first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#outgoing.accept(first.publication, first.delivery)
    }
    this.#isAdmitting = false
  }

  close(error: ClientError): void {
    this.#closed = error
    const waiting = this.#waiting
    this.#waiting = []
    for (const { delivery } of waiting) delivery.finish(error)
  }

  #publicationOf(topicName: string, payload: Payload, options: PublishOptions): Publication {
    checkTopic('topic', topicName)
    const { qos = 0, retain = false, expirySeconds } = options
    checkQoS(qos)
    const acceptedAtMs = this.#clock.now()
    const lifeMs = Math.min(expirySeconds === undefined ? Infinity : expirySeconds * 1000, this.#limits.ageMs)
    return {
      topicName,
      payload: encodePayload(payload),
      qos,
      retain,
      properties: messagePropertiesOf(options),
      acceptedAtMs,
      expiresAtMs: lifeMs === Infinity ? 0 : acceptedAtMs + lifeMs
    }
  }

  #admit(publication: Publication, delivery: PendingDelivery, signal: AbortSignal | undefined): void {
    // However long it waits, and whatever is dropped, there is never room for it.
    if (outboxBytes(publication) > this.#limits.bytes) throw this.#full()
    if (this.#waiting.length === 0 && (this.#hasRoom(publication) || this.#makeRoom(publication))) {
      if (signal !== undefined) this.#watch(signal, delivery, (error) => this.#outgoing.withdraw(delivery, error))
      this.#outgoing.accept(publication, delivery)
      return
    }
    if (this.#whenFull !== 'wait') throw this.#full()
    if (this.#waiting.length >= WAITING_FOR_ROOM_MAX) {
      throw new ClientError(
        'outbox-full',
        `${WAITING_FOR_ROOM_MAX} messages wait for room in the outbox: await \`stored\` before the next`
      )
    }
    this.#waiting.push({ publication, delivery })
    if (signal !== undefined) this.#watch(signal, delivery, (error) => this.#leave(delivery, error))
  }

  #hasRoom(publication: Publication): boolean {
    const { messages, bytes } = this.#limits
    return this.#outgoing.messages < messages && this.#outgoing.bytes + outboxBytes(publication) <= bytes
  }

  #makeRoom(publication: Publication): boolean {
    this.#outgoing.expire()
    if (this.#whenFull === 'drop-oldest') {
      const error = new ClientError('outbox-dropped', 'A newer message took its place: the outbox was full')
      while (!this.#hasRoom(publication) && this.#outgoing.dropOldest(error));
    }
    return this.#hasRoom(publication)
  }

  #full(): ClientError {
    const { messages, bytes } = this.#limits
    const held = `${this.#outgoing.messages} messages and ${this.#outgoing.bytes} bytes`
    return new ClientError('outbox-full', `The outbox holds ${held} already; its bounds are ${messages} and ${bytes}`)
  }

  #watch(signal: AbortSignal, delivery: PendingDelivery, giveUp: (error: ClientError) => void): void {
    const onAbort = (): void => giveUp(abortedError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    delivery.whenFinished = () => signal.removeEventListener('abort', onAbort)
  }

  /** Leaves the queue before the outbox, or the outbox, if it got there meanwhile. */
  #leave(delivery: PendingDelivery, error: ClientError): void {
    const waiting = this.#waiting.find((each) => each.delivery === delivery)
    if (waiting === undefined) {
      this.#outgoing.withdraw(delivery, error)
      return
    }
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    const { topicName: topic, qos, retain, acceptedAtMs, payload } = waiting.publication
    this.#refuse(delivery, { topic, qos, retain, acceptedAtMs, payloadBytes: payload.byteLength }, error)
  }

  #refuse(delivery: PendingDelivery, message: PublishedMessage, error: ClientError): void {
    delivery.finish(error)
    this.#emitter.emit('discarded', { message, error })
  }
}
