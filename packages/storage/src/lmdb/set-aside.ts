import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { FolderLock } from './folder-lock.ts'
import { JOURNAL_NAMES } from './journal-record.ts'
import { StoreError } from './store-error.ts'
import { RUNNING_NAME } from './unfinished-runs.ts'
import { reasonOf } from './use-folder.ts'

/** The data, the readers that LMDB knows of, and how it ended. */
const STORE_FILES = ['data.mdb', ...JOURNAL_NAMES, 'lock.mdb', RUNNING_NAME] as const

/**
 * Moves a store that cannot be opened out of the way, within its folder and as it is, so that a new one can begin.
 *
 * @returns the folder, new and named after the time, where it is now
 * @throws StoreError if the store is in use, or cannot be moved
 */
export function setAside(folder: string): string {
  const lock = FolderLock.take(folder)
  try {
    const aside = join(folder, `damaged-${new Date().toISOString().replaceAll(/[-:]/g, '')}`)
    mkdirSync(aside, { mode: 0o700 })
    for (const name of STORE_FILES) if (existsSync(join(folder, name))) renameSync(join(folder, name), join(aside, name))
    for (const changed of [aside, folder]) syncFolder(changed)
    return aside
  } catch (cause) {
    throw new StoreError('failed', `cannot set aside the store in ${folder}: ${reasonOf(cause)}`, { cause })
  } finally {
    lock.release()
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
