import type { MessageProperties } from '@godwit/protocol'

/** Numbers the messages of an outbox, from 1, in the order in which they were accepted. Gaps are allowed. */
export type SequenceNumber = number

/** A message that was accepted at QoS 1 or 2 and that the server has not finished acknowledging. */
export interface OutboxMessage {
  readonly sequence: SequenceNumber
  readonly topicName: string
  readonly payload: Uint8Array
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly properties: MessageProperties
  /** Milliseconds since the Unix epoch. */
  readonly acceptedAtMs: number
  /** Milliseconds since the Unix epoch; 0: it does not expire. */
  readonly expiresAtMs: number
  /** At QoS 2: its PUBREC has come, so PUBREL is what is sent from here on, and never the message again. */
  readonly isReleased: boolean
}

/** What an outbox holds when it is opened. */
export interface OutboxContents {
  /** The Client Identifier that the outbox belongs to; undefined if it was never used. */
  readonly clientId: string | undefined
  /** Above every sequence number that was ever committed, also to messages that are gone. */
  readonly nextSequence: SequenceNumber
  /** How many messages wait in it. */
  readonly messages: number
  /** The sum of `outboxBytes` of them. */
  readonly bytes: number
  /** Packet Identifiers of QoS 2 messages that were received and taken, but not yet released by the server. */
  readonly receivedIdentifiers: readonly number[]
}

/** What happened since the commit before. A number is in at most one of two lists that contradict each other. */
export interface OutboxChanges {
  /** Set once, before the first message. */
  readonly clientId: string | undefined
  /** Accepted messages, rising by sequence number, above all that were committed before. */
  readonly put: readonly OutboxMessage[]
  /** Messages whose PUBREC has come. */
  readonly release: readonly SequenceNumber[]
  /** Messages that are finished: acknowledged, refused, expired or dropped. Numbers that it does not hold are no error. */
  readonly remove: readonly SequenceNumber[]
  /** Packet Identifiers to add to the received ones; adding one that is there is no error. */
  readonly received: readonly number[]
  /** Packet Identifiers to take from the received ones; taking one that is not there is no error. */
  readonly forgotten: readonly number[]
}

/** How much `read` may return. */
export interface ReadLimit {
  readonly messages: number
  /** The sum of `outboxBytes`; the first message is returned whatever its size. */
  readonly bytes: number
}

/**
 * Where a client keeps what it has accepted until the server has it. One client has it open at a time, calls `commit` again only when the
 * commit before has ended, and reads only what is committed. `@godwit/client/outbox-suite` is what every store must pass.
 */
export interface OutboxStore {
  /** Whether a commit survives the end of the process; a client does not wait for the commits of one that does not. */
  readonly isDurable: boolean
  /** Opens it; called once. Rejects if it is in use, damaged or of another format, in one line that says so. */
  open(): Promise<OutboxContents>
  /**
   * Makes all changes or none, and resolves once they are as safe as this store makes them: synced, on a disk. After a rejection nothing
   * has changed, and the client tries again with these changes and what has come since.
   */
  commit(changes: OutboxChanges): Promise<void>
  /** Messages above a sequence number, in order, as many as there are up to the limit. Only an empty answer means that there are none. */
  read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]>
  /** Lets go of it; called once, when no commit is under way. It may be opened again by another client then. */
  close(): Promise<void>
}

/** What each message takes beside its topic and payload, roughly, whatever the store. */
const MESSAGE_OVERHEAD_BYTES = 64

/** What a message counts against the bounds of an outbox: its topic, in UTF-16 units, its payload and a constant for the rest. */
export function outboxBytes(message: Pick<OutboxMessage, 'topicName' | 'payload'>): number {
  return message.topicName.length + message.payload.byteLength + MESSAGE_OVERHEAD_BYTES
}
