import { endOfPrefix, recordKey, type RecordKind } from './layout.ts'
import type { Tables } from './tables.ts'

/** All records of a kind, by their keys. */
export function recordsOf(
  { records }: Tables,
  kind: RecordKind
): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
  const start = recordKey(kind)
  return records.getRange({ start, end: endOfPrefix(start) })
}
