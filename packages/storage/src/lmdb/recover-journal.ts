import { growthOf } from './batch.ts'
import type { JournalRecord } from './journal-record.ts'
import { readJournalPlace, RecordKind, recordKey, type JournalPlace } from './layout.ts'
import { mergeChanges } from './merge-changes.ts'
import { commitsBehind, journalFilesOf } from './read-journal.ts'
import { Room } from './room.ts'
import { damaged } from './store-error.ts'
import type { Tables } from './tables.ts'

/**
 * Merges into the tables what a store that did not end in order had only in its journal.
 *
 * @returns the last commit that the tables hold
 * @throws StoreError if the journal is damaged; an error of another kind, if there is no room
 */
export function recoverJournal(folder: string, tables: Tables): JournalPlace {
  const merged = mergedOf(tables.records.getBinary(recordKey(RecordKind.Merged)))
  return mergeCommits(folder, tables, commitsBehind(merged, journalFilesOf(folder))) ?? merged
}

/**
 * Merges commits into the tables of a folder, in one synced transaction.
 *
 * @returns the last of them
 */
export function mergeCommits(folder: string, tables: Tables, commits: readonly JournalRecord[]): JournalPlace | undefined {
  const last = commits.at(-1)
  if (last === undefined) return undefined
  const through = { journal: last.journal, number: last.number }
  const changes = Buffer.concat(commits.map((commit) => commit.changes))
  const room = new Room(folder, tables)
  try {
    room.provide(growthOf(changes), 0)
    tables.root.transactionSync(() => mergeChanges(tables, changes, through))
    return through
  } finally {
    room.close()
  }
}

/** What the tables say of the journal. */
export function mergedOf(value: Uint8Array | undefined): JournalPlace {
  if (value === undefined) throw damaged('it does not say which journal is its own')
  return readJournalPlace(value)
}
