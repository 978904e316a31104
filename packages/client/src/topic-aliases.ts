import { MqttError, ReasonCode } from '@godwit/protocol'

/** The Topic Aliases that the server has set on this connection ([5.0 3.3.2.3.4]). */
export class InboundTopicAliases {
  readonly #maximum: number
  #topicNames: string[] | undefined = undefined

  /** @param maximum the Topic Alias Maximum of our CONNECT */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /**
   * The Topic Name that a PUBLISH means.
   *
   * @throws {MqttError} Topic Alias invalid
   */
  resolve(topicName: string, alias: number): string {
    // [5.0 MQTT-3.3.2-10]
    if (alias > this.#maximum) {
      throw new MqttError(ReasonCode.TopicAliasInvalid, `Topic Alias ${alias} is above the maximum of ${this.#maximum}`)
    }
    this.#topicNames ??= []
    if (topicName !== '') {
      this.#topicNames[alias] = topicName
      return topicName
    }
    const known = this.#topicNames[alias]
    if (known === undefined) throw new MqttError(ReasonCode.TopicAliasInvalid, `Topic Alias ${alias} was never set`)
    return known
  }
}

/** The Topic Aliases that we have set on this connection; the topic used longest ago makes room for a new one. */
export class OutboundTopicAliases {
  readonly #maximum: number
  /** From the topic used longest ago to the one used last. */
  readonly #aliases = new Map<string, number>()
  readonly #free: number[] = []

  /** @param maximum the server's Topic Alias Maximum, or less */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** The alias of a topic that the server knows; 0: it knows none. */
  known(topicName: string): number {
    if (this.#maximum === 0) return 0
    const alias = this.#aliases.get(topicName)
    if (alias === undefined) return 0
    // While there is room nothing is ever replaced, and the order does not matter.
    if (this.#aliases.size === this.#maximum) {
      this.#aliases.delete(topicName)
      this.#aliases.set(topicName, alias)
    }
    return alias
  }

  /** An alias to set for a topic that has none; 0: there are none. */
  assign(topicName: string): number {
    if (this.#maximum === 0) return 0
    let alias = this.#free.pop() ?? this.#aliases.size + 1
    if (alias > this.#maximum) {
      const oldest = this.#aliases.entries().next()
      if (oldest.done === true) return 0
      alias = oldest.value[1]
      this.#aliases.delete(oldest.value[0])
    }
    this.#aliases.set(topicName, alias)
    return alias
  }

  /** The PUBLISH that was to set it was not sent: its number goes to the next topic. */
  withdraw(topicName: string): void {
    const alias = this.#aliases.get(topicName)
    if (alias === undefined) return
    this.#aliases.delete(topicName)
    this.#free.push(alias)
  }
}
