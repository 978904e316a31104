export type Fate =
  | 'no-subscriber'
  | 'subscriber-offline'
  | 'slow-subscriber'
  | 'connection-lost'
  | 'queue-full'
  | 'queue-full-refused'
  | 'dead-lettered'
  | 'expired'
  | 'not-in-history'
  | 'not-authorized'
  | 'authorization-failed'
  | 'topic-refused'
  | 'invalid-publish'
  | 'publisher-gone'
  | 'quota-exceeded'
  | 'too-large-for-client'
  | 'refused-by-client'
  | 'session-ended'
  | 'unsubscribed'
  | 'never-released'
  | 'store-failed'
  | 'broker-failed'

/** One way in which a message ends other than delivered. */
export interface FateDescription {
  readonly meaning: string
  /** Whose counter it goes to: of the client that published the message, or of the one that it was for. */
  readonly countedFor: 'publisher' | 'subscriber' | 'either'
  /** What the operator can do about it. */
  readonly remedy: string
}

/**
 * The ways in which a message ends other than delivered, in the order of its path. Each has a counter; nothing is dropped
 * without one. `docs/fates.md` is made from it.
 */
export const FATES: Readonly<Record<Fate, FateDescription>> = {
  'invalid-publish': {
    meaning: 'a PUBLISH that broke the standard, or what CONNACK had told: its connection was closed',
    countedFor: 'publisher',
    remedy: 'correct the client: `reason`, and the log line `client disconnected`, say what was wrong'
  },
  'publisher-gone': {
    meaning: 'it had come, but the connection of its publisher ended before the broker got to it',
    countedFor: 'publisher',
    remedy: 'have the client wait for its acknowledgements before it goes; at QoS 0, for a PINGRESP'
  },
  'topic-refused': {
    meaning: 'its topic name was longer, or had more levels, than this server takes',
    countedFor: 'publisher',
    remedy: 'shorten the topic, or raise `limits.topicBytesMax` or `limits.topicLevelsMax`'
  },
  'not-authorized': {
    meaning: 'the publisher was not allowed to publish to its topic; nobody is under `$SYS/`',
    countedFor: 'publisher',
    remedy: 'allow it, or correct the topic'
  },
  'authorization-failed': {
    meaning: 'whether the publisher was allowed to could not be found out: the `authorize` hook threw',
    countedFor: 'publisher',
    remedy: 'the log has the error at level `error`; the application that gave the hook has to mend it'
  },
  'quota-exceeded': {
    meaning: 'the broker had no room to keep it',
    countedFor: 'publisher',
    remedy: '`reason` has the limit: raise it, or find out who fills it'
  },
  'queue-full-refused': {
    meaning: 'refused to its publisher by an overflow rule, because too much waited for a subscriber',
    countedFor: 'publisher',
    remedy: 'find out why the subscriber falls behind, or choose another action for the rule'
  },
  'store-failed': {
    meaning: 'the store could not keep it, and its publisher was told; or, for a subscriber, not read it back after a restart',
    countedFor: 'either',
    remedy: 'the log and `/health` say what the store fails of: a full disk, a folder that cannot be written to'
  },
  'broker-failed': {
    meaning: 'the broker failed to handle it: a defect of ours',
    countedFor: 'publisher',
    remedy: 'please report it, with the error that the log has at level `error`'
  },
  'never-released': {
    meaning: 'QoS 2, and its PUBREL had not come when the session of its publisher ended',
    countedFor: 'publisher',
    remedy: 'give publishers at QoS 2 a Session Expiry Interval, and have them finish what they began'
  },
  'no-subscriber': {
    meaning: 'nobody had a matching subscription when it was published',
    countedFor: 'publisher',
    remedy: 'compare topic and filter: levels, capitals, a leading `/`; and which of them came first'
  },
  'not-in-history': {
    meaning: 'QoS 0, sent to those who were there, but not kept in its history: the store was full, failing or behind',
    countedFor: 'publisher',
    remedy: 'publish at QoS 1; or raise `limits.storedBytesMax` or `limits.unsavedHistoryBytesMax`'
  },
  'subscriber-offline': {
    meaning: 'QoS 0 for a session whose client was not connected',
    countedFor: 'subscriber',
    remedy: 'use QoS 1 for the message and the subscription: QoS 0 is not kept'
  },
  'slow-subscriber': {
    meaning: 'QoS 0 for a client that read too slowly, so that its write buffer was full',
    countedFor: 'subscriber',
    remedy: 'use QoS 1; or raise `limits.writeBufferBytesMax` or `limits.writeBuffersBytesMax`'
  },
  'connection-lost': {
    meaning: 'QoS 0 that was still in the write buffer of a client when its connection ended',
    countedFor: 'subscriber',
    remedy: 'use QoS 1 where it matters; the log line `client disconnected` says why the connection ended'
  },
  'too-large-for-client': {
    meaning: 'larger than the Maximum Packet Size that its client had asked for',
    countedFor: 'subscriber',
    remedy: 'raise it in the client, or send less at a time'
  },
  'refused-by-client': {
    meaning: 'the client answered with a Reason Code of 0x80 or above',
    countedFor: 'subscriber',
    remedy: '`reason` has the Reason Code: the client knows why'
  },
  expired: {
    meaning: 'its Message Expiry Interval ended before it was sent; or, for a publisher at QoS 2, before its PUBREL came',
    countedFor: 'either',
    remedy: 'if it should have waited longer: its publisher sets the interval'
  },
  'queue-full': {
    meaning: 'dropped from what waited for a session, or before it, because that was too much or too old',
    countedFor: 'subscriber',
    remedy: '`reason` has the limit; find out why the client falls behind, raise the limit, or set an overflow rule'
  },
  'dead-lettered': {
    meaning: 'taken from what waited for a session, because that was too much or too old, and published to another topic',
    countedFor: 'subscriber',
    remedy: 'it is not lost: look at the dead-letter topic of the overflow rule'
  },
  unsubscribed: {
    meaning: 'it waited for a subscription that was ended before it was sent',
    countedFor: 'subscriber',
    remedy: 'nothing, if the client meant it'
  },
  'session-ended': {
    meaning: 'it waited for a session that ended: by its expiry, by a Clean Start, or with its connection',
    countedFor: 'subscriber',
    remedy: 'raise the Session Expiry Interval of the client; on 3.1.1, connect with Clean Session 0'
  }
}

/** In the catalogue's order. */
export const FATE_NAMES: readonly Fate[] = Object.keys(FATES).filter((name): name is Fate => Object.hasOwn(FATES, name))

/** The place of each fate in `FATE_NAMES`. */
export const FATE_INDEXES: ReadonlyMap<Fate, number> = new Map(FATE_NAMES.map((fate, index) => [fate, index]))
