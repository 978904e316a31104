import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteWriter } from './byte-writer.ts'
import { TABLES, type TableName } from './layout.ts'

// The changes of one commit, as bytes: in the journal, and for the thread that makes them in the tables.
//
//   change  => kind (4 bits) table (4 bits), key_length (32 bits), key, [value_length (32 bits), value]

const PUT = 1
const DELETE = 2
const DELETE_PREFIX = 3

/** Gathers changes, to be made in the order in which they come. */
export class Batch {
  #writer = new ByteWriter()
  #taken = new ByteWriter()
  #valueRoom = 0

  get isEmpty(): boolean {
    return this.#writer.length === 0
  }

  /** Begins to put a value, which the caller writes and ends with `end()`. */
  put(table: TableName, key: Uint8Array): ByteWriter {
    this.#begin(PUT, table, key)
    return this.#beginValue()
  }

  /** As `put` to the log, at its end; writes the key without making it first. */
  putLog(sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'log', 6)
    this.#writer.uint48(sequence)
    return this.#beginValue()
  }

  /** As `put` to the index, at the end of a queue; writes the key without making it first. */
  putIndex(queue: QueueId, sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'index', 12)
    this.#writer.uint48(queue)
    this.#writer.uint48(sequence)
    return this.#beginValue()
  }

  end(): void {
    this.#writer.fillWithLength(this.#valueRoom)
  }

  delete(table: TableName, key: Uint8Array): void {
    this.#begin(DELETE, table, key)
  }

  /** Deletes all whose keys begin with the prefix. */
  deletePrefix(table: TableName, prefix: Uint8Array): void {
    this.#begin(DELETE_PREFIX, table, prefix)
  }

  /** What was gathered, which is lent until the next time; begins anew. */
  take(): Uint8Array {
    const { view } = this.#writer
    this.#taken.clear()
    ;[this.#writer, this.#taken] = [this.#taken, this.#writer]
    return view
  }

  #begin(kind: number, table: TableName, key: Uint8Array): void {
    this.#beginKey(kind, table, key.byteLength)
    this.#writer.raw(key)
  }

  #beginKey(kind: number, table: TableName, keyBytes: number): void {
    this.#writer.byte((kind << 4) | TABLES.indexOf(table))
    this.#writer.uint32(keyBytes)
  }

  #beginValue(): ByteWriter {
    this.#valueRoom = this.#writer.room()
    return this.#writer
  }
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

export function noGrowth(): BatchGrowth {
  const growth = (): TableGrowth => ({ places: 0, bytes: 0 })
  return { log: growth(), index: growth(), records: growth(), retained: growth() }
}

/** The log grows at its end, and so does each queue: all other keys may be anywhere. */
export function growthOf(batch: Uint8Array): BatchGrowth {
  const growth = noGrowth()
  const queues = new Set<QueueId>()
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  let at = 0
  while (at < batch.byteLength) {
    const head = view.getUint8(at)
    const name = TABLES[head & 0x0f] ?? 'records'
    const table = growth[name]
    const keyBytes = view.getUint32(at + 1)
    const key = at + 5
    at = key + keyBytes
    if (head >> 4 === DELETE_PREFIX) table.places = Infinity
    else if (name === 'index') queues.add(view.getUint16(key) * 2 ** 32 + view.getUint32(key + 2))
    else if (name !== 'log') table.places++
    if (head >> 4 !== PUT) continue
    const valueBytes = view.getUint32(at)
    table.bytes += keyBytes + NODE_BYTES + valueBytes
    at += 4 + valueBytes
  }
  growth.index.places += queues.size
  return growth
}
