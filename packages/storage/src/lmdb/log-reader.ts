import type { Database, RootDatabaseOptions } from 'lmdb'
import type { LogEntry, QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { SEQUENCE_MAX } from './layout.ts'
import { Bodies, readIndexRun, readRunPlace, type IndexRun, type RunPlace } from './log-runs.ts'
import { TABLE_OPTIONS, type Tables } from './tables.ts'

/**
 * Reads the log and the index by numbers: the keys are written to, and read from, LMDB's own buffer. Rates:
 * bench/micro/log-lmdb.ts.
 */
export class LogReader {
  readonly #log: Database<Buffer, SequenceNumber>
  readonly #index: Database<Buffer, SequenceNumber>
  /** The queue of the keys being written. */
  #queue: QueueId = 0

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

  /**
   * What the log has under a key.
   *
   * @param similar a message of the same queue, if one was read before
   */
  bodies(key: SequenceNumber, similar?: LogEntry): Bodies | undefined {
    const value = this.#log.getBinaryFast(key)
    // The value is in LMDB's own buffer, or in the file's pages, until something else is read.
    return value && new Bodies(key, Buffer.from(value.subarray(0, value.length)), similar)
  }

  /** Where the first messages of a queue above a sequence number are, up to and including another: so many, or a few more. */
  places(queue: QueueId, after: SequenceNumber, through: SequenceNumber, messages: number): RunPlace[] {
    this.#queue = queue
    const places: RunPlace[] = []
    let left = messages
    for (const { key, value } of this.#index.getRange({ start: after + 1, end: through, inclusiveEnd: true })) {
      const place = readRunPlace(key, value)
      places.push(place)
      left -= place.messages
      if (left <= 0) break
    }
    return places
  }

  /** The run of a queue that holds its first message above a sequence number, up to and including another. */
  first(queue: QueueId, after: SequenceNumber, through: SequenceNumber): IndexRun | undefined {
    this.#queue = queue
    const [first] = this.#index.getRange({ start: after + 1, end: through, inclusiveEnd: true, limit: 1 })
    return first === undefined ? undefined : readIndexRun(first.key, first.value)
  }

  /** The last run of a queue, cut or not. */
  last(queue: QueueId): IndexRun | undefined {
    this.#queue = queue
    const [last] = this.#index.getRange({ start: SEQUENCE_MAX, end: 0, reverse: true, limit: 1 })
    return last === undefined ? undefined : readIndexRun(last.key, last.value)
  }
}

function writeKey(sequence: SequenceNumber, target: Buffer, at: number): number {
  return target.writeUIntBE(sequence, at, 6)
}

function readKey(source: Buffer, start: number): SequenceNumber {
  return source.readUIntBE(start, 6)
}
