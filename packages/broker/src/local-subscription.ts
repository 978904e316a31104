import type { Message } from './message.ts'

/** A subscription of the application that embeds the broker: QoS 0, in the process, without a session. */
export class LocalSubscription {
  readonly topicFilter: string
  readonly #listener: (message: Message) => void

  constructor(topicFilter: string, listener: (message: Message) => void) {
    this.topicFilter = topicFilter
    this.#listener = listener
  }

  deliver(message: Message): void {
    this.#listener(message)
  }
}
