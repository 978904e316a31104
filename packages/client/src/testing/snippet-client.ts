// What snippets find as `@godwit/client`: the package, and a note of the clients that they make and of how far their loops have come.
import type { Message } from '../message.ts'
import { type Client, type ClientOptions, connect as connectClient, openClient as openAnyClient } from '../index.ts'
import type { MessageHandler, SubscribeOptions } from '../options.ts'
import type { Subscription } from '../subscription.ts'

export * from '../index.ts'

type Url = string | readonly string[]

/** A subscription that a snippet has made. */
interface Followed {
  readonly isLoop: boolean
  /** Messages that it has dealt with. */
  count: number
  isEnded: boolean
}

/** Every subscription is sent so many. */
export const MESSAGES_EACH = 3

class Following {
  readonly clients: Client[] = []
  readonly subscriptions: Followed[] = []
  #failure: { readonly error: unknown } | undefined = undefined
  #onProgress = (): void => undefined

  add(client: Client): Client {
    const subscribe = client.subscribe.bind(client)
    client.subscribe = (filter: string, options?: SubscribeOptions, handler?: MessageHandler) =>
      this.#subscribe(subscribe, filter, options ?? {}, handler)
    this.clients.push(client)
    return client
  }

  /** Resolves once a loop waits for more than it is sent, or the snippet has ended, and every subscription has had all it is sent. */
  async isServed(ending: Promise<unknown>): Promise<void> {
    let hasEnded = false
    await new Promise<void>((resolve) => {
      this.#onProgress = (): void => {
        const served = this.subscriptions.filter(({ count, isEnded }) => isEnded || count >= MESSAGES_EACH)
        if (served.length < this.subscriptions.length) return
        if (hasEnded || served.some(({ isLoop, isEnded }) => isLoop && !isEnded)) resolve()
      }
      const onEnd = (): void => {
        hasEnded = true
        this.#onProgress()
      }
      void ending.then(onEnd, () => resolve())
    })
  }

  /** Ends all clients. Rejects with what a handler has failed with. */
  async close(): Promise<void> {
    const clients = this.clients.splice(0)
    const failure = this.#failure
    this.subscriptions.length = 0
    this.#failure = undefined
    await Promise.all(clients.map((client) => client.close()))
    if (failure !== undefined) throw failure.error
  }

  #subscribe(
    subscribe: (filter: string, options: SubscribeOptions, handler?: MessageHandler) => Subscription,
    filter: string,
    options: SubscribeOptions,
    handler: MessageHandler | undefined
  ): Subscription {
    if (filter.startsWith('godwit/reply/')) return subscribe(filter, options, handler)
    const followed: Followed = { isLoop: handler === undefined, count: 0, isEnded: false }
    this.subscriptions.push(followed)
    const counted = async (message: Message): Promise<void> => {
      try {
        await handler?.(message)
      } catch (error) {
        this.#failure = { error }
      }
      followed.count++
      this.#onProgress()
    }
    const subscription = subscribe(filter, options, handler && counted)
    subscription.granted.catch(() => this.#ended(followed))
    const unsubscribe = subscription.unsubscribe.bind(subscription)
    subscription.unsubscribe = async () => {
      this.#ended(followed)
      await unsubscribe()
    }
    const iterate = subscription[Symbol.asyncIterator].bind(subscription)
    subscription[Symbol.asyncIterator] = () => this.#follow(iterate(), followed)
    return subscription
  }

  #follow(iterator: AsyncIterator<Message, undefined>, followed: Followed): AsyncIterator<Message, undefined> {
    let received = 0
    return {
      next: async () => {
        followed.count = received
        this.#onProgress()
        const step = await iterator.next()
        received++
        return step
      },
      return: async () => {
        this.#ended(followed)
        return (await iterator.return?.()) ?? { done: true, value: undefined }
      }
    }
  }

  #ended(followed: Followed): void {
    followed.isEnded = true
    this.#onProgress()
  }
}

export const following: Following = new Following()

export async function connect(url: Url, options: ClientOptions = {}): Promise<Client> {
  return following.add(await connectClient(url, options))
}

export async function openClient(url: Url, options: ClientOptions = {}): Promise<Client> {
  return following.add(await openAnyClient(url, options))
}
