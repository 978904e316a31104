import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteWriter } from './byte-writer.ts'
import { TABLES, type TableName } from './layout.ts'

// The changes of one commit, as bytes that cross to the thread that makes them:
//
//   change  => kind (4 bits) table (4 bits), key_length (32 bits), key, [value_length (32 bits), value]

const PUT = 1
const DELETE = 2
const DELETE_PREFIX = 3

/** How much a batch does to a table: the pages that it needs follow from that. */
interface TableGrowth {
  /** Keys, or stretches of new keys that follow one another. */
  places: number
  /** Of new keys and values, with what LMDB adds to them. */
  bytes: number
}

export type BatchGrowth = Readonly<Record<TableName, TableGrowth>>

/** What LMDB adds to a key and a value, at most. */
const NODE_BYTES = 40

/** Gathers changes, to be made in the order in which they come. */
export class Batch {
  readonly #writer = new ByteWriter()
  #growth = noGrowth()
  #table: TableName = 'log'
  #valueRoom = 0
  #lastQueue: QueueId = 0

  get isEmpty(): boolean {
    return this.#writer.length === 0
  }

  /** Begins to put a value, which the caller writes and ends with `end()`. */
  put(table: TableName, key: Uint8Array): ByteWriter {
    this.#begin(PUT, table, key)
    return this.#beginValue(table, key.byteLength)
  }

  /** As `put` to the log, at its end; writes the key without making it first. */
  putLog(sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'log', 6)
    this.#writer.uint48(sequence)
    return this.#beginValue('log', 6)
  }

  /** As `put` to the index, at the end of a queue; writes the key without making it first. */
  putIndex(queue: QueueId, sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'index', 12)
    this.#writer.uint48(queue)
    this.#writer.uint48(sequence)
    if (queue !== this.#lastQueue) this.#growth.index.places++
    this.#lastQueue = queue
    return this.#beginValue('index', 12)
  }

  end(): void {
    this.#growth[this.#table].bytes += this.#writer.fillWithLength(this.#valueRoom)
  }

  delete(table: TableName, key: Uint8Array): void {
    this.#begin(DELETE, table, key)
  }

  /** Deletes all whose keys begin with the prefix. */
  deletePrefix(table: TableName, prefix: Uint8Array): void {
    this.#begin(DELETE_PREFIX, table, prefix)
    this.#growth[table].places = Infinity
  }

  /** Changes that are to be made before those gathered. */
  prepend({ changes, growth }: TakenBatch): void {
    const gathered = this.#writer.take()
    this.#writer.raw(changes)
    this.#writer.raw(gathered)
    for (const table of TABLES) {
      this.#growth[table].places += growth[table].places
      this.#growth[table].bytes += growth[table].bytes
    }
  }

  /** Hands over what was gathered, and begins anew. */
  take(): TakenBatch {
    const taken = { changes: this.#writer.take(), growth: this.#growth }
    this.#growth = noGrowth()
    this.#lastQueue = 0
    return taken
  }

  #begin(kind: number, table: TableName, key: Uint8Array): void {
    this.#beginKey(kind, table, key.byteLength)
    this.#writer.raw(key)
    this.#growth[table].places++
  }

  #beginKey(kind: number, table: TableName, keyBytes: number): void {
    this.#writer.byte((kind << 4) | TABLES.indexOf(table))
    this.#writer.uint32(keyBytes)
  }

  #beginValue(table: TableName, keyBytes: number): ByteWriter {
    this.#table = table
    this.#growth[table].bytes += keyBytes + NODE_BYTES
    this.#valueRoom = this.#writer.room()
    return this.#writer
  }
}

export interface TakenBatch {
  readonly changes: Uint8Array<ArrayBuffer>
  readonly growth: BatchGrowth
}

function noGrowth(): BatchGrowth {
  const growth = (): TableGrowth => ({ places: 0, bytes: 0 })
  return { log: growth(), index: growth(), records: growth(), retained: growth() }
}

/** What can be done to a table. The bytes are views of the batch's. */
export interface ChangeTarget {
  put(table: TableName, key: Uint8Array, value: Uint8Array): void
  delete(table: TableName, key: Uint8Array): void
  deletePrefix(table: TableName, prefix: Uint8Array): void
}

/** Makes a batch's changes, in their order. */
export function applyBatch(batch: Uint8Array, target: ChangeTarget): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  let at = 0
  while (at < batch.byteLength) {
    const head = view.getUint8(at)
    const keyStart = at + 5
    const keyEnd = keyStart + view.getUint32(at + 1)
    const key = batch.subarray(keyStart, keyEnd)
    const table = TABLES[head & 0x0f] ?? 'records'
    at = keyEnd
    if (head >> 4 === PUT) {
      at = keyEnd + 4 + view.getUint32(keyEnd)
      target.put(table, key, batch.subarray(keyEnd + 4, at))
    } else if (head >> 4 === DELETE) target.delete(table, key)
    else target.deletePrefix(table, key)
  }
}
