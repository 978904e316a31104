import { ReasonCode } from '@godwit/protocol'

/** A bound of the broker: what it is by default, what it may be set to, why it exists, and how a client hears of it. */
export interface Limit {
  readonly default: number
  readonly min: number
  readonly max: number
  /** What it bounds, with its unit, and why. */
  readonly purpose: string
  /** What a 5.0 client is told when it meets the bound; undefined: nothing is refused, a message has a fate instead. */
  readonly reasonCode: ReasonCode | undefined
}

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const FOUR_BYTES = 0xffff_ffff

export type LimitName =
  | 'clientsMax'
  | 'pendingConnectionsMax'
  | 'connectTimeoutSeconds'
  | 'authenticationTimeoutSeconds'
  | 'sessionsMax'
  | 'sessionExpirySecondsMax'
  | 'clientIdBytesMax'
  | 'keepAliveSecondsMax'
  | 'packetBytesMax'
  | 'receiveMaximum'
  | 'unreleasedBytesMax'
  | 'inflightMax'
  | 'topicAliasMaximum'
  | 'topicBytesMax'
  | 'topicLevelsMax'
  | 'subscriptionsPerClientMax'
  | 'subscriptionsMax'
  | 'queuedMessagesMax'
  | 'queuedBytesMax'
  | 'transientQueuedMessagesMax'
  | 'transientQueuedBytesMax'
  | 'transientQueuesBytesMax'
  | 'retainedMessagesMax'
  | 'storedBytesMax'
  | 'unsavedHistoryBytesMax'
  | 'writeBufferBytesMax'
  | 'writeBuffersBytesMax'
  | 'recentDropsMax'
  | 'fateClientsMax'
  | 'cachedTopicsMax'

/** Every bound of the broker. The names are the keys of its configuration. */
export const LIMITS: Readonly<Record<LimitName, Limit>> = {
  clientsMax: {
    default: 1_000_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'network connections that have been accepted with CONNACK, each of which costs some kilobytes',
    reasonCode: ReasonCode.QuotaExceeded
  },
  pendingConnectionsMax: {
    default: 10_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'network connections that have not been accepted yet: what strangers may hold',
    reasonCode: undefined
  },
  connectTimeoutSeconds: {
    default: 10,
    min: 1,
    max: 3600,
    purpose: 'seconds from the opening of a network connection to its acceptance, so that silent ones go away',
    reasonCode: undefined
  },
  authenticationTimeoutSeconds: {
    default: 10,
    min: 1,
    max: 3600,
    purpose: 'seconds that one step of re-authentication may take on either side',
    reasonCode: ReasonCode.NotAuthorized
  },
  sessionsMax: {
    default: 1_000_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'sessions, with or without a connection',
    reasonCode: ReasonCode.QuotaExceeded
  },
  sessionExpirySecondsMax: {
    default: FOUR_BYTES,
    min: 0,
    max: FOUR_BYTES,
    purpose: 'seconds that a session may outlive its connection, also for 3.1.1; 4,294,967,295: for ever',
    reasonCode: undefined
  },
  clientIdBytesMax: {
    default: 1024,
    min: 23,
    max: 0xffff,
    purpose: 'bytes of a ClientID; 23 is what every server has to take ([5.0 MQTT-3.1.3-5])',
    reasonCode: ReasonCode.ClientIdentifierNotValid
  },
  keepAliveSecondsMax: {
    default: 0,
    min: 0,
    max: 0xffff,
    purpose: 'seconds of Keep Alive that a 5.0 client is told to use at most (Server Keep Alive); 0: its own choice',
    reasonCode: ReasonCode.KeepAliveTimeout
  },
  packetBytesMax: {
    default: 1 * MiB,
    min: 128,
    max: 268_435_460,
    purpose: 'bytes of a packet (Maximum Packet Size): what a single connection can make the broker hold',
    reasonCode: ReasonCode.PacketTooLarge
  },
  receiveMaximum: {
    default: 1024,
    min: 1,
    max: 0xffff,
    purpose: 'QoS 1 and 2 messages that a client may have unacknowledged on their way in; 3.1.1 clients cannot be told',
    reasonCode: ReasonCode.ReceiveMaximumExceeded
  },
  unreleasedBytesMax: {
    default: 64 * MiB,
    min: 1 * KiB,
    max: 64 * GiB,
    purpose: 'bytes of QoS 2 messages that a session may leave unreleased: each waits for its PUBREL',
    reasonCode: ReasonCode.QuotaExceeded
  },
  inflightMax: {
    default: 256,
    min: 1,
    max: 0xffff,
    purpose: 'QoS 1 and 2 messages on their way to one client, whatever larger Receive Maximum it has',
    reasonCode: undefined
  },
  topicAliasMaximum: {
    default: 32,
    min: 0,
    max: 0xffff,
    purpose: 'topic aliases per connection and direction; each may hold a topic name',
    reasonCode: ReasonCode.TopicAliasInvalid
  },
  topicBytesMax: {
    default: 4096,
    min: 1,
    max: 0xffff,
    purpose: 'bytes of a topic name or filter',
    reasonCode: ReasonCode.TopicNameInvalid
  },
  topicLevelsMax: {
    default: 128,
    min: 1,
    max: 4096,
    purpose: 'levels of a topic name or filter: matching walks them one by one',
    reasonCode: ReasonCode.TopicNameInvalid
  },
  subscriptionsPerClientMax: {
    default: 100_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'subscriptions of one session',
    reasonCode: ReasonCode.QuotaExceeded
  },
  subscriptionsMax: {
    default: 10_000_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'subscriptions of all sessions',
    reasonCode: ReasonCode.QuotaExceeded
  },
  queuedMessagesMax: {
    default: 1_000_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'messages that wait for one session, per topic filter it subscribed to; the oldest go first',
    reasonCode: undefined
  },
  queuedBytesMax: {
    default: 1 * GiB,
    min: 1 * KiB,
    max: 1024 * GiB,
    purpose: 'bytes of messages that wait for one session, per topic filter it subscribed to; the oldest go first',
    reasonCode: undefined
  },
  transientQueuedMessagesMax: {
    default: 100_000,
    min: 1,
    max: FOUR_BYTES,
    purpose: 'QoS 1 and 2 messages that wait in memory for one session that ends with its connection; the oldest go first',
    reasonCode: undefined
  },
  transientQueuedBytesMax: {
    default: 64 * MiB,
    min: 1 * KiB,
    max: 64 * GiB,
    purpose: 'bytes of messages that wait in memory for one session that ends with its connection; the oldest go first',
    reasonCode: undefined
  },
  transientQueuesBytesMax: {
    default: 1 * GiB,
    min: 64 * KiB,
    max: 1024 * GiB,
    purpose: 'bytes that wait in memory for all such sessions together; past them each is held to a sixteenth of its own bound',
    reasonCode: undefined
  },
  retainedMessagesMax: {
    default: 1_000_000,
    min: 0,
    max: FOUR_BYTES,
    purpose: 'retained messages; one more is refused, replacing and removing goes on',
    reasonCode: ReasonCode.QuotaExceeded
  },
  storedBytesMax: {
    default: 4 * GiB,
    min: 1 * MiB,
    max: 1024 * 1024 * GiB,
    purpose: 'bytes of all messages that are kept, queued and retained; past them what would have to be kept is refused',
    reasonCode: ReasonCode.QuotaExceeded
  },
  unsavedHistoryBytesMax: {
    default: 64 * MiB,
    min: 0,
    max: 64 * GiB,
    purpose: 'bytes of QoS 0 messages that wait to be written to a history; past them messages are sent on, but not kept',
    reasonCode: undefined
  },
  writeBufferBytesMax: {
    default: 8 * MiB,
    min: 128 * KiB,
    max: 1 * GiB,
    purpose: 'bytes that wait for a client that reads slowly; past them QoS 0 is dropped and the rest stays in its queue',
    reasonCode: undefined
  },
  writeBuffersBytesMax: {
    default: 512 * MiB,
    min: 64 * KiB,
    max: 64 * GiB,
    purpose: 'bytes that wait for all slow clients together; past them each is held to a sixteenth of its own bound',
    reasonCode: undefined
  },
  recentDropsMax: {
    default: 1000,
    min: 0,
    max: 1_000_000,
    purpose: 'dropped messages that are remembered one by one, for looking up',
    reasonCode: undefined
  },
  fateClientsMax: {
    default: 100_000,
    min: 0,
    max: 10_000_000,
    purpose: 'clients with counters of their own for messages not delivered; past them one not touched for long is forgotten',
    reasonCode: undefined
  },
  cachedTopicsMax: {
    default: 10_000,
    min: 1,
    max: 10_000_000,
    purpose: 'topic names whose matching subscriptions are remembered',
    reasonCode: undefined
  }
}

/** A value for every limit. */
export type Limits = { readonly [Name in LimitName]: number }

const LIMIT_NAMES = Object.keys(LIMITS).filter(isLimitName)

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name)
}

/**
 * The limits of a broker: the given ones, and the defaults for the rest.
 * @throws RangeError that names the limit, what was given and what is accepted
 */
export function resolveLimits(given: Partial<Limits>): Limits {
  for (const name of Object.keys(given)) {
    if (!isLimitName(name)) {
      throw new RangeError(`limits.${name} is not a limit; there are ${LIMIT_NAMES.join(', ')}`)
    }
  }
  const resolved: Record<string, number> = {}
  for (const name of LIMIT_NAMES) resolved[name] = checkLimit(name, given[name] ?? LIMITS[name].default)
  return isComplete(resolved) ? resolved : unreachableLimits()
}

function checkLimit(name: LimitName, value: number): number {
  const { min, max } = LIMITS[name]
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`limits.${name} is ${value}; accepted is a whole number from ${min} to ${max}`)
  }
  return value
}

function isComplete(limits: Record<string, number>): limits is Limits {
  return LIMIT_NAMES.every((name) => name in limits)
}

function unreachableLimits(): never {
  throw new Error('a limit has neither a value nor a default')
}
