import type { QoS } from '@godwit/protocol'
import { ClientError } from './client-error.ts'
import type { Emitter } from './emitter.ts'
import { SUBSCRIPTION_BUFFER_MESSAGES } from './limits.ts'
import type { Message } from './message.ts'
import type { MessageHandler, SubscribeOptions } from './options.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { Subscription } from './subscription.ts'

/** What a subscription tells its client. */
export interface SubscriptionOwner {
  /** Its buffer is full: read no more until `onRoom`. */
  onFull(subscription: LocalSubscription): void
  onRoom(subscription: LocalSubscription): void
  /** Messages come though a subscription is full: the server's answers are awaited, which come by the same way. */
  readonly isReadOn: boolean
  /** It wants no more messages. Resolves when the server has answered. */
  unsubscribe(subscription: LocalSubscription): Promise<void>
}

type Step = IteratorResult<Message, undefined>

const DONE: Step = { done: true, value: undefined }

export class LocalSubscription implements Subscription {
  readonly filter: string
  readonly options: SubscribeOptions
  readonly #owner: SubscriptionOwner
  readonly #emitter: Emitter
  readonly #handler: MessageHandler | undefined
  readonly #isAutomatic: boolean
  readonly #bufferMaximum: number
  readonly #granting = Promise.withResolvers<QoS>()
  #buffer: ReceivedMessage[] = []
  #head = 0
  #isFull = false
  /** The handler is at work. */
  #isBusy = false
  #waiting: PromiseWithResolvers<Step>[] = []
  #isEnded = false
  #error: ClientError | undefined = undefined
  #forgetSignal: (() => void) | undefined = undefined

  constructor(
    filter: string,
    options: SubscribeOptions,
    handler: MessageHandler | undefined,
    owner: SubscriptionOwner,
    emitter: Emitter
  ) {
    this.filter = filter
    this.options = options
    this.#owner = owner
    this.#emitter = emitter
    this.#handler = handler
    this.#isAutomatic = options.acknowledge !== 'manual'
    this.#bufferMaximum = options.bufferMaximum ?? SUBSCRIPTION_BUFFER_MESSAGES
    // A refusal is told by an event, too: nobody has to look here.
    this.#granting.promise.catch(() => undefined)
  }

  get granted(): Promise<QoS> {
    return this.#granting.promise
  }

  /** Unsubscribes once the signal is aborted. */
  endsWith(signal: AbortSignal): void {
    const onAbort = (): void => void this.unsubscribe()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#forgetSignal = () => signal.removeEventListener('abort', onAbort)
  }

  grant(qos: QoS): void {
    this.#granting.resolve(qos)
  }

  deliver(message: ReceivedMessage): void {
    if (this.#isEnded) return
    if (this.#handler !== undefined && !this.#isBusy && this.#length === 0) {
      this.#handle(this.#handler, message)
      return
    }
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting.resolve({ done: false, value: message })
    else if (this.#length < this.#bufferMaximum || this.#makeRoom(message)) this.#keep(message)
  }

  unsubscribe(): Promise<void> {
    if (this.#isEnded) return Promise.resolve()
    this.end(undefined)
    for (const message of this.#unseen()) {
      message.reject()
      this.#emitter.emit('dropped', { message, reason: 'unsubscribed' })
    }
    this.#letRead()
    return this.#owner.unsubscribe(this)
  }

  /** No message comes any more; those that nobody has seen stay as they are: the server has them. */
  end(error: ClientError | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#error = error
    this.#forgetSignal?.()
    this.#granting.reject(error ?? new ClientError('client-closed', 'The subscription ended before the server answered'))
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve(DONE)
      else reject(error)
    }
    this.#waiting = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe()
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    let current: Message | undefined
    const acknowledge = (): void => {
      if (this.#isAutomatic) current?.ack()
      current = undefined
    }
    return {
      next: () => {
        acknowledge()
        const buffered = this.#isEnded ? undefined : this.#shift()
        if (buffered !== undefined) {
          current = buffered
          return Promise.resolve({ done: false, value: buffered })
        }
        return this.#wait((message) => (current = message))
      },
      // Whoever leaves the loop has dealt with the message that it was left with.
      return: async () => {
        acknowledge()
        await this.unsubscribe()
        return DONE
      }
    }
  }

  #wait(onMessage: (message: Message) => void): Promise<Step> {
    if (this.#isEnded) return this.#error === undefined ? Promise.resolve(DONE) : Promise.reject(this.#error)
    const waiting = Promise.withResolvers<Step>()
    this.#waiting.push(waiting)
    return waiting.promise.then((step) => {
      if (step.done !== true) onMessage(step.value)
      return step
    })
  }

  get #length(): number {
    return this.#buffer.length - this.#head
  }

  #keep(message: ReceivedMessage): void {
    this.#buffer.push(message)
    if (this.#isFull || this.#length < this.#bufferMaximum || this.options.whenBufferFull?.startsWith('drop') === true) return
    this.#isFull = true
    this.#owner.onFull(this)
  }

  /** What may be dropped is QoS 0 alone. Returns whether the message is to be kept. */
  #makeRoom(message: ReceivedMessage): boolean {
    const { whenBufferFull = 'pause' } = this.options
    if (whenBufferFull === 'pause' && !this.#owner.isReadOn) return true
    if (whenBufferFull !== 'drop-oldest' && message.qos === 0) {
      this.#emitter.emit('dropped', { message, reason: 'buffer-full' })
      return false
    }
    if (whenBufferFull === 'pause') return true
    const index = this.#buffer.findIndex(({ qos }, index) => index >= this.#head && qos === 0)
    const [oldest] = index < 0 ? [] : this.#buffer.splice(index, 1)
    if (oldest !== undefined) this.#emitter.emit('dropped', { message: oldest, reason: 'buffer-full' })
    return true
  }

  #shift(): ReceivedMessage | undefined {
    const message = this.#buffer[this.#head]
    if (message === undefined) return undefined
    this.#head++
    if (this.#head * 2 >= this.#buffer.length) {
      this.#buffer.splice(0, this.#head)
      this.#head = 0
    }
    if (this.#isFull && this.#length * 2 <= this.#bufferMaximum) this.#letRead()
    return message
  }

  #letRead(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#owner.onRoom(this)
  }

  #unseen(): ReceivedMessage[] {
    const unseen = this.#buffer.slice(this.#head)
    this.#buffer = []
    this.#head = 0
    return unseen
  }

  #handle(handler: MessageHandler, message: ReceivedMessage): void {
    let result: unknown
    try {
      result = handler(message)
    } catch (error) {
      this.#failed(message, error)
      return
    }
    if (!isPromiseLike(result)) {
      if (this.#isAutomatic) message.ack()
      return
    }
    this.#isBusy = true
    void Promise.resolve(result)
      .then(
        () => {
          if (this.#isAutomatic) message.ack()
        },
        (error: unknown) => this.#failed(message, error)
      )
      .then(() => this.#handleNext(handler))
  }

  #handleNext(handler: MessageHandler): void {
    this.#isBusy = false
    while (!this.#isBusy && !this.#isEnded) {
      const next = this.#shift()
      if (next === undefined) return
      this.#handle(handler, next)
    }
  }

  #failed(message: ReceivedMessage, error: unknown): void {
    message.reject()
    this.#emitter.emit('handlerFailed', { error, message })
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
