import type { SubscriptionOptions } from '@godwit/protocol'
import type { SequenceNumber, StoredMessage } from './stored-message.ts'

/** A session that outlives its network connection. */
export interface SessionRecord {
  readonly clientId: string
  /** Seconds after the connection closes; Infinity: never (0xFFFFFFFF on the wire, and every 3.1.1 session). */
  readonly sessionExpiryIntervalSeconds: number
  /** When the last connection closed: milliseconds since the Unix epoch; 0: it was connected. */
  readonly disconnectedAtMs: number
}

export interface SubscriptionRecord extends SubscriptionOptions {
  /** As the client wrote it, `$share/NAME/` included. */
  readonly topicFilter: string
  /** 0: none. */
  readonly subscriptionIdentifier: number
  /** The subscription covers what came after this sequence number. */
  readonly since: SequenceNumber
  /** Retained messages that are still to be sent for this subscription. */
  readonly retainedScan: RetainedScanRecord | undefined
}

export interface RetainedScanRecord {
  /** Only messages retained up to here: later ones reach the subscription by the log. */
  readonly upTo: SequenceNumber
  /** The topic name that the scan has reached; undefined: it has not begun. */
  readonly after: string | undefined
}

/** A shared subscription's group: a consumer of its own, whose members are hands. */
export interface SharedGroupRecord {
  /** `$share/NAME/FILTER` */
  readonly filter: string
  readonly since: SequenceNumber
}

/** How far a consumer has come: the one small record that acknowledgements change. */
export interface ProgressRecord {
  /** Everything up to and including this sequence number is finished. */
  readonly cursor: SequenceNumber
  /** What is finished above the cursor, rising. */
  readonly finished: readonly SequenceNumber[]
  /** Sent and not yet acknowledged by PUBACK or PUBREC, in the order sent. Empty for a group. */
  readonly inflight: readonly InflightRecord[]
  /** Identifiers for which PUBREC has come and PUBCOMP has not, in the order of the PUBRECs. Empty for a group. */
  readonly released: readonly number[]
}

export interface InflightRecord {
  readonly packetIdentifier: number
  readonly sequence: SequenceNumber
  readonly qos: 1 | 2
  /** The RETAIN flag and the Subscription Identifiers that it was sent with, and is sent with again. */
  readonly retain: boolean
  readonly subscriptionIdentifiers: readonly number[]
  /** The message, where it cannot be read back from the consumer's own queues: a retained or shared one. */
  readonly message: StoredMessage | undefined
  /** `$share/NAME/FILTER` of the group that it was sent for; undefined: the session's own. */
  readonly group: string | undefined
}

/** A Will Message, kept until its connection ends: a broker that crashed publishes those of the connections it lost. */
export interface WillRecord {
  readonly clientId: string
  readonly message: StoredMessage
  /** Seconds. */
  readonly delayIntervalSeconds: number
  /** When the connection closed and the delay began: milliseconds since the Unix epoch; 0: it was connected. */
  readonly dueSinceMs: number
}

export interface ReceivedRecord {
  readonly packetIdentifier: number
  readonly message: StoredMessage
}

/** A session with all that belongs to it. */
export interface StoredSession {
  readonly session: SessionRecord
  readonly subscriptions: readonly SubscriptionRecord[]
  readonly progress: ProgressRecord
  /** In the order put. */
  readonly received: readonly ReceivedRecord[]
}

export interface StoredSharedGroup {
  readonly group: SharedGroupRecord
  readonly progress: ProgressRecord
}

/** What a store held when it was opened. Messages are not among it: they stay where they are until they are read. */
export interface StoreContents {
  readonly sessions: readonly StoredSession[]
  readonly sharedGroups: readonly StoredSharedGroup[]
  readonly wills: readonly WillRecord[]
}

/** The progress of a consumer that has finished everything up to a sequence number, and nothing else. */
export function progressAt(cursor: SequenceNumber): ProgressRecord {
  return { cursor, finished: [], inflight: [], released: [] }
}
