import { progressAt } from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { numberOfKey, packetIdentifierOfKey, recordKey, RecordKind, textKey } from '../layout.ts'
import { readMessage } from '../message-codec.ts'
import { readReceived, readRetained, readWill, type StoredReceived } from '../record-codec.ts'
import { damaged, StoreError } from '../store-error.ts'
import {
  endLine,
  headerLine,
  messageLine,
  ownedLine,
  queueLine,
  retainedLine,
  sessionLine,
  sharedSubscriptionLine,
  willLine,
  type ExportLine
} from './export-format.ts'
import { importableLines } from './importable-lines.ts'
import { messagesInOrder } from './messages-in-order.ts'
import { decodeAll, readRecords, type ReadRecords, type Report } from './read-records.ts'
import { SalvagedStore } from './salvaged-store.ts'
import type { StoreReader } from './store-reader.ts'
import { StoreSnapshot } from './store-snapshot.ts'

/** Lines are handed over so many characters at a time, about. */
const CHUNK_LENGTH = 64 * 1_024

export interface ExportOptions {
  /** Of a damaged store, exports what can be read, and is told of what cannot; undefined: a damaged store is not exported. */
  readonly salvage: Report | undefined
}

/**
 * A store's content as JSON Lines (see export-format.ts), several at a time: as it was at one moment; a broker may be
 * running on the store. Memory grows with sessions, not with messages.
 *
 * @throws StoreMisuse if the folder holds no store
 * @throws StoreError if the store is damaged, of another format, or cannot be read
 */
export async function* exportStore(folder: string, { salvage }: ExportOptions): AsyncGenerator<string, void, undefined> {
  const store = await openForExport(folder, salvage)
  try {
    let chunk = ''
    const lines = new StoreExport(store, salvage ?? refuse).lines()
    for (const line of salvage === undefined ? lines : importableLines(lines, salvage)) {
      chunk += `${JSON.stringify(line)}\n`
      if (chunk.length < CHUNK_LENGTH) continue
      yield chunk
      chunk = ''
    }
    yield chunk
  } finally {
    await store.close()
  }
}

async function openForExport(folder: string, salvage: Report | undefined): Promise<StoreReader> {
  try {
    return await StoreSnapshot.open(folder, 'whole')
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'damaged') throw error
    if (salvage === undefined) refuse(error.message)
    return SalvagedStore.open(folder, error, salvage)
  }
}

function refuse(what: string): never {
  throw damaged(`${what.replace(/^the store is damaged: /, '')}; --salvage exports what can be read`)
}

class StoreExport {
  readonly #store: StoreReader
  readonly #report: Report

  constructor(store: StoreReader, report: Report) {
    this.#store = store
    this.#report = report
  }

  *lines(): Generator<ExportLine, void, undefined> {
    const records = readRecords(this.#store, this.#report)
    yield headerLine(new Date())
    for (const topicFilter of new Set(records.queues.values())) yield queueLine(topicFilter)
    for (const { record, subscriptions, progress } of records.sessions.values()) {
      yield sessionLine(record, subscriptions, progress ?? progressAt(0))
    }
    for (const { record, progress } of records.groups.values()) yield sharedSubscriptionLine(record, progress ?? progressAt(0))
    yield* this.#messages(records)
    yield* this.#retained()
    yield* this.#received(records)
    yield* this.#inflight(records)
    yield* this.#wills()
    yield endLine()
  }

  *#messages({ queues, trims }: ReadRecords): Generator<ExportLine, void, undefined> {
    let before: SequenceNumber = 0
    let lost = 0
    for (const { sequence, message, queues: appendedTo } of messagesInOrder(this.#store.entries('log'), this.#report)) {
      if (sequence <= before) {
        this.#report(`message ${sequence} comes after ${before}`)
        continue
      }
      before = sequence
      const held = appendedTo.filter((queue) => sequence > (trims.get(queue) ?? 0) && this.#store.holds(queue, sequence))
      const holders = new Set(held.map((queue) => queues.get(queue)).filter((topicFilter) => topicFilter !== undefined))
      if (holders.size > 0) yield messageLine(sequence, [...holders], message)
      else if (held.length > 0) lost++
    }
    if (lost > 0) this.#report(`${lost} messages are in no queue whose topic filter is known`)
  }

  *#retained(): Generator<ExportLine, void, undefined> {
    for (const { key, value } of this.#store.entries('retained')) {
      const retained = decodeAll('a retained message', value, this.#report, readRetained)
      if (retained === undefined) continue
      const { sequence, message } = retained
      if (textKey(message.topicName).equals(key)) yield retainedLine(sequence, message)
      else this.#report(`the message retained for ${JSON.stringify(message.topicName)} is in another's place`)
    }
  }

  /** Session by session, each in the order in which they were put. */
  *#received(records: ReadRecords): Generator<ExportLine, void, undefined> {
    let number = -1
    let held: (StoredReceived & { readonly packetIdentifier: number })[] = []
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Received))) {
      const received = decodeAll('a message received', value, this.#report, readReceived)
      if (received === undefined) continue
      if (numberOfKey(key) !== number) {
        yield* this.#receivedBy(records, number, held)
        number = numberOfKey(key)
        held = []
      }
      held.push({ packetIdentifier: packetIdentifierOfKey(key), ...received })
    }
    yield* this.#receivedBy(records, number, held)
  }

  *#receivedBy(
    { sessions }: ReadRecords,
    number: number,
    received: readonly (StoredReceived & { readonly packetIdentifier: number })[]
  ): Generator<ExportLine, void, undefined> {
    if (received.length === 0) return
    const session = sessions.get(number)
    if (session === undefined) {
      this.#report(`${received.length} messages were received by session ${number}, which there is not`)
      return
    }
    for (const { packetIdentifier, message } of received.toSorted((a, b) => a.order - b.order)) {
      yield ownedLine('received', session.record.clientId, packetIdentifier, message)
    }
  }

  *#inflight({ sessions }: ReadRecords): Generator<ExportLine, void, undefined> {
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Inflight))) {
      const message = decodeAll('a message in flight', value, this.#report, readMessage)
      const session = sessions.get(numberOfKey(key))
      if (session === undefined) this.#report(`a message is in flight to session ${numberOfKey(key)}, which there is not`)
      else if (message !== undefined) {
        yield ownedLine('inflight', session.record.clientId, packetIdentifierOfKey(key), message)
      }
    }
  }

  *#wills(): Generator<ExportLine, void, undefined> {
    for (const { value } of this.#store.entries('records', recordKey(RecordKind.Will))) {
      const will = decodeAll('a will', value, this.#report, readWill)
      if (will !== undefined) yield willLine(will)
    }
  }
}
