import { RetainHandling } from '@godwit/protocol'
import type {
  InflightRecord,
  ProgressRecord,
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
}

export function readSession(reader: ByteReader): SessionRecord {
  return {
    clientId: reader.text(),
    sessionExpiryIntervalSeconds: reader.float64(),
    disconnectedAtMs: reader.float64()
  }
}

const NO_LOCAL = 0x04
const RETAIN_AS_PUBLISHED = 0x08
const RETAIN_HANDLING_SHIFT = 4
const HAS_SCAN = 0x40
const HAS_SCAN_AFTER = 0x80

export function writeSubscription(writer: ByteWriter, record: SubscriptionRecord): void {
  const scan = record.retainedScan
  writer.byte(
    record.qos |
      (record.noLocal ? NO_LOCAL : 0) |
      (record.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
      (record.retainHandling << RETAIN_HANDLING_SHIFT) |
      (scan === undefined ? 0 : HAS_SCAN) |
      (scan?.after === undefined ? 0 : HAS_SCAN_AFTER)
  )
  writer.text(record.topicFilter)
  writer.varint(record.subscriptionIdentifier)
  writer.varint(record.since)
  if (scan === undefined) return
  writer.varint(scan.upTo)
  if (scan.after !== undefined) writer.text(scan.after)
}

export function readSubscription(reader: ByteReader): SubscriptionRecord {
  const flags = reader.byte()
  return {
    qos: qosOf(flags & 0x03),
    noLocal: (flags & NO_LOCAL) !== 0,
    retainAsPublished: (flags & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: retainHandlingOf((flags >> RETAIN_HANDLING_SHIFT) & 0x03),
    topicFilter: reader.text(),
    subscriptionIdentifier: reader.varint(),
    since: reader.varint(),
    retainedScan:
      (flags & HAS_SCAN) === 0
        ? undefined
        : { upTo: reader.varint(), after: (flags & HAS_SCAN_AFTER) === 0 ? undefined : reader.text() }
  }
}

export function writeSharedGroup(writer: ByteWriter, record: SharedGroupRecord): void {
  writer.text(record.filter)
  writer.varint(record.since)
}

export function readSharedGroup(reader: ByteReader): SharedGroupRecord {
  return { filter: reader.text(), since: reader.varint() }
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

const HAS_MESSAGE = 0x04
const HAS_GROUP = 0x08
const RETAIN = 0x10

function writeInflight(writer: ByteWriter, record: InflightRecord): void {
  writer.byte(
    record.qos |
      (record.message === undefined ? 0 : HAS_MESSAGE) |
      (record.group === undefined ? 0 : HAS_GROUP) |
      (record.retain ? RETAIN : 0)
  )
  writer.varint(record.packetIdentifier)
  writer.varint(record.sequence)
  writer.varint(record.subscriptionIdentifiers.length)
  for (const identifier of record.subscriptionIdentifiers) writer.varint(identifier)
  if (record.message !== undefined) writeMessage(writer, record.message)
  if (record.group !== undefined) writer.text(record.group)
}

function readInflight(reader: ByteReader): InflightRecord {
  const flags = reader.byte()
  const qos = qosOf(flags & 0x03)
  if (qos === 0) throw damaged('a message in flight at QoS 0')
  return {
    qos,
    retain: (flags & RETAIN) !== 0,
    packetIdentifier: reader.varint(),
    sequence: reader.varint(),
    subscriptionIdentifiers: readList(reader, varint),
    message: (flags & HAS_MESSAGE) === 0 ? undefined : readMessage(reader),
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

function varint(reader: ByteReader): number {
  return reader.varint()
}

function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const list: T[] = []
  for (let left = reader.varint(); left > 0; left--) list.push(read(reader))
  return list
}

function retainHandlingOf(value: number): RetainHandling {
  const { SendAtSubscribe, SendIfNew, DoNotSend } = RetainHandling
  if (value === SendAtSubscribe || value === SendIfNew || value === DoNotSend) return value
  throw damaged(`Retain Handling ${value}`)
}
