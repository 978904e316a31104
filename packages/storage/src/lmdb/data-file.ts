import assert from 'node:assert'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ByteWriter } from './byte-writer.ts'
import { checkDataFile } from './check-data-file.ts'
import { Committer, type CommitOutcome } from './committer.ts'
import type { CommitRequest } from './commit-messages.ts'
import { FolderLock } from './folder-lock.ts'
import { readFormat, writeFormat } from './format-record.ts'
import { FORMAT_VERSION, RecordKind, recordKey } from './layout.ts'
import { LogReader } from './log-reader.ts'
import { FORMAT_VERSION_MIN, migrate } from './migrate.ts'
import { damaged, StoreError } from './store-error.ts'
import { openTables, type Tables } from './tables.ts'
import { UnfinishedRuns } from './unfinished-runs.ts'
import { reasonOf, useFolder } from './use-folder.ts'

/** Much more than the first pages take. */
const ROOM_FOR_NEW_BYTES = 1_024 * 1_024

/** The folder of a store, held for it alone: its tables, to read, and the thread that commits to them. */
export class DataFile {
  readonly #folder: string
  #lock: FolderLock | undefined = undefined
  #tables: Tables | undefined = undefined
  #log: LogReader | undefined = undefined
  #committer: Committer | undefined = undefined
  #runs: UnfinishedRuns | undefined = undefined
  #isNew = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Makes the folder and the file if there are none, and brings a file of an earlier format up to the present one. Leaves
   * everything as it is when it throws.
   */
  async open(): Promise<void> {
    useFolder(this.#folder)
    this.#lock = FolderLock.take(this.#folder)
    try {
      const path = join(this.#folder, 'data.mdb')
      this.#isNew = !existsSync(path)
      if (this.#isNew) await createDataFile(this.#folder)
      if (!statSync(path).isFile()) throw damaged(`${path} is not a file`)
      const runs = new UnfinishedRuns(this.#folder)
      checkDataFile(path, runs.areSuspicious ? 'whole' : 'opening')
      runs.begin()
      this.#runs = runs
      bringUp(this.#folder, this.#openTables())
      this.#committer = await Committer.start(this.#folder)
    } catch (cause) {
      await this.close()
      if (cause instanceof StoreError) throw cause
      if (isDamage(cause)) throw damaged(`${this.#folder}: ${reasonOf(cause)}`, { cause })
      throw new StoreError('failed', `cannot open ${this.#folder}: ${reasonOf(cause)}`, { cause })
    }
  }

  /** Whether there was no file when it was opened. */
  get isNew(): boolean {
    return this.#isNew
  }

  get tables(): Tables {
    assert(this.#tables !== undefined, 'the store is not open')
    return this.#tables
  }

  get log(): LogReader {
    assert(this.#log !== undefined, 'the store is not open')
    return this.#log
  }

  /** One at a time. What a commit brought can be read once its outcome is known. */
  commit(request: CommitRequest, onOutcome: (outcome: CommitOutcome) => void): void {
    const committer = this.#committer
    if (committer === undefined) {
      const error = new StoreError('failed', `cannot open ${this.#folder} again`)
      setImmediate(onOutcome, { kind: 'failed', error, batch: request.batch })
      return
    }
    committer.commit(request, (outcome) => {
      this.#tables?.root.resetReadTxn()
      onOutcome(outcome)
    })
  }

  /**
   * Opens the tables anew, after a commit that failed: where that was at the page that refers to all others, LMDB refuses to
   * go on until then. Reads go on meanwhile. If the tables cannot be opened, commits fail until they can.
   */
  async reopen(): Promise<void> {
    await this.#committer?.stop()
    this.#committer = undefined
    try {
      const closed = this.#tables?.root.close()
      this.#openTables()
      await closed
      this.#committer = await Committer.start(this.#folder)
    } catch {
      // The next commit tells.
    }
  }

  async close(): Promise<void> {
    await this.#committer?.stop()
    this.#committer = undefined
    await this.#tables?.root.close()
    this.#tables = undefined
    this.#log = undefined
    this.#runs?.end()
    this.#runs = undefined
    this.#lock?.release()
    this.#lock = undefined
  }

  #openTables(): Tables {
    this.#tables = openTables(this.#folder)
    this.#log = new LogReader(this.#tables)
    return this.#tables
  }
}

/** A new file comes into its place whole: one that is empty or begun has been damaged, and is not taken for a new one. */
async function createDataFile(folder: string): Promise<void> {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < ROOM_FOR_NEW_BYTES) throw new StoreError('failed', `cannot begin a store in ${folder}: there is no room`)
  const begun = join(folder, 'new')
  rmSync(begun, { recursive: true, force: true })
  const tables = openTables(begun)
  const writer = new ByteWriter()
  writeFormat(writer)
  tables.records.putSync(recordKey(RecordKind.Format), writer.copy())
  await tables.root.close()
  renameSync(join(begun, 'data.mdb'), join(folder, 'data.mdb'))
  rmSync(begun, { recursive: true, force: true })
  const directory = openSync(folder, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** @throws StoreError if the file holds no store, or one of a format that cannot be read */
function bringUp(folder: string, tables: Tables): void {
  const version = readFormat(folder, tables.records.getBinary(recordKey(RecordKind.Format)))
  if (version < FORMAT_VERSION_MIN) throw damaged(`${folder} says that it holds format ${version}`)
  if (version < FORMAT_VERSION) migrate(tables)
  if (version > FORMAT_VERSION) {
    throw new StoreError(
      'format',
      `${folder} holds format ${version} of Godwit's store, which a later version wrote; this version reads format ${FORMAT_VERSION} and those before it`
    )
  }
}

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_INVALID: what LMDB itself notices. */
const DAMAGE_CODES: ReadonlySet<unknown> = new Set([-30_797, -30_796, -30_793])

function isDamage(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && DAMAGE_CODES.has(cause.code)
}
