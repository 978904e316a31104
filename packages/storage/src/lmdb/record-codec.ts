import { type QoS, RetainHandling, type SubscriptionOptions } from '@godwit/protocol'
import type {
  InflightRecord,
  LeavingRecord,
  ProgressRecord,
  ReplayRecord,
  SequenceRange,
  SessionRecord,
  SharedGroupRecord,
  SubscriptionRecord,
  WillRecord
} from '../records.ts'
import type { StoredMessage } from '../stored-message.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { qosOf, readMessage, writeMessage } from './message-codec.ts'
import { damaged } from './store-error.ts'

// Records on disk: their fields in the order of the interfaces in records.ts, lists with their length before them.
// Whatever is optional has a bit in a byte of flags.

export function writeSession(writer: ByteWriter, record: SessionRecord): void {
  writer.text(record.clientId)
  writer.float64(record.sessionExpiryIntervalSeconds)
  writer.float64(record.disconnectedAtMs)
  writer.text(record.listener)
}

export function readSession(reader: ByteReader): SessionRecord {
  return {
    clientId: reader.text(),
    sessionExpiryIntervalSeconds: reader.float64(),
    disconnectedAtMs: reader.float64(),
    listener: reader.text()
  }
}

const NO_LOCAL = 0x04
const RETAIN_AS_PUBLISHED = 0x08
const RETAIN_HANDLING_SHIFT = 4
const HAS_SCAN = 0x40
const HAS_SCAN_AFTER = 0x80

const HAS_LEAVING = 0x01
const HAS_REPLAY = 0x02
const HAS_REPLAY_AFTER = 0x04

export function writeSubscription(writer: ByteWriter, record: SubscriptionRecord): void {
  const scan = record.retainedScan
  writer.byte(optionFlags(record) | (scan === undefined ? 0 : HAS_SCAN) | (scan?.after === undefined ? 0 : HAS_SCAN_AFTER))
  writer.text(record.topicFilter)
  writer.varint(record.subscriptionIdentifier)
  writer.varint(record.since)
  if (scan !== undefined) {
    writer.varint(scan.upTo)
    if (scan.after !== undefined) writer.text(scan.after)
  }
  writeRanges(writer, record.skipped)
  const { leaving, replay } = record
  writer.byte(
    (leaving === undefined ? 0 : HAS_LEAVING) |
      (replay === undefined ? 0 : HAS_REPLAY) |
      (replay?.after === undefined ? 0 : HAS_REPLAY_AFTER)
  )
  if (leaving !== undefined) writeLeaving(writer, leaving)
  if (replay === undefined) return
  writer.text(replay.historyFilter)
  if (replay.after !== undefined) writer.varint(replay.after)
}

export function readSubscription(reader: ByteReader): SubscriptionRecord {
  const record = { ...readSubscriptionStart(reader), skipped: readList(reader, readRange) }
  const rest = reader.byte()
  return {
    ...record,
    leaving: (rest & HAS_LEAVING) === 0 ? undefined : readLeaving(reader),
    replay: (rest & HAS_REPLAY) === 0 ? undefined : readReplay(reader, (rest & HAS_REPLAY_AFTER) !== 0)
  }
}

/** What a subscription begins with in every format. */
export function readSubscriptionStart(reader: ByteReader): Omit<SubscriptionRecord, 'skipped' | 'leaving' | 'replay'> {
  const flags = reader.byte()
  return {
    ...optionsOf(flags),
    topicFilter: reader.text(),
    subscriptionIdentifier: reader.varint(),
    since: reader.varint(),
    retainedScan:
      (flags & HAS_SCAN) === 0
        ? undefined
        : { upTo: reader.varint(), after: (flags & HAS_SCAN_AFTER) === 0 ? undefined : reader.text() }
  }
}

function writeLeaving(writer: ByteWriter, record: LeavingRecord): void {
  writer.byte(optionFlags(record))
  writer.varint(record.subscriptionIdentifier)
  writer.varint(record.since)
  writer.varint(record.until)
}

function readLeaving(reader: ByteReader): LeavingRecord {
  const { qos, ...options } = optionsOf(reader.byte())
  return {
    ...options,
    qos: aboveZero(qos),
    subscriptionIdentifier: reader.varint(),
    since: reader.varint(),
    until: reader.varint()
  }
}

function readReplay(reader: ByteReader, hasAfter: boolean): ReplayRecord {
  return { historyFilter: reader.text(), after: hasAfter ? reader.varint() : undefined }
}

function optionFlags({ qos, noLocal, retainAsPublished, retainHandling }: SubscriptionOptions): number {
  return (
    qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (retainHandling << RETAIN_HANDLING_SHIFT)
  )
}

function optionsOf(flags: number): SubscriptionOptions {
  return {
    qos: qosOf(flags & 0x03),
    noLocal: (flags & NO_LOCAL) !== 0,
    retainAsPublished: (flags & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: retainHandlingOf((flags >> RETAIN_HANDLING_SHIFT) & 0x03)
  }
}

function writeRanges(writer: ByteWriter, ranges: readonly SequenceRange[]): void {
  writer.varint(ranges.length)
  for (const { after, through } of ranges) {
    writer.varint(after)
    writer.varint(through)
  }
}

function readRange(reader: ByteReader): SequenceRange {
  return { after: reader.varint(), through: reader.varint() }
}

export function aboveZero(qos: QoS): 1 | 2 {
  if (qos === 0) throw damaged('QoS 0 where a message is acknowledged')
  return qos
}

export function writeSharedGroup(writer: ByteWriter, record: SharedGroupRecord): void {
  writer.text(record.filter)
  writer.varint(record.since)
  writeRanges(writer, record.skipped)
}

export function readSharedGroup(reader: ByteReader): SharedGroupRecord {
  return { filter: reader.text(), since: reader.varint(), skipped: readList(reader, readRange) }
}

export function writeProgress(writer: ByteWriter, record: ProgressRecord): void {
  writer.varint(record.cursor)
  writer.varint(record.finished.length)
  for (const sequence of record.finished) writer.varint(sequence)
  writer.varint(record.inflight.length)
  for (const inflight of record.inflight) writeInflight(writer, inflight)
  writer.varint(record.released.length)
  for (const packetIdentifier of record.released) writer.varint(packetIdentifier)
}

export function readProgress(reader: ByteReader): ProgressRecord {
  return {
    cursor: reader.varint(),
    finished: readList(reader, varint),
    inflight: readList(reader, readInflight),
    released: readList(reader, varint)
  }
}

const HAS_GROUP = 0x08
const RETAIN = 0x10

function writeInflight(writer: ByteWriter, record: InflightRecord): void {
  writer.byte(record.qos | (record.group === undefined ? 0 : HAS_GROUP) | (record.retain ? RETAIN : 0))
  writer.varint(record.packetIdentifier)
  writer.varint(record.sequence)
  writer.varint(record.subscriptionIdentifiers.length)
  for (const identifier of record.subscriptionIdentifiers) writer.varint(identifier)
  if (record.group !== undefined) writer.text(record.group)
}

function readInflight(reader: ByteReader): InflightRecord {
  const flags = reader.byte()
  return {
    qos: aboveZero(qosOf(flags & 0x03)),
    retain: (flags & RETAIN) !== 0,
    packetIdentifier: reader.varint(),
    sequence: reader.varint(),
    subscriptionIdentifiers: readList(reader, varint),
    group: (flags & HAS_GROUP) === 0 ? undefined : reader.text()
  }
}

export function writeWill(writer: ByteWriter, record: WillRecord): void {
  writer.text(record.clientId)
  writer.varint(record.delayIntervalSeconds)
  writer.float64(record.dueSinceMs)
  writeMessage(writer, record.message)
}

export function readWill(reader: ByteReader): WillRecord {
  return {
    clientId: reader.text(),
    delayIntervalSeconds: reader.varint(),
    dueSinceMs: reader.float64(),
    message: readMessage(reader)
  }
}

/** The message of a PUBLISH answered with PUBREC, and its place in the order in which such messages were put. */
export interface StoredReceived {
  readonly order: number
  readonly message: StoredMessage
}

export function writeReceived(writer: ByteWriter, { order, message }: StoredReceived): void {
  writer.varint(order)
  writeMessage(writer, message)
}

export function readReceived(reader: ByteReader): StoredReceived {
  return { order: reader.varint(), message: readMessage(reader) }
}

/** A retained message, what it measures, and its place among those that were published. */
export interface StoredRetainedMessage {
  readonly bytes: number
  readonly sequence: number
  readonly message: StoredMessage
}

export function writeRetained(writer: ByteWriter, { bytes, sequence, message }: StoredRetainedMessage): void {
  writer.varint(bytes)
  writer.varint(sequence)
  writeMessage(writer, message)
}

export function readRetained(reader: ByteReader): StoredRetainedMessage {
  return { bytes: reader.varint(), sequence: reader.varint(), message: readMessage(reader) }
}

/** Only what it measures. */
export function readRetainedBytes(reader: ByteReader): number {
  return reader.varint()
}

function varint(reader: ByteReader): number {
  return reader.varint()
}

export function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const list: T[] = []
  for (let left = reader.varint(); left > 0; left--) list.push(read(reader))
  return list
}

function retainHandlingOf(value: number): RetainHandling {
  const { SendAtSubscribe, SendIfNew, DoNotSend } = RetainHandling
  if (value === SendAtSubscribe || value === SendIfNew || value === DoNotSend) return value
  throw damaged(`Retain Handling ${value}`)
}
