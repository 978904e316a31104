import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { reasonOf } from '../use-folder.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/**
 * Copies a store's file, without its free pages, into a folder that has none; what is copied is on disk when this is done.
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
    syncPath(path)
    syncPath(folder)
  } catch (cause) {
    throw new StoreError('failed', `cannot write ${path}: ${reasonOf(cause)}`, { cause })
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
