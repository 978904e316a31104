import type { Database, RootDatabaseOptions } from 'lmdb'
import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteReader } from './byte-reader.ts'
import { readIndexEntry, readLogValueFrom, SEQUENCE_MAX, type IndexEntry, type LogValue } from './layout.ts'
import { TABLE_OPTIONS, type Tables } from './tables.ts'

/**
 * Reads the log and the index by numbers: the keys are written to, and read from, LMDB's own buffer, so that passing over
 * an entry allocates nothing. Rates: bench/micro/log-lmdb.ts.
 */
export class LogReader {
  readonly #log: Database<Buffer, SequenceNumber>
  readonly #index: Database<Buffer, SequenceNumber>
  /** The queue of the keys being written. */
  #queue: QueueId = 0
  readonly #reader = new ByteReader(Buffer.alloc(0), true)

  constructor({ root }: Tables) {
    const logOptions: RootDatabaseOptions = { ...TABLE_OPTIONS, keyEncoder: { writeKey, readKey } }
    this.#log = root.openDB<Buffer, SequenceNumber>('log', logOptions)
    const indexKeys = {
      writeKey: (sequence: SequenceNumber, target: Buffer, at: number): number =>
        target.writeUIntBE(sequence, target.writeUIntBE(this.#queue, at, 6), 6),
      readKey: (source: Buffer, start: number): SequenceNumber => source.readUIntBE(start + 6, 6)
    }
    const indexOptions: RootDatabaseOptions = { ...TABLE_OPTIONS, keyEncoder: indexKeys }
    this.#index = root.openDB<Buffer, SequenceNumber>('index', indexOptions)
  }

  message(sequence: SequenceNumber): LogValue | undefined {
    const value = this.#log.getBinaryFast(sequence)
    if (value === undefined) return undefined
    // The value is in LMDB's own buffer, or in the file's pages, until something else is read.
    this.#reader.begin(value, value.length)
    return readLogValueFrom(this.#reader)
  }

  /** The first sequence numbers of a queue above one, up to and including another. */
  sequences(queue: QueueId, after: SequenceNumber, through: SequenceNumber, limit: number): SequenceNumber[] {
    this.#queue = queue
    return [...this.#index.getKeys({ start: after + 1, end: through, inclusiveEnd: true, limit })]
  }

  /** The first entry of a queue above a sequence number, up to and including another. */
  first(queue: QueueId, after: SequenceNumber, through: SequenceNumber): IndexEntry | undefined {
    this.#queue = queue
    const [first] = this.#index.getRange({ start: after + 1, end: through, inclusiveEnd: true, limit: 1 })
    return first === undefined ? undefined : readIndexEntry(first.value)
  }

  /** The last entry of a queue, cut or not. */
  last(queue: QueueId): (IndexEntry & { readonly sequence: SequenceNumber }) | undefined {
    this.#queue = queue
    const [last] = this.#index.getRange({ start: SEQUENCE_MAX, end: 0, reverse: true, limit: 1 })
    return last === undefined ? undefined : { sequence: last.key, ...readIndexEntry(last.value) }
  }
}

function writeKey(sequence: SequenceNumber, target: Buffer, at: number): number {
  return target.writeUIntBE(sequence, at, 6)
}

function readKey(source: Buffer, start: number): SequenceNumber {
  return source.readUIntBE(start, 6)
}
