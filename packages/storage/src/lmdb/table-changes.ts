import assert from 'node:assert'
import type { ChangeTarget } from './batch.ts'
import { endOfPrefix, type TableName } from './layout.ts'
import { RunJoiner, type LogTarget } from './run-joiner.ts'
import type { Tables } from './tables.ts'

const APPEND = { append: true }

/** Makes changes to the tables, within a transaction: those of the log and the index when it ends. */
export class TableChanges implements ChangeTarget, LogTarget {
  readonly #tables: Tables
  readonly #runs: RunJoiner = new RunJoiner(this)
  #lastAppended: Uint8Array = new Uint8Array(0)

  constructor(tables: Tables) {
    this.#tables = tables
  }

  put(table: TableName, key: Uint8Array, value: Uint8Array): void {
    if (table === 'log') this.#runs.body(key, value)
    else if (table === 'index') this.#runs.place(key, value)
    else this.#tables[table].putSync(key, value)
  }

  delete(table: TableName, key: Uint8Array): void {
    this.#tables[table].removeSync(key)
  }

  deletePrefix(table: TableName, prefix: Uint8Array): void {
    for (const key of [...this.#tables[table].getKeys({ start: prefix, end: endOfPrefix(prefix) })]) {
      this.#tables[table].removeSync(key)
    }
  }

  end(): void {
    this.#runs.end()
  }

  /** Fills the log's pages to their end. LMDB passes over, without a word, what does not belong at the end. */
  putLog(key: Uint8Array, value: Uint8Array): void {
    if (this.#lastAppended.byteLength === 0) {
      const [last] = this.#tables.log.getKeys({ reverse: true, limit: 1 })
      this.#lastAppended = last ?? this.#lastAppended
    }
    assert(Buffer.compare(this.#lastAppended, key) < 0, 'sequence numbers rise')
    this.#tables.log.putSync(key, value, APPEND)
    this.#lastAppended = key
  }

  putIndex(key: Uint8Array, value: Uint8Array): void {
    this.#tables.index.putSync(key, value)
  }
}
