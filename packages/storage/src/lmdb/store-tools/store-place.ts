import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FolderLock, LOCK_NAME } from '../folder-lock.ts'
import { JOURNAL_NAMES } from '../journal-record.ts'
import { StoreError } from '../store-error.ts'
import { syncPath } from './copy-store.ts'
import { StoreMisuse } from './store-misuse.ts'
import { reasonOf, useFolder } from '../use-folder.ts'

/** Where a store's file is made, in the folder that it is for: it comes into its place whole, or not at all. */
const BEGUN = 'incoming'

/**
 * A folder that is to hold another store than it does, held so that no broker starts on it meanwhile.
 *
 * ```
 *   DIR/incoming/data.mdb ──▶ DIR/data.mdb ──▶ DIR/replaced-TIME/data.mdb
 *   being made                 in its place      set aside
 * ```
 */
export class StorePlace {
  readonly #folder: string
  readonly #lock: FolderLock
  readonly #isNewFolder: boolean
  /** A folder for the file that is being made. */
  readonly begun: string

  private constructor(folder: string, lock: FolderLock, isNewFolder: boolean) {
    this.#folder = folder
    this.#lock = lock
    this.#isNewFolder = isNewFolder
    this.begun = join(folder, BEGUN)
  }

  /**
   * Makes the folder if there is none.
   *
   * @param refusal why a folder that holds a store is not accepted, and what is; undefined: that store is set aside
   * @throws StoreMisuse if it is not accepted
   * @throws StoreError if the folder is in use, or cannot be used
   */
  static take(folder: string, refusal: string | undefined): StorePlace {
    const isNewFolder = !existsSync(folder)
    if (refusal !== undefined && existsSync(join(folder, 'data.mdb'))) throw new StoreMisuse(`${folder} ${refusal}`)
    useFolder(folder)
    const place = new StorePlace(folder, FolderLock.take(folder), isNewFolder)
    try {
      // What is there was left by one that was killed.
      rmSync(place.begun, { recursive: true, force: true })
      mkdirSync(place.begun, { mode: 0o700 })
      return place
    } catch (cause) {
      place.#lock.release()
      throw new StoreError('failed', `cannot use ${folder}: ${reasonOf(cause)}`, { cause })
    }
  }

  /** Puts the file that was made, and synced, in its place. Returns where the one that was there is now. */
  finish(): string | undefined {
    const path = join(this.#folder, 'data.mdb')
    try {
      const aside = existsSync(path) ? this.#setAside(path) : undefined
      // Of that one: what it had beyond the tables goes along, and must not meet another's.
      for (const name of JOURNAL_NAMES) this.#moveAway(name, aside)
      // The table of readers says where the file stands to which it belongs, and is made anew for the other.
      rmSync(join(this.#folder, 'lock.mdb'), { force: true })
      renameSync(join(this.begun, 'data.mdb'), path)
      syncPath(this.#folder)
      rmSync(this.begun, { recursive: true, force: true })
      this.#lock.release()
      return aside
    } catch (cause) {
      throw new StoreError('failed', `cannot put the store in its place in ${this.#folder}: ${reasonOf(cause)}`, { cause })
    }
  }

  /** Leaves the folder as it was. */
  abandon(): void {
    rmSync(this.begun, { recursive: true, force: true })
    this.#lock.release()
    if (!this.#isNewFolder) return
    rmSync(join(this.#folder, LOCK_NAME), { force: true })
    if (readdirSync(this.#folder).length === 0) rmdirSync(this.#folder)
  }

  #moveAway(name: string, aside: string | undefined): void {
    const path = join(this.#folder, name)
    if (!existsSync(path)) return
    if (aside === undefined) rmSync(path)
    else renameSync(path, join(aside, name))
  }

  /** By a second name, where the file system has such: at no moment is the folder without a store. */
  #setAside(path: string): string {
    const aside = join(this.#folder, `replaced-${new Date().toISOString().replaceAll(/[-:]/g, '')}`)
    mkdirSync(aside, { mode: 0o700 })
    const target = join(aside, 'data.mdb')
    try {
      linkSync(path, target)
    } catch {
      renameSync(path, target)
    }
    syncPath(aside)
    return aside
  }
}
