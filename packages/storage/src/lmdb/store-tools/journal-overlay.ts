import { applyBatch, type ChangeTarget } from '../batch.ts'
import { bufferOf } from '../byte-reader.ts'
import type { JournalRecord } from '../journal-record.ts'
import type { TableName } from '../layout.ts'
import type { StoreEntry } from './store-reader.ts'

/** What a journal changes in a table: bytes are held in strings with one character for each, which sort as they do. */
class TableOverlay {
  /** undefined: it is deleted. */
  readonly values = new Map<string, Uint8Array | undefined>()
  /** All that the table itself has under these is deleted. */
  readonly prefixes: string[] = []

  hides(key: string): boolean {
    return this.values.has(key) || this.prefixes.some((prefix) => key.startsWith(prefix))
  }
}

/** Commits that are in the journal of a store and not in its tables, laid over what these hold. */
export class JournalOverlay implements ChangeTarget {
  readonly #tables: Readonly<Record<TableName, TableOverlay>> = {
    log: new TableOverlay(),
    index: new TableOverlay(),
    records: new TableOverlay(),
    retained: new TableOverlay()
  }

  constructor(commits: readonly JournalRecord[]) {
    for (const { changes } of commits) applyBatch(changes, this)
  }

  put(table: TableName, key: Uint8Array, value: Uint8Array): void {
    this.#tables[table].values.set(textOf(key), value)
  }

  delete(table: TableName, key: Uint8Array): void {
    this.#tables[table].values.set(textOf(key), undefined)
  }

  deletePrefix(table: TableName, prefix: Uint8Array): void {
    const { values, prefixes } = this.#tables[table]
    const text = textOf(prefix)
    prefixes.push(text)
    for (const key of values.keys()) if (key.startsWith(text)) values.delete(key)
  }

  /** @param held what the table itself has under the key */
  value(table: TableName, key: Uint8Array, held: () => Uint8Array | undefined): Uint8Array | undefined {
    const overlay = this.#tables[table]
    const text = textOf(key)
    return overlay.hides(text) ? overlay.values.get(text) : held()
  }

  /** @param held what the table itself has that begins with the prefix, in order */
  *entries(table: TableName, prefix: Uint8Array, held: Iterable<StoreEntry>): Generator<StoreEntry, void, undefined> {
    const overlay = this.#tables[table]
    const start = textOf(prefix)
    const changed = [...overlay.values.keys()].filter((key) => key.startsWith(start)).sort()
    let next = 0
    for (const entry of held) {
      const key = textOf(entry.key)
      for (let text = changed[next]; text !== undefined && text <= key; text = changed[++next]) yield* entryOf(overlay, text)
      if (!overlay.hides(key)) yield entry
    }
    for (const key of changed.slice(next)) yield* entryOf(overlay, key)
  }
}

function* entryOf({ values }: TableOverlay, key: string): Generator<StoreEntry, void, undefined> {
  const value = values.get(key)
  if (value !== undefined) yield { key: Buffer.from(key, 'latin1'), value }
}

function textOf(key: Uint8Array): string {
  return bufferOf(key).toString('latin1')
}
