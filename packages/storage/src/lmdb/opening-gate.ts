import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { StoreError } from './store-error.ts'
import { reasonOf } from './use-folder.ts'

/** In the folder of every store that a broker has opened. */
export const GATE_NAME = 'opening.lock'

/** Much longer than opening takes, or one transaction. Who waits so long waits for a process that was stopped. */
const WAIT_MS = 60_000

/**
 * Keeps a data file from being opened by one process while another changes it.
 *
 * LMDB allows that, but lmdb 3.5.6 has a fault of it (ITS#9496): who opens the file reads which transaction was the last, and
 * then notes that one for all processes. If another has been made meanwhile, the next takes its place: what it wrote is
 * lost, and so are pages that others read just then.
 *
 * Like FolderLock, SQLite's lock on an empty file. Any number may change the file, as far as this is concerned; who is to open
 * it keeps further ones from beginning.
 */
export class OpeningGate {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #enter: StatementSync
  readonly #look: StatementSync
  readonly #leave: StatementSync

  private constructor(path: string, waitMs: number) {
    this.#path = path
    this.#database = new DatabaseSync(path, { timeout: waitMs })
    try {
      // Nothing is ever written.
      this.#database.exec('PRAGMA journal_mode = MEMORY')
      this.#enter = this.#database.prepare('BEGIN')
      this.#look = this.#database.prepare('SELECT 1 FROM sqlite_schema')
      this.#leave = this.#database.prepare('COMMIT')
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /**
   * For who may write to the data file.
   *
   * @param waitMs the longest that is waited for others
   * @throws {StoreError} if it cannot be used
   */
  static make(folder: string, waitMs: number = WAIT_MS): OpeningGate {
    const path = join(folder, GATE_NAME)
    try {
      return new OpeningGate(path, waitMs)
    } catch (cause) {
      throw unusable(path, cause)
    }
  }

  /**
   * Opens the data file of a folder while nobody changes it. Makes nothing: where no broker has ever been, none is writing.
   *
   * @param waitMs the longest that is waited for others
   * @throws {StoreError} if it cannot be used, or others do not let go of it
   */
  static open<T>(folder: string, open: () => T, waitMs: number = WAIT_MS): T {
    if (!existsSync(join(folder, GATE_NAME))) return open()
    const gate = OpeningGate.make(folder, waitMs)
    try {
      gate.#close()
      return open()
    } finally {
      gate.release()
    }
  }

  /**
   * Changes the data file while nobody opens it.
   *
   * @throws {StoreError} if someone does all the while; nothing has been changed then
   */
  change<T>(change: () => T): T {
    try {
      this.#enter.run()
      // The lock is taken where something is read.
      this.#look.get()
    } catch (cause) {
      this.#leaveIfEntered()
      throw unusable(this.#path, cause)
    }
    try {
      return change()
    } finally {
      this.#leave.run()
    }
  }

  release(): void {
    this.#database.close()
  }

  #close(): void {
    try {
      this.#database.exec('BEGIN EXCLUSIVE')
    } catch (cause) {
      throw unusable(this.#path, cause)
    }
  }

  #leaveIfEntered(): void {
    if (this.#database.isTransaction) this.#leave.run()
  }
}

function unusable(path: string, cause: unknown): StoreError {
  return new StoreError('failed', `cannot use ${path}, by which processes keep out of each other's way: ${reasonOf(cause)}`, {
    cause
  })
}
