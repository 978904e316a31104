import { closeSync, fsyncSync, openSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { noGrowth } from '../batch.ts'
import { JOURNAL_SINCE } from '../migrate.ts'
import { mergeCommits } from '../recover-journal.ts'
import { surveyRoom } from '../room.ts'
import { StoreError } from '../store-error.ts'
import { openTables } from '../tables.ts'
import { reasonOf } from '../use-folder.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/**
 * Copies a store's tables, without their free pages, into a folder that has none, and merges there what was in its journal.
 * What is copied is on disk when this is done.
 *
 * @throws StoreError if it cannot be written
 */
export async function copyStore(snapshot: StoreSnapshot, folder: string): Promise<void> {
  const path = join(folder, 'data.mdb')
  try {
    try {
      await snapshot.copyTo(folder, true)
    } catch (error) {
      if (!reasonOf(error).includes('MDB_INCOMPATIBLE')) throw error
      // LMDB has lost track of some pages, which are neither in use nor free. They are no harm, but must be copied too.
      rmSync(path, { force: true })
      await snapshot.copyTo(folder, false)
    }
    await mergeJournal(snapshot, folder, path)
    syncPath(path)
    syncPath(folder)
  } catch (cause) {
    throw new StoreError('failed', `cannot write ${path}: ${reasonOf(cause)}`, { cause })
  }
}

async function mergeJournal(snapshot: StoreSnapshot, folder: string, path: string): Promise<void> {
  if (snapshot.formatVersion < JOURNAL_SINCE) return
  const tables = openTables(folder)
  try {
    mergeCommits(folder, tables, snapshot.commitsBehind(tables))
    const { pages, pageSize } = surveyRoom(tables, noGrowth(), 0)
    // Behind its pages is room that was made for the merge.
    truncateSync(path, pages * pageSize)
  } finally {
    await tables.root.close()
    rmSync(join(folder, 'lock.mdb'), { force: true })
  }
}

/** Has a file, or what a folder lists, on disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
