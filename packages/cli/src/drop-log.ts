import type { LogLevel, Server, ServerLogger } from '@godwit/server'

type Broker = Server['broker']
type Drop = Broker['recentDrops'][number]

/** Logs each message that ends other than delivered, at level `debug` alone: otherwise the broker need not even tell. */
export class DropLog {
  readonly #broker: Broker
  readonly #logger: ServerLogger
  readonly #log = ({ fate, topicName, clientId, payloadBytes, count, reason }: Drop): void => {
    this.#logger.debug({ fate, topicName, clientId, payloadBytes, count, reason }, 'message not delivered')
  }

  constructor(broker: Broker, logger: ServerLogger) {
    this.#broker = broker
    this.#logger = logger
  }

  setLevel(level: LogLevel): void {
    this.#broker.events.off('messageDropped', this.#log)
    if (level === 'debug') this.#broker.events.on('messageDropped', this.#log)
  }
}
