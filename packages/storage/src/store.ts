import type { SequenceNumber, StoredMessage } from './stored-message.ts'
import type {
  ProgressRecord,
  QueueId,
  SessionRecord,
  SharedGroupRecord,
  StoreContents,
  SubscriptionRecord,
  WillRecord
} from './records.ts'

export type { QueueId } from './records.ts'

/** A value that is at hand, or will be: stores that read from memory or a mapped file answer at once. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Commits are numbered in the order in which they become durable, without gaps. Numbers do not outlive the opening that
 * gave them.
 */
export type CommitNumber = number

/** A message in the log, and the queues whose filters it matched when it was appended. */
export interface LogEntry {
  readonly sequence: SequenceNumber
  readonly message: StoredMessage
  readonly queues: readonly QueueId[]
}

/** Where a consumer stands in one of its queues: it has seen everything up to and including `after`. */
export interface QueuePosition {
  readonly queue: QueueId
  readonly after: SequenceNumber
}

export interface RetainedMessage {
  readonly sequence: SequenceNumber
  readonly message: StoredMessage
}

/** A slice of a scan over retained messages. */
export interface RetainedPage {
  /** In an order of topic names that is the store's own and does not change. */
  readonly messages: readonly RetainedMessage[]
  /** What to give as `after` for the next page, itself perhaps not retained; undefined: nothing is left. */
  readonly next: string | undefined
}

/** How much a queue holds behind a position. */
export interface Backlog {
  readonly messages: number
  /** Of the messages' payloads and topic names (in UTF-8). */
  readonly bytes: number
}

/** Someone who works through queues: a session, or a shared subscription's group. */
export interface Consumer {
  readonly kind: 'session' | 'group'
  /** The session's ClientID, or the group's full filter `$share/NAME/FILTER`. */
  readonly key: string
  /**
   * Asked once per commit, just before it starts, however often the consumer was touched. Makes no changes. Not asked
   * if by then the store does not hold the session or group.
   */
  progress(): ProgressRecord
}

/** Told what becomes of each commit, in their order, and never from within a call that makes a change. */
export interface StoreListener {
  /** Every change made while `gatheringCommit` was at most `commit` is durable. */
  onCommitted(commit: CommitNumber): void
  /**
   * The store could not make a commit durable; nothing of it may be acknowledged, and its number is not tried again. What
   * it changed can still be read, and may become durable with a later commit, as `onCommitted` tells of that.
   */
  onCommitFailed(commit: CommitNumber, error: Error): void
}

/**
 * Where a broker keeps what must outlive a connection: one log of messages with a queue of sequence numbers for each
 * durable topic filter, the sessions that read them, retained messages and wills.
 *
 * All changes are synchronous: they join the commit being gathered, can be read back at once, and are durable when the
 * listener hears of that commit. Changes of one commit become durable together or not at all. Whatever puts, deletes,
 * drops, trims, touches or appends is a change, even where it alters nothing: the listener hears of its commit. Deleting,
 * trimming or reading what is not there is harmless.
 *
 * Sequence numbers rise, with gaps, also across openings: a number that a durable record could refer to is never given
 * again. The caller gives away what it puts: neither side changes a message, a record or a list of queues afterwards.
 */
export interface Store {
  /** Opens the store and returns what it holds, each list in no particular order. Called once, before anything else. */
  open(listener: StoreListener): Promise<StoreContents>
  /**
   * Makes everything gathered so far durable, tells the listener, and lets go of the store. What the listener changes when
   * told is made durable as well; no change may follow.
   */
  close(): Promise<void>

  /** What the last commit failed of, or what the next are about to fail of; undefined: all is well. */
  readonly failure: Error | undefined

  /** The number of the commit that a change made now will be part of. While nothing changes, that commit is not made. */
  readonly gatheringCommit: CommitNumber
  /**
   * Somebody waits for the commit being gathered, or for the one that the next change begins: it is made as soon as can be.
   * A store may put off commits that nobody waits for by some milliseconds.
   */
  hasten(): void
  /** The highest sequence number given so far; 0 in a new store. */
  readonly lastSequence: SequenceNumber

  /** The queue of a durable topic filter, made if it does not exist; only then a change. */
  openQueue(topicFilter: string): QueueId
  /** Forgets a queue and every message that only it held. */
  dropQueue(queue: QueueId): void
  /** Cuts a queue: its entries up to and including `through` are finished with. Cutting twice is harmless. */
  trimQueue(queue: QueueId, through: SequenceNumber): void
  /** What a queue holds after a position. */
  backlog(position: QueuePosition): Backlog

  /**
   * About what all messages kept take, topic and payload: in the log once or once for each queue, as the store counts, and
   * retained.
   */
  readonly storedBytes: number

  /**
   * Adds a message to the log and to queues, each named once; those that were dropped are passed over. With no queues it
   * only takes a sequence number.
   */
  append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber
  /** The next entries of several queues, merged in order of sequence, each once; at most `limit`, from 1. */
  read(positions: readonly QueuePosition[], limit: number): MaybePromise<readonly LogEntry[]>

  /** A new session stands at `progressAt(0)` until it is touched. One that is held keeps all that belongs to it. */
  putSession(record: SessionRecord): void
  /** Forgets a session: its subscriptions, its progress, and what it has received and in flight go with it. */
  deleteSession(clientId: string): void
  /** Adds to a session that is held, or replaces the subscription with the same topic filter. */
  putSubscription(clientId: string, record: SubscriptionRecord): void
  deleteSubscription(clientId: string, topicFilter: string): void
  /** As for a session: a new group stands at `progressAt(0)`, one that is held keeps its progress. */
  putSharedGroup(record: SharedGroupRecord): void
  /** Forgets a group and its progress. */
  deleteSharedGroup(filter: string): void
  /**
   * Has the consumer's progress written with the commit being gathered. Where nothing but its cursor has changed, a store
   * may leave it where it was written, if no queue will ever hold anything from between when the store is opened again.
   */
  touch(consumer: Consumer): void

  /**
   * Keeps the receiving half of QoS 2 for a session that is held: the identifier of a PUBLISH that is answered with
   * PUBREC, and its message, which is passed on at PUBREL. An identifier that is kept already is replaced, and is then
   * the last put.
   */
  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void
  deleteReceived(clientId: string, packetIdentifier: number): void

  /**
   * Keeps a message that a session, which is held, has in flight under a packet identifier, and that cannot be read back
   * from a queue. An identifier that is kept already is replaced. Deleted in the commit that writes the progress without
   * it, so that it never stands for another message. Whether progress names the identifier is not looked at.
   */
  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void
  deleteInflight(clientId: string, packetIdentifier: number): void

  /** At most one for each ClientID, whether or not there is a session: a will may outlive it, or never have had one. */
  putWill(record: WillRecord): void
  deleteWill(clientId: string): void

  /** The number of retained messages. */
  readonly retainedCount: number
  hasRetained(topicName: string): boolean
  /** Replaces the message that was retained for the topic name. */
  putRetained(message: StoredMessage, sequence: SequenceNumber): void
  deleteRetained(topicName: string): void
  /**
   * Retained messages whose topics match a filter, after a topic name (undefined: from the start). At most `limit`
   * messages (from 1), and bounded work: a page may be short, or empty, while `next` says that the scan goes on. What is
   * retained from a scan's first page to its last appears exactly once; what comes, changes or goes meanwhile may show
   * either way. The filter is a plain one, without `$share/NAME/`.
   */
  readRetained(topicFilter: string, after: string | undefined, limit: number): MaybePromise<RetainedPage>
}
