import { ReasonCode } from '@godwit/protocol'
import { abortedError, ClientError, throwIfAborted } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Delivery } from './delivery.ts'
import { REQUEST_TIMEOUT_MS, REQUESTS_MAX } from './limits.ts'
import type { Message } from './message.ts'
import type { MessageHandler, RequestOptions, SubscribeOptions } from './options.ts'
import type { Payload } from './payload.ts'
import type { PublishOptions } from './publish-options.ts'
import { integer } from './settings.ts'
import type { Subscription } from './subscription.ts'

export interface RequestsOptions {
  readonly clock: Clock
  /** A topic that is this client's alone, made when the first request is. */
  readonly responseTopic: () => string
  readonly publish: (topicName: string, payload: Payload, options: PublishOptions) => Delivery
  /** Called when a reply is awaited, and when it is not any more. */
  readonly onAwaited: () => void
  readonly subscribe: (filter: string, options: SubscribeOptions, handler: MessageHandler) => Subscription
}

interface PendingRequest {
  readonly resolve: (message: Message) => void
  readonly reject: (error: ClientError) => void
}

/** Requests that wait for their reply, by Correlation Data ([5.0 4.10]). All replies come by one topic, subscribed to with the first request. */
export class Requests {
  readonly #options: RequestsOptions
  readonly #pending = new Map<string, PendingRequest>()
  #responseTopic: string | undefined = undefined
  #count = 0

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** A reply is. */
  get isAwaited(): boolean {
    return this.#pending.size > 0
  }

  async request(topicName: string, payload: Payload, options: RequestOptions): Promise<Message> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal, ...publishOptions } = options
    const { clock, publish, onAwaited } = this.#options
    integer('timeoutMs', timeoutMs, 1, 0x7fff_ffff)
    throwIfAborted(signal)
    if (this.#pending.size >= REQUESTS_MAX) {
      throw new ClientError('outbox-full', `${REQUESTS_MAX} requests wait for their replies already`)
    }
    const responseTopic = this.#subscribed()
    const correlation = String(++this.#count)
    const { promise, resolve, reject } = Promise.withResolvers<Message>()
    this.#pending.set(correlation, { resolve, reject })
    onAwaited()
    const givenUp = new AbortController()
    const cancelTimer = clock.at(clock.now() + timeoutMs, () => {
      reject(new ClientError('timeout', `No reply came within ${timeoutMs} ms`))
    })
    const onAbort = (): void => reject(abortedError(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      publish(topicName, payload, {
        qos: 1,
        ...publishOptions,
        responseTopic,
        correlationData: new TextEncoder().encode(correlation),
        signal: givenUp.signal
      }).then(
        ({ reasonCode }) => {
          if (reasonCode !== ReasonCode.NoMatchingSubscribers) return
          reject(new ClientError('no-responders', `Nobody has subscribed to ${JSON.stringify(topicName)}`))
        },
        (error: unknown) => {
          if (error instanceof ClientError) reject(error)
        }
      )
      return await promise
    } finally {
      this.#pending.delete(correlation)
      onAwaited()
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
      // A request that nobody waits for any more need not be sent.
      givenUp.abort()
    }
  }

  close(error: ClientError): void {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  #subscribed(): string {
    if (this.#responseTopic !== undefined) return this.#responseTopic
    const responseTopic = this.#options.responseTopic()
    const subscription = this.#options.subscribe(responseTopic, { qos: 1 }, (message) => this.#onReply(message))
    this.#responseTopic = responseTopic
    subscription.granted.catch((error: unknown) => {
      // The next request tries again.
      this.#responseTopic = undefined
      if (error instanceof ClientError) this.close(error)
    })
    return responseTopic
  }

  #onReply(message: Message): void {
    const { correlationData } = message.properties
    if (correlationData === undefined) return
    this.#pending.get(new TextDecoder().decode(correlationData))?.resolve(message)
  }
}
