import type { ByteReader } from '../byte-reader.ts'
import { numberedKey, numberOfKey, packetIdentifierOfKey, recordKey, RecordKind, willKey } from '../layout.ts'
import { readMessage } from '../message-codec.ts'
import { readReceived, readWill } from '../record-codec.ts'
import { decodeAll, nameOfSession, type ReadRecords, type Report } from './read-records.ts'
import type { StoreReader } from './store-reader.ts'

/** Messages that records hold: received, in flight, and wills. Returns the number of wills. */
export function checkMessageRecords(store: StoreReader, records: ReadRecords, report: Report): number {
  checkOwned(store, records, RecordKind.Received, 'received', readReceived, report)
  checkOwned(store, records, RecordKind.Inflight, 'in flight', readMessage, report)
  let wills = 0
  for (const { key, value } of store.entries('records', recordKey(RecordKind.Will))) {
    wills++
    const will = decodeAll('a will', value, report, readWill)
    if (will !== undefined && !willKey(will.clientId).equals(key)) {
      report(`the will of ${JSON.stringify(will.clientId)} is in another's place`)
    }
  }
  return wills
}

/** What belongs to a session, under a packet identifier. */
function checkOwned(
  store: StoreReader,
  { sessions }: ReadRecords,
  kind: RecordKind,
  manner: string,
  read: (reader: ByteReader) => unknown,
  report: Report
): void {
  for (const { key, value } of store.entries('records', recordKey(kind))) {
    const number = numberOfKey(key)
    const session = sessions.get(number)
    const packetIdentifier = packetIdentifierOfKey(key)
    const owner = session === undefined ? `session ${number}` : nameOfSession(session.record.clientId)
    const what = `the message ${manner} under packet identifier ${packetIdentifier} of ${owner}`
    if (session === undefined) report(`${what}: there is no such session`)
    const isIdentified = key.byteLength === numberedKey(kind, number).byteLength + 2 && packetIdentifier > 0
    if (!isIdentified) report(`${what}: no such identifier`)
    decodeAll(what, value, report, read)
  }
}
