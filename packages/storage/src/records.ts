import type { SubscriptionOptions } from '@godwit/protocol'
import type { SequenceNumber, StoredMessage } from './stored-message.ts'

/** A session that outlives its network connection. */
export interface SessionRecord {
  readonly clientId: string
  /** Seconds after the connection closes; Infinity: never (0xFFFFFFFF on the wire, and every 3.1.1 session). */
  readonly sessionExpiryIntervalSeconds: number
  /** When the last connection closed: milliseconds since the Unix epoch; 0: it was connected. */
  readonly disconnectedAtMs: number
  /** The name of the listener by which its client last connected; '': not known. */
  readonly listener: string
}

/** The `through` of a range that takes in whatever comes. */
export const OPEN_END: SequenceNumber = Number.MAX_SAFE_INTEGER

/** Sequence numbers above `after`, up to and including `through`. */
export interface SequenceRange {
  readonly after: SequenceNumber
  readonly through: SequenceNumber
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
  /** What was given up of its queue because too much waited there; rising and disjoint, the last perhaps to `OPEN_END`. */
  readonly skipped: readonly SequenceRange[]
  /** The subscription that this one, of QoS 0, replaced while messages waited for it. */
  readonly leaving: LeavingRecord | undefined
  /** The history that was asked for with this subscription. */
  readonly replay: ReplayRecord | undefined
}

export interface RetainedScanRecord {
  /** Only messages retained up to here: later ones reach the subscription by the log. */
  readonly upTo: SequenceNumber
  /** The topic name that the scan has reached; undefined: it has not begun. */
  readonly after: string | undefined
}

/** A subscription of QoS 1 or 2 that was replaced, with the filter that it shares with its successor. */
export interface LeavingRecord extends SubscriptionOptions {
  readonly qos: 1 | 2
  /** 0: none. */
  readonly subscriptionIdentifier: number
  /** It covers what came after `since`, up to and including `until`. */
  readonly since: SequenceNumber
  readonly until: SequenceNumber
}

export interface ReplayRecord {
  /** The topic filter whose history it is. */
  readonly historyFilter: string
  /** What came after this sequence number is still to be sent; undefined: all has been, and the subscription is live. */
  readonly after: SequenceNumber | undefined
}

/** A shared subscription's group: a consumer of its own, whose members are hands. */
export interface SharedGroupRecord {
  /** `$share/NAME/FILTER` */
  readonly filter: string
  readonly since: SequenceNumber
  /** As for a subscription. */
  readonly skipped: readonly SequenceRange[]
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

/**
 * A message on its way. It is read back from the queues of the session, or of the group, unless it was kept under its
 * packet identifier (see `Store.putInflight`).
 */
export interface InflightRecord {
  readonly packetIdentifier: number
  /** 0: it did not come by the log. */
  readonly sequence: SequenceNumber
  readonly qos: 1 | 2
  /** The RETAIN flag and the Subscription Identifiers that it was sent with, and is sent with again. */
  readonly retain: boolean
  readonly subscriptionIdentifiers: readonly number[]
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

/** A message in flight that cannot be read back from a queue: a retained one, or one whose queue was left. */
export interface InflightMessageRecord {
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
  /** In no particular order. */
  readonly inflightMessages: readonly InflightMessageRecord[]
}

export interface StoredSharedGroup {
  readonly group: SharedGroupRecord
  readonly progress: ProgressRecord
}

/**
 * Names a queue: the sequence numbers of the messages that match one durable topic filter. A filter keeps its name when
 * the store is opened again; the name of a dropped queue is not given again.
 */
export type QueueId = number

/** What the queue of a history is named, for no subscription has such a filter: it holds all that a topic filter matches. */
export function historyQueueFilter(topicFilter: string): string {
  return `$replay/all/${topicFilter}`
}

export interface QueueRecord {
  readonly queue: QueueId
  readonly topicFilter: string
}

/** What a store held when it was opened. What is in queues, and what is retained, stays there until it is read. */
export interface StoreContents {
  readonly sessions: readonly StoredSession[]
  readonly sharedGroups: readonly StoredSharedGroup[]
  readonly wills: readonly WillRecord[]
  /** Whoever opens the store drops those that nobody reads any longer. */
  readonly queues: readonly QueueRecord[]
}

/** The progress of a consumer that has finished everything up to a sequence number, and nothing else. */
export function progressAt(cursor: SequenceNumber): ProgressRecord {
  return { cursor, finished: [], inflight: [], released: [] }
}
