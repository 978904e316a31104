import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from './store-error.ts'

/** In the folder of every store that was ever opened. */
export const LOCK_NAME = 'in-use.lock'

/** SQLITE_BUSY */
const BUSY = 5

/** SQLITE_NOTADB: there is something in the file */
const NOT_EMPTY = 26

/**
 * Holds a folder for one store. The lock is one that the kernel keeps on an (empty) file for as long as its process lives:
 * it outlives no `kill -9`, needs no process identifiers, which containers number anew, and holds between containers
 * that share a volume. Node offers none; SQLite, which is part of Node, takes one while it is in an exclusive
 * transaction. It excludes other stores of this process as well. Nothing else may open the file: closing any descriptor
 * of it would let the lock go.
 */
export class FolderLock {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  static take(folder: string): FolderLock {
    const path = join(folder, LOCK_NAME)
    try {
      const database = new DatabaseSync(path)
      try {
        // Without a journal there is nothing to write, and a full disk is no hindrance.
        database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      } catch (error) {
        database.close()
        throw error
      }
      return new FolderLock(database)
    } catch (cause) {
      if (cause instanceof Error && 'errcode' in cause && cause.errcode === BUSY) {
        throw new StoreError('in-use', `${folder} is in use by another broker: only one at a time can store its data there`, {
          cause
        })
      }
      if (cause instanceof Error && 'errcode' in cause && cause.errcode === NOT_EMPTY) {
        throw new StoreError('failed', `cannot use ${folder}: ${path} must be empty; remove it if no broker is running`, {
          cause
        })
      }
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new StoreError('failed', `cannot use ${folder}: ${reason}`, { cause })
    }
  }

  release(): void {
    this.#database.close()
  }
}
