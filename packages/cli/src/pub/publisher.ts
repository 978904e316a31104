import { type Acknowledgement, type Client, ClientError, type Delivery, type PublishOptions } from '@godwit/client'
import { preciseNowMs } from '../precise-time.ts'
import { type Publication, SENT_AT_PROPERTY } from './publication.ts'

/** What may be under way before input is held back. */
const UNDER_WAY_MAX = 1_000
const UNDER_WAY_BYTES_MAX = 16 * 1024 * 1024

/** What became of a message; neither acknowledged nor failed while it is under way. */
export interface Published {
  readonly publication: Publication
  readonly bytes: number
  isStored: boolean
  acknowledgement: Acknowledgement | undefined
  error: ClientError | undefined
  /** From `publish` to the acknowledgement or error. */
  elapsedMs: number
}

export interface PublisherOptions {
  /** What is stored is safe: input goes on then, and need not wait for the acknowledgement. */
  readonly isDurable: boolean
  readonly timestamps: boolean
  readonly onFinished: (published: Published) => void
}

/** Publishes messages as fast as they are taken, and keeps those that are under way. */
export class Publisher {
  readonly underWay: Set<Published> = new Set()
  readonly #client: Client
  readonly #options: PublisherOptions
  #held = 0
  #heldBytes = 0
  #room: PromiseWithResolvers<void> | undefined = undefined

  constructor(client: Client, options: PublisherOptions) {
    this.#client = client
    this.#options = options
  }

  /** Resolves when there is room for the next; undefined: there is. */
  publish(publication: Publication): Promise<void> | undefined {
    const { topic, payload, options } = publication
    const bytes = Buffer.byteLength(payload)
    const published: Published = {
      publication,
      bytes,
      isStored: false,
      acknowledgement: undefined,
      error: undefined,
      elapsedMs: 0
    }
    this.underWay.add(published)
    this.#held++
    this.#heldBytes += bytes
    const startedMs = performance.now()
    const delivery = this.#client.publish(topic, payload, this.#options.timestamps ? stamped(options) : options)
    this.#follow(delivery, published, startedMs)
    if (this.#held < UNDER_WAY_MAX && this.#heldBytes < UNDER_WAY_BYTES_MAX) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  #follow(delivery: Delivery, published: Published, startedMs: number): void {
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      this.#held--
      this.#heldBytes -= published.bytes
      this.#room?.resolve()
      this.#room = undefined
    }
    const finish = (): void => {
      published.elapsedMs = performance.now() - startedMs
      this.underWay.delete(published)
      release()
      this.#options.onFinished(published)
    }
    delivery.stored.then(
      () => {
        published.isStored = true
        if (this.#options.isDurable) release()
      },
      // The delivery tells.
      () => undefined
    )
    void delivery.then(
      (acknowledgement) => {
        published.acknowledgement = acknowledgement
        finish()
      },
      (error: unknown) => {
        if (!(error instanceof ClientError)) throw error
        published.error = error
        finish()
      }
    )
  }
}

function stamped(options: PublishOptions): PublishOptions {
  const userProperties = [...(options.userProperties ?? []), [SENT_AT_PROPERTY, preciseNowMs().toFixed(3)] as const]
  return { ...options, userProperties }
}
