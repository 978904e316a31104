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

/** Gathers changes, to be made in the order in which they come. */
export class Batch {
  readonly #writer = new ByteWriter()
  #valueRoom = 0

  get isEmpty(): boolean {
    return this.#writer.length === 0
  }

  /** Begins to put a value, which the caller writes and ends with `end()`. */
  put(table: TableName, key: Uint8Array): ByteWriter {
    this.#begin(PUT, table, key)
    this.#valueRoom = this.#writer.room()
    return this.#writer
  }

  /** As `put` to the log; writes the key without making it first. */
  putLog(sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'log', 6)
    this.#writer.uint48(sequence)
    this.#valueRoom = this.#writer.room()
    return this.#writer
  }

  /** As `put` to the index; writes the key without making it first. */
  putIndex(queue: QueueId, sequence: SequenceNumber): ByteWriter {
    this.#beginKey(PUT, 'index', 12)
    this.#writer.uint48(queue)
    this.#writer.uint48(sequence)
    this.#valueRoom = this.#writer.room()
    return this.#writer
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

  /** Changes that are to be made before those gathered. */
  prepend(changes: Uint8Array): void {
    const gathered = this.#writer.take()
    this.#writer.raw(changes)
    this.#writer.raw(gathered)
  }

  /** Hands over what was gathered, and begins anew. */
  take(): Buffer<ArrayBuffer> {
    return this.#writer.take()
  }

  #begin(kind: number, table: TableName, key: Uint8Array): void {
    this.#beginKey(kind, table, key.byteLength)
    this.#writer.raw(key)
  }

  #beginKey(kind: number, table: TableName, keyBytes: number): void {
    this.#writer.byte((kind << 4) | TABLES.indexOf(table))
    this.#writer.uint32(keyBytes)
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
