import type { Connection } from './connection.ts'
import { OUTBOUND_TOPIC_ALIASES_MAX } from './limits.ts'
import type { ServerLimits } from './server-limits.ts'
import { OutboundTopicAliases } from './topic-aliases.ts'

/** A connection that the server has accepted, and what holds for as long as it lasts. */
export class Link {
  readonly connection: Connection
  readonly limits: ServerLimits
  readonly topicAliases: OutboundTopicAliases

  constructor(connection: Connection, limits: ServerLimits) {
    this.connection = connection
    this.limits = limits
    connection.serverMaximumPacketSize = limits.maximumPacketSize
    this.topicAliases = new OutboundTopicAliases(Math.min(limits.topicAliasMaximum, OUTBOUND_TOPIC_ALIASES_MAX))
  }
}
