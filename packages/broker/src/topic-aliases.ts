import { MqttError, ReasonCode } from '@godwit/protocol'

/** The aliases that a client has set for what it publishes; they die with the connection ([5.0 MQTT-3.3.2-7]). */
export class InboundTopicAliases {
  readonly #maximum: number
  /** Made when the first comes: most clients set none. */
  #topicNames: Map<number, string> | undefined = undefined

  /** @param maximum the Topic Alias Maximum that CONNACK announced */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /**
   * The topic name of a PUBLISH that carries an alias; a non-empty name sets or replaces the alias.
   * @throws MqttError 0x94 above the maximum ([5.0 MQTT-3.3.2-9]); 0x82 for an alias that was never set
   */
  resolve(alias: number, topicName: string): string {
    if (alias > this.#maximum) {
      throw new MqttError(
        ReasonCode.TopicAliasInvalid,
        `Topic Alias ${alias} is above the Topic Alias Maximum of ${this.#maximum}`
      )
    }
    if (topicName !== '') {
      this.#topicNames ??= new Map()
      this.#topicNames.set(alias, topicName)
      return topicName
    }
    const known = this.#topicNames?.get(alias)
    if (known === undefined) throw new MqttError(ReasonCode.ProtocolError, `Topic Alias ${alias} has not been set`)
    return known
  }
}

/** The aliases that the broker sets for what it sends to a client: the first topics to come get them, and keep them. */
export class OutboundTopicAliases {
  readonly #maximum: number
  readonly #aliases = new Map<string, number>()

  /** @param maximum how many: at most the client's Topic Alias Maximum ([5.0 MQTT-3.1.2-26]) */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** The alias the client already knows for a topic; 0: none. */
  known(topicName: string): number {
    return this.#aliases.get(topicName) ?? 0
  }

  /** Gives a topic an alias, to be sent along with its name; 0: none is left. */
  assign(topicName: string): number {
    if (this.#aliases.size >= this.#maximum) return 0
    const alias = this.#aliases.size + 1
    this.#aliases.set(topicName, alias)
    return alias
  }
}
