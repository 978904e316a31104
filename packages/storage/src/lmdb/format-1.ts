import type {
  InflightMessageRecord,
  InflightRecord,
  ProgressRecord,
  SessionRecord,
  SharedGroupRecord,
  SubscriptionRecord
} from '../records.ts'
import type { ByteReader } from './byte-reader.ts'
import { qosOf, readMessage } from './message-codec.ts'
import { aboveZero, readList, readSubscriptionStart } from './record-codec.ts'

// What differed in format 1: sessions did not name their listener, nothing was said of what a queue's readers had given
// up, of replaced subscriptions or of history, and messages in flight were within the record of the progress.

export function readSession1(reader: ByteReader): SessionRecord {
  return {
    clientId: reader.text(),
    sessionExpiryIntervalSeconds: reader.float64(),
    disconnectedAtMs: reader.float64(),
    listener: ''
  }
}

export function readSubscription1(reader: ByteReader): SubscriptionRecord {
  return { ...readSubscriptionStart(reader), skipped: [], leaving: undefined, replay: undefined }
}

export function readSharedGroup1(reader: ByteReader): SharedGroupRecord {
  return { filter: reader.text(), since: reader.varint(), skipped: [] }
}

export interface Progress1 {
  readonly progress: ProgressRecord
  readonly inflightMessages: readonly InflightMessageRecord[]
}

export function readProgress1(reader: ByteReader): Progress1 {
  const inflightMessages: InflightMessageRecord[] = []
  const progress = {
    cursor: reader.varint(),
    finished: readList(reader, varint),
    inflight: readList(reader, () => readInflight1(reader, inflightMessages)),
    released: readList(reader, varint)
  }
  return { progress, inflightMessages }
}

const HAS_MESSAGE = 0x04
const HAS_GROUP = 0x08
const RETAIN = 0x10

function readInflight1(reader: ByteReader, messages: InflightMessageRecord[]): InflightRecord {
  const flags = reader.byte()
  const packetIdentifier = reader.varint()
  const sequence = reader.varint()
  const subscriptionIdentifiers = readList(reader, varint)
  if ((flags & HAS_MESSAGE) !== 0) messages.push({ packetIdentifier, message: readMessage(reader) })
  return {
    qos: aboveZero(qosOf(flags & 0x03)),
    retain: (flags & RETAIN) !== 0,
    packetIdentifier,
    sequence,
    subscriptionIdentifiers,
    group: (flags & HAS_GROUP) === 0 ? undefined : reader.text()
  }
}

function varint(reader: ByteReader): number {
  return reader.varint()
}
