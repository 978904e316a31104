import { createHash } from 'node:crypto'
import type { QueueId } from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'
import { bufferOf, ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { writeMessage } from './message-codec.ts'

/**
 * What the data file holds: four tables, each ordered by its keys' bytes.
 *
 * ```
 * log       sequence                        → the queues it was appended to, the message; or some, see log-runs.ts
 * index     queue, sequence                 → what the queue held before it, in messages and bytes, and its own bytes;
 *                                             or those of some messages up to it, see log-runs.ts
 * records   kind, number or hash            → everything else, see RecordKind
 * retained  topic name                      → its bytes, its sequence number, the message
 * ```
 * Sequence numbers, queues, sessions and groups take six bytes: at 100,000 a second they last for 89 years.
 */
export const TABLES = ['log', 'index', 'records', 'retained'] as const

export type TableName = (typeof TABLES)[number]

/** Raised whenever what is below can no longer read what an earlier version wrote. */
export const FORMAT_VERSION = 4

/** The first byte of a key in the table of records. */
export const RecordKind = {
  /** → the word `godwit-store`, FORMAT_VERSION */
  Format: 0x46,
  /** → see Totals */
  Totals: 0x4d,
  /** → see JournalPlace: the last commit of the journal that the tables hold */
  Merged: 0x4a,
  /** queue → topic filter */
  Queue: 0x51,
  /** queue → the sequence number through which it is being cut, by slices: dropped, if there is no such queue */
  Trim: 0x54,
  /** session → SessionRecord */
  Session: 0x53,
  /** group → SharedGroupRecord */
  Group: 0x47,
  /** session or group → ProgressRecord */
  Progress: 0x50,
  /** session, topic filter → SubscriptionRecord */
  Subscription: 0x42,
  /** session, packet identifier → StoredReceived */
  Received: 0x52,
  /** session, packet identifier → the message in flight */
  Inflight: 0x49,
  /** ClientID → WillRecord */
  Will: 0x57
} as const

export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

export const SEQUENCE_MAX: SequenceNumber = 2 ** 48 - 1

/** LMDB's limit is 1,978 bytes. */
const TEXT_KEY_MAX = 1_024

export function logKey(sequence: SequenceNumber): Buffer {
  const key = Buffer.allocUnsafe(6)
  key.writeUIntBE(sequence, 0, 6)
  return key
}

export function sequenceOfLogKey(key: Uint8Array): SequenceNumber {
  return bufferOf(key).readUIntBE(0, 6)
}

export function indexKey(queue: QueueId, sequence: SequenceNumber): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUIntBE(queue, 0, 6)
  key.writeUIntBE(sequence, 6, 6)
  return key
}

export function queueOfIndexKey(key: Uint8Array): QueueId {
  return bufferOf(key).readUIntBE(0, 6)
}

export function sequenceOfIndexKey(key: Uint8Array): SequenceNumber {
  return bufferOf(key).readUIntBE(6, 6)
}

/** The key of a record without a number. */
export function recordKey(kind: RecordKind): Buffer {
  return Buffer.of(kind)
}

/** The key of a numbered record, or the beginning of the keys of all that belongs to it. */
export function numberedKey(kind: RecordKind, number: number, rest: Uint8Array = EMPTY): Buffer {
  const key = Buffer.allocUnsafe(7 + rest.byteLength)
  key[0] = kind
  key.writeUIntBE(number, 1, 6)
  key.set(rest, 7)
  return key
}

const EMPTY = new Uint8Array(0)

export function numberOfKey(key: Uint8Array): number {
  return bufferOf(key).readUIntBE(1, 6)
}

export function receivedKey(session: number, packetIdentifier: number): Buffer {
  return identifierKey(RecordKind.Received, session, packetIdentifier)
}

export function inflightKey(session: number, packetIdentifier: number): Buffer {
  return identifierKey(RecordKind.Inflight, session, packetIdentifier)
}

function identifierKey(kind: RecordKind, session: number, packetIdentifier: number): Buffer {
  return numberedKey(kind, session, Buffer.of(packetIdentifier >> 8, packetIdentifier & 0xff))
}

export function packetIdentifierOfKey(key: Uint8Array): number {
  return ((key[7] ?? 0) << 8) | (key[8] ?? 0)
}

export function willKey(clientId: string): Buffer {
  return Buffer.concat([Buffer.of(RecordKind.Will), textKey(clientId)])
}

export function subscriptionKey(session: number, topicFilter: string): Buffer {
  return numberedKey(RecordKind.Subscription, session, textKey(topicFilter))
}

/**
 * A string as a key: its UTF-8, or, where that is too long for a key, how it begins and a hash of it all. The latter are
 * longer than any of the former, so that no two strings share a key, and sort among what begins alike.
 */
export function textKey(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= TEXT_KEY_MAX) return bytes
  return Buffer.concat([bytes.subarray(0, TEXT_KEY_MAX), createHash('sha256').update(bytes).digest()])
}

/** What the keys of all strings that begin with `text` begin with. */
export function textKeyPrefix(text: string): Buffer {
  return Buffer.from(text).subarray(0, TEXT_KEY_MAX)
}

/** The string of a key, where the key holds all of it. */
export function textOfKey(key: Buffer): string | undefined {
  return key.length <= TEXT_KEY_MAX ? key.toString() : undefined
}

/** The first key after all that begin with `prefix`, which is not all 0xFF. */
export function endOfPrefix(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix)
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] ?? 0
    if (byte === 0xff) continue
    end[index] = byte + 1
    return end.subarray(0, index + 1)
  }
  return Buffer.of(0xff)
}

/** What a message's place in a queue says, so that a backlog is the difference of two places. */
export interface IndexEntry {
  /** No other queue holds the message. */
  readonly isOnly: boolean
  readonly messagesBefore: number
  readonly bytesBefore: number
  readonly bytes: number
}

export function writeIndexEntry(writer: ByteWriter, { isOnly, messagesBefore, bytesBefore, bytes }: IndexEntry): void {
  writer.byte(isOnly ? 1 : 0)
  writer.varint(messagesBefore)
  writer.varint(bytesBefore)
  writer.varint(bytes)
}

export function readIndexEntry(value: Uint8Array): IndexEntry {
  const reader = new ByteReader(value)
  return {
    isOnly: reader.byte() === 1,
    messagesBefore: reader.varint(),
    bytesBefore: reader.varint(),
    bytes: reader.varint()
  }
}

export function writeLogValue(writer: ByteWriter, queues: readonly QueueId[], message: StoredMessage): void {
  writer.varint(queues.length)
  for (const queue of queues) writer.varint(queue)
  writeMessage(writer, message)
}

export interface LogValue {
  readonly message: StoredMessage
  readonly queues: readonly QueueId[]
}

/**
 * The queues of a message in the log; the message follows.
 *
 * @param similar those of another message, which may be the same
 */
export function readLogQueues(reader: ByteReader, similar?: readonly QueueId[]): readonly QueueId[] {
  const count = reader.varint()
  if (count === 1) {
    const queue = reader.varint()
    return similar?.length === 1 && similar[0] === queue ? similar : [queue]
  }
  const queues: QueueId[] = []
  for (let left = count; left > 0; left--) queues.push(reader.varint())
  return queues
}

/** The note that a queue is being cut. */
export function trimValue(through: SequenceNumber): Buffer {
  return logKey(through)
}

export function throughOfTrim(value: Uint8Array): SequenceNumber {
  return new ByteReader(value).uint48()
}

/** What is known of the whole store without reading it. */
export interface Totals {
  /** Sequence numbers up to here may have been given. */
  readonly sequencesGiven: SequenceNumber
  /** The highest queue ever made. */
  readonly lastQueue: QueueId
  /** What all retained messages measure. */
  readonly retainedBytes: number
}

export function writeTotals(writer: ByteWriter, { sequencesGiven, lastQueue, retainedBytes }: Totals): void {
  writer.varint(sequencesGiven)
  writer.varint(lastQueue)
  writer.varint(retainedBytes)
}

export function readTotals(value: Uint8Array): Totals {
  const reader = new ByteReader(value)
  return { sequencesGiven: reader.varint(), lastQueue: reader.varint(), retainedBytes: reader.varint() }
}

/** A commit of the journal (see journal.ts). */
export interface JournalPlace {
  /** The name that a store gave its journal when it began: another's is not its own. */
  readonly journal: number
  /** Commits are numbered from 1, across openings. */
  readonly number: number
}

export const JOURNAL_NAME_MAX: number = 2 ** 48 - 1

export function writeJournalPlace(writer: ByteWriter, { journal, number }: JournalPlace): void {
  writer.uint48(journal)
  writer.varint(number)
}

export function readJournalPlace(value: Uint8Array): JournalPlace {
  const reader = new ByteReader(value)
  return { journal: reader.uint48(), number: reader.varint() }
}
