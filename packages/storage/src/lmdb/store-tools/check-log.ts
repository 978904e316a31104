import { messageBytes } from '../../message-bytes.ts'
import type { QueueId } from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { bufferOf } from '../byte-reader.ts'
import {
  indexKey,
  logKey,
  readIndexEntry,
  readLogQueues,
  readLogValue,
  sequenceOfIndexKey,
  type IndexEntry,
  type LogValue
} from '../layout.ts'
import type { LogSummary } from './log-summary.ts'
import { decode, type ReadRecords, type Report, unreported } from './read-records.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/** The index against the log, and the log against the index: neither holds what the other does not. */
export function checkLog(snapshot: StoreSnapshot, records: ReadRecords, report: Report): LogSummary {
  const firsts = new IndexCheck(snapshot, records, report).run()
  return new BodiesCheck(snapshot, records, firsts, report).run()
}

class IndexCheck {
  readonly #snapshot: StoreSnapshot
  readonly #records: ReadRecords
  readonly #report: Report
  readonly #firsts = new Map<QueueId, SequenceNumber>()
  #queue: QueueId = 0
  #before: IndexEntry | undefined = undefined

  constructor(snapshot: StoreSnapshot, records: ReadRecords, report: Report) {
    this.#snapshot = snapshot
    this.#records = records
    this.#report = report
  }

  /** Returns the first sequence number that the index has of each queue. */
  run(): ReadonlyMap<QueueId, SequenceNumber> {
    for (const { key, value } of this.#snapshot.entries('index')) {
      if (key.byteLength !== indexKey(0, 0).byteLength) this.#report(`the index has a key of ${key.byteLength} bytes`)
      else this.#entry(bufferOf(key).readUIntBE(0, 6), sequenceOfIndexKey(key), value)
    }
    return this.#firsts
  }

  #entry(queue: QueueId, sequence: SequenceNumber, value: Uint8Array): void {
    if (queue !== this.#queue || this.#firsts.size === 0) this.#begin(queue, sequence)
    const what = `message ${sequence} in queue ${queue}`
    const { sequencesGiven } = this.#records.totals
    if (sequence > sequencesGiven) this.#report(`${what} is beyond ${sequencesGiven}, the last that was given`)
    const entry = decode(what, value, this.#report, () => readIndexEntry(value))
    this.#compare(what, entry)
    this.#before = entry
    const body = this.#snapshot.value('log', logKey(sequence))
    if (body === undefined) {
      this.#report(`${what} is not in the log`)
      return
    }
    // What cannot be read is told of where the log is read.
    const queues = decode(what, body, unreported, () => readLogQueues(body))
    if (queues?.includes(queue) === false) this.#report(`${what} is not one of that queue, as the log has it`)
  }

  #begin(queue: QueueId, first: SequenceNumber): void {
    this.#queue = queue
    this.#before = undefined
    this.#firsts.set(queue, first)
    const { queues, trims } = this.#records
    if (!queues.has(queue) && !trims.has(queue)) {
      this.#report(`the index has messages of queue ${queue}, which there is not, and which is not being cut`)
    }
  }

  /** The counts go on from those of the entry before. */
  #compare(what: string, entry: IndexEntry | undefined): void {
    const before = this.#before
    if (entry === undefined || before === undefined) return
    const messages = before.messagesBefore + 1
    const bytes = before.bytesBefore + before.bytes
    if (entry.messagesBefore !== messages || entry.bytesBefore !== bytes) {
      const said = `${entry.messagesBefore} messages and ${entry.bytesBefore} bytes`
      this.#report(`${what} says that ${said} are before it; there are ${messages} and ${bytes}`)
    }
  }
}

class BodiesCheck {
  readonly #snapshot: StoreSnapshot
  readonly #records: ReadRecords
  readonly #firsts: ReadonlyMap<QueueId, SequenceNumber>
  readonly #report: Report

  constructor(snapshot: StoreSnapshot, records: ReadRecords, firsts: ReadonlyMap<QueueId, SequenceNumber>, report: Report) {
    this.#snapshot = snapshot
    this.#records = records
    this.#firsts = firsts
    this.#report = report
  }

  run(): LogSummary {
    const { sequencesGiven } = this.#records.totals
    let messages = 0
    let bytes = 0
    for (const { key, value } of this.#snapshot.entries('log')) {
      const sequence = key.byteLength === 6 ? bufferOf(key).readUIntBE(0, 6) : undefined
      if (sequence === undefined) {
        this.#report(`the log has a key of ${key.byteLength} bytes`)
        continue
      }
      messages++
      if (sequence > sequencesGiven) this.#report(`message ${sequence} is beyond ${sequencesGiven}, the last that was given`)
      const body = decode(`message ${sequence}`, value, this.#report, () => readLogValue(value))
      if (body === undefined) continue
      bytes += messageBytes(body.message)
      this.#body(sequence, body)
    }
    return { messages, messageBytes: bytes, sequencesGiven }
  }

  #body(sequence: SequenceNumber, { message, queues }: LogValue): void {
    const bytes = messageBytes(message)
    let holders = 0
    let onlyHolder: QueueId | undefined
    for (const queue of queues) {
      const entry = this.#entryOf(queue, sequence)
      if (entry === undefined) {
        this.#lookForGap(queue, sequence)
        continue
      }
      holders++
      if (entry.isOnly) onlyHolder = queue
      if (entry.bytes !== bytes) {
        this.#report(`message ${sequence} measures ${bytes} bytes, and ${entry.bytes} as queue ${queue} has it`)
      }
    }
    if (holders === 0) this.#report(`message ${sequence} is in the log and in no queue`)
    if (holders > 1 && onlyHolder !== undefined) {
      this.#report(`message ${sequence} is in ${holders} queues, and queue ${onlyHolder} takes it for its own`)
    }
  }

  /** Queues are cut from their beginnings: what is missing behind that is lost. */
  #lookForGap(queue: QueueId, sequence: SequenceNumber): void {
    const first = this.#firsts.get(queue)
    if (first !== undefined && sequence > first && this.#records.queues.has(queue)) {
      this.#report(`message ${sequence} is missing in queue ${queue}, which begins with ${first}`)
    }
  }

  #entryOf(queue: QueueId, sequence: SequenceNumber): IndexEntry | undefined {
    const value = this.#snapshot.value('index', indexKey(queue, sequence))
    // What cannot be read was told of where the index was read.
    return value && decode('', value, unreported, () => readIndexEntry(value))
  }
}
