import { randomInt } from 'node:crypto'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { writeFormat } from './format-record.ts'
import { readProgress1, readSession1, readSharedGroup1, readSubscription1 } from './format-1.ts'
import { inflightKey, JOURNAL_NAME_MAX, numberOfKey, RecordKind, recordKey, writeJournalPlace } from './layout.ts'
import { writeMessage } from './message-codec.ts'
import { writeProgress, writeSession, writeSharedGroup, writeSubscription } from './record-codec.ts'
import { recordsOf } from './scan-records.ts'
import type { Tables } from './tables.ts'

/** The earliest format that can be brought up to the present one. */
export const FORMAT_VERSION_MIN = 1

/** The first format whose tables have a journal before them; what it says has been the same since. */
export const JOURNAL_SINCE = 3

/**
 * Brings what a file of an earlier format holds to the present one, in one synced transaction: until that is on disk, the
 * file is as it was. Takes time and memory by the sessions and their subscriptions; messages stay where they are: before
 * format 4 each was by itself, as some are still.
 */
export function migrate(tables: Tables, version: number): void {
  tables.root.transactionSync(() => {
    if (version === 1) rewriteRecords1(tables)
    if (version < JOURNAL_SINCE) putBeginning(tables)
    else put(tables, recordKey(RecordKind.Format), writeFormat)
  })
}

/** What a store says of itself before anything is stored. */
export function putBeginning(tables: Tables): void {
  put(tables, recordKey(RecordKind.Format), writeFormat)
  const beginning = { journal: randomInt(JOURNAL_NAME_MAX), number: 0 }
  put(tables, recordKey(RecordKind.Merged), (writer) => writeJournalPlace(writer, beginning))
}

function rewriteRecords1(tables: Tables): void {
  rewrite(tables, RecordKind.Session, (reader, writer) => writeSession(writer, readSession1(reader)))
  rewrite(tables, RecordKind.Subscription, (reader, writer) => writeSubscription(writer, readSubscription1(reader)))
  rewrite(tables, RecordKind.Group, (reader, writer) => writeSharedGroup(writer, readSharedGroup1(reader)))
  rewrite(tables, RecordKind.Progress, (reader, writer, key) => {
    const { progress, inflightMessages } = readProgress1(reader)
    for (const { packetIdentifier, message } of inflightMessages) {
      put(tables, inflightKey(numberOfKey(key), packetIdentifier), (value) => writeMessage(value, message))
    }
    writeProgress(writer, progress)
  })
}

function rewrite(
  tables: Tables,
  kind: RecordKind,
  convert: (reader: ByteReader, writer: ByteWriter, key: Uint8Array) => void
): void {
  // The bytes that LMDB gives are its own, and do not outlast the next change.
  const records = Array.from(recordsOf(tables, kind), ({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }))
  for (const { key, value } of records) put(tables, key, (writer) => convert(new ByteReader(value), writer, key))
}

function put(tables: Tables, key: Uint8Array, write: (writer: ByteWriter) => void): void {
  const writer = new ByteWriter()
  write(writer)
  tables.records.putSync(key, writer.copy())
}
