import { applyBatch } from './batch.ts'
import { ByteWriter } from './byte-writer.ts'
import { recordKey, RecordKind, writeJournalPlace, type JournalPlace } from './layout.ts'
import { TableChanges } from './table-changes.ts'
import type { Tables } from './tables.ts'

/** Makes the changes of commits in the tables, within a transaction, and notes up to which commit they are there. */
export function mergeChanges(tables: Tables, changes: Uint8Array, through: JournalPlace): void {
  const target = new TableChanges(tables)
  applyBatch(changes, target)
  target.end()
  const writer = new ByteWriter()
  writeJournalPlace(writer, through)
  tables.records.putSync(recordKey(RecordKind.Merged), writer.copy())
}
