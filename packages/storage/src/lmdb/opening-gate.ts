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
 * Keeps a tool from opening or closing a data file while a broker opens, changes or closes it, or another tool does.
 *
 * LMDB allows all that, but lmdb 3.5.6 has two faults of it. Who opens the file reads which transaction was the last, and then
 * notes that one for all processes (ITS#9496): if another has been made meanwhile, the next takes its place, so that what
 * it wrote is lost, and pages are changed that others read just then. And who closes the file as the last one takes the locks apart
 * that who opens it meanwhile goes on to use.
 *
 * Like FolderLock, SQLite's lock on an empty file. A broker shares it with itself; a tool that is to have it alone keeps others
 * from beginning. What is done with it has to be done when the call returns, as lmdb closes where no write waits for it.
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
   * For a broker.
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
   * For a tool: opens the data file of a folder, or closes it. Makes nothing: where no broker has ever been, none is writing.
   *
   * @param waitMs the longest that is waited for others
   * @throws {StoreError} if it cannot be used, or others do not let go of it
   */
  static alone<T>(folder: string, act: () => T, waitMs: number = WAIT_MS): T {
    if (!existsSync(join(folder, GATE_NAME))) return act()
    const gate = OpeningGate.make(folder, waitMs)
    try {
      gate.#shut()
      return act()
    } finally {
      gate.release()
    }
  }

  /**
   * For a broker: opens the data file, changes or closes it.
   *
   * @throws {StoreError} if a tool does not let go of it; nothing has been done then
   */
  share<T>(act: () => T): T {
    try {
      this.#enter.run()
      // The lock is taken where something is read.
      this.#look.get()
    } catch (cause) {
      this.#leaveIfEntered()
      throw unusable(this.#path, cause)
    }
    try {
      return act()
    } finally {
      this.#leave.run()
    }
  }

  release(): void {
    this.#database.close()
  }

  #shut(): void {
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
