import type { Client, PublishOptions } from '@godwit/client'
import type { QoS } from '@godwit/protocol'
import { recordMs } from './latency.ts'
import { nowMs } from './now.ts'
import { StampWriter } from './stamp.ts'
import type { ThreadFigures } from './thread-figures.ts'

export interface LoadPublisherOptions {
  readonly publisher: number
  readonly topic: string
  readonly qos: QoS
  readonly inflight: number
  /** Subscribers that each message is for. */
  readonly copies: number
  /** How many to publish; Infinity: as many as there is time for. */
  readonly quota: number
  readonly run: number
  readonly payloadBytes: number
  readonly figures: ThreadFigures
  /** Deliveries of all publishers: see `SharedProgress`. */
  readonly delivered: Int32Array<SharedArrayBuffer>
  /** Told when there may be room for more. */
  readonly onProgress: (publisher: number) => void
}

/** One publisher and its window: what is neither acknowledged nor delivered. */
export class LoadPublisher {
  readonly #client: Client
  readonly #options: LoadPublisherOptions
  readonly #publishOptions: PublishOptions
  readonly #stamps: StampWriter
  /** At QoS 0 nobody answers: where nobody receives either, what the connection has taken counts. */
  readonly #countsHanded: boolean
  #published = 0
  #acknowledged = 0
  #failed = 0
  #delivered = 0
  /** All that has happened, at the last look, and when it had changed. */
  #progress = -1
  #progressAtMs = 0
  #lastDelivered: number

  constructor(client: Client, options: LoadPublisherOptions) {
    const { qos, copies, run, publisher, payloadBytes, figures, onProgress } = options
    this.#client = client
    this.#options = options
    this.#publishOptions = { qos }
    this.#stamps = new StampWriter(run, publisher, payloadBytes)
    this.#countsHanded = qos === 0 && copies === 0
    this.#lastDelivered = Atomics.load(options.delivered, publisher)
    if (qos > 0) {
      client.on('delivered', ({ message }) => {
        this.#acknowledged++
        figures.acknowledged++
        figures.lastAcknowledgementAtMs = nowMs()
        recordMs(figures.acknowledging, figures.lastAcknowledgementAtMs - message.acceptedAtMs)
        onProgress(publisher)
      })
    }
    client.on('discarded', ({ error }) => {
      this.#failed++
      figures.failed++
      figures.error(error.message)
      onProgress(publisher)
    })
  }

  get publisher(): number {
    return this.#options.publisher
  }

  get published(): number {
    return this.#published
  }

  /** Refused or discarded, or without an answer so far. */
  get failed(): number {
    return this.#options.qos === 0 ? this.#failed : this.#published - this.#acknowledged
  }

  get isDone(): boolean {
    return this.#published >= this.#options.quota
  }

  /** Not acknowledged, and not failed. */
  get underWay(): number {
    if (this.#options.qos === 0 && !this.#countsHanded) return 0
    return this.#published - this.#acknowledged - this.#failed
  }

  /** Messages that the client has, and cannot send yet or has not heard of. */
  get waiting(): number {
    return this.#client.outbox.messages
  }

  /** How many more the window allows. */
  get room(): number {
    const { inflight, copies, quota } = this.#options
    const undelivered = copies === 0 ? 0 : this.#published - this.#failed - Math.floor(this.#takeDelivered() / copies)
    return Math.min(quota - this.#published, inflight - Math.max(this.underWay, undelivered))
  }

  /** Publishes so many, from one, all at this moment. */
  publishSeveral(count: number): void {
    const sentAtMs = nowMs()
    for (let left = count; left > 1; left--) this.publish(sentAtMs)
    const last = this.publish(sentAtMs)
    if (!this.#countsHanded) return
    const through = this.#published
    last.then(
      () => {
        this.#options.figures.acknowledged += through - this.#failed - this.#acknowledged
        this.#acknowledged = through - this.#failed
        this.#options.figures.lastAcknowledgementAtMs = nowMs()
        this.#options.onProgress(this.publisher)
      },
      // The event `discarded` tells.
      () => undefined
    )
  }

  /** Publishes one, which was due then. */
  publish(sentAtMs: number): PromiseLike<unknown> {
    const { topic, figures } = this.#options
    const payload = this.#stamps.write(this.#published, sentAtMs)
    this.#published++
    figures.published++
    return this.#client.publish(topic, payload, this.#publishOptions)
  }

  /** If it has waited for deliveries alone for so long, they will never come: makes room for more. Returns whether it did. */
  writeOff(timeMs: number, afterMs: number): boolean {
    const { copies } = this.#options
    const delivered = this.#takeDelivered()
    const undelivered = (this.#published - this.#failed) * copies - delivered
    const progress = this.#published + this.#acknowledged + delivered
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#progressAtMs = timeMs
    }
    if (this.isDone || this.underWay > 0 || undelivered <= 0 || timeMs - this.#progressAtMs < afterMs) return false
    this.#delivered += undelivered
    return true
  }

  /** Deliveries so far. */
  #takeDelivered(): number {
    const delivered = Atomics.load(this.#options.delivered, this.#options.publisher)
    this.#delivered += (delivered - this.#lastDelivered) | 0
    this.#lastDelivered = delivered
    return this.#delivered
  }
}
