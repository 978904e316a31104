import assert from 'node:assert'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkDataFile } from './check-data-file.ts'
import { Committer, type MergeOutcome } from './committer.ts'
import type { Trim } from './commit-messages.ts'
import { FolderLock } from './folder-lock.ts'
import { readFormat } from './format-record.ts'
import { Journal } from './journal.ts'
import { FORMAT_VERSION, RecordKind, recordKey, type JournalPlace } from './layout.ts'
import { LogReader } from './log-reader.ts'
import { FORMAT_VERSION_MIN, migrate, putBeginning } from './migrate.ts'
import { OpeningGate } from './opening-gate.ts'
import { recoverJournal } from './recover-journal.ts'
import { damaged, StoreError } from './store-error.ts'
import { openTables, type Tables } from './tables.ts'
import { UnfinishedRuns } from './unfinished-runs.ts'
import { reasonOf, useFolder } from './use-folder.ts'

/** Much more than the first pages take. */
const ROOM_FOR_NEW_BYTES = 1_024 * 1_024

/** The folder of a store, held for it alone: its journal, its tables, to read, and the thread that writes these. */
export class DataFile {
  readonly #folder: string
  #lock: FolderLock | undefined = undefined
  #tables: Tables | undefined = undefined
  #log: LogReader | undefined = undefined
  #gate: OpeningGate | undefined = undefined
  #committer: Committer | undefined = undefined
  #journal: Journal | undefined = undefined
  /** The last commit of the journal when it was opened. */
  #recovered: JournalPlace = { journal: 0, number: 0 }
  #runs: UnfinishedRuns | undefined = undefined
  #isNew = false

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts the thread that commits ahead of `open`: it takes as long as all the rest. */
  prepare(): void {
    this.#committer ??= Committer.start(this.#folder)
  }

  /**
   * Makes the folder and the file if there are none, and brings a file of an earlier format up to the present one. Leaves
   * everything as it is when it throws.
   */
  async open(): Promise<void> {
    try {
      useFolder(this.#folder)
      this.#lock = FolderLock.take(this.#folder)
      this.prepare()
      const path = join(this.#folder, 'data.mdb')
      this.#isNew = !existsSync(path)
      if (this.#isNew) await createDataFile(this.#folder)
      if (!statSync(path).isFile()) throw damaged(`${path} is not a file`)
      const runs = new UnfinishedRuns(this.#folder)
      checkDataFile(path, runs.areSuspicious ? 'whole' : 'opening')
      runs.begin()
      this.#runs = runs
      this.#gate = OpeningGate.make(this.#folder)
      this.#gate.share(() => {
        const tables = this.#openTables()
        bringUp(this.#folder, tables)
        this.#recovered = recoverJournal(this.#folder, tables)
        tables.root.resetReadTxn()
      })
      this.#journal = beginJournal(this.#folder, this.#recovered)
      await this.#committer?.open()
    } catch (cause) {
      await this.close(false)
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

  /** Whether commits can be made durable by `append`; else only by `merge`. */
  get hasJournal(): boolean {
    return this.#journal !== undefined
  }

  /** Whether there was plenty of room when it was opened: what `merge` tells of later. */
  get hadPlenty(): boolean {
    return this.#committer?.hadPlenty ?? false
  }

  /**
   * Makes a commit durable in the journal; one at a time. After one that failed only `merge` can make it, and what follows,
   * durable.
   */
  append(changes: Uint8Array, onDone: (error: Error | null) => void): void {
    assert(this.#journal !== undefined, 'there is no journal')
    this.#journal.append(changes, onDone)
  }

  /**
   * Writes commits to the tables, and cuts these; one at a time, and not while one is being appended. What it brought can be
   * read there, and is not needed in the journal, once its outcome is known.
   */
  merge(changes: Uint8Array<ArrayBuffer>, trims: readonly Trim[], onOutcome: (outcome: MergeOutcome) => void): void {
    const committer = this.#committer
    if (committer === undefined) {
      const error = new StoreError('failed', `cannot open ${this.#folder} again`)
      setImmediate(onOutcome, { kind: 'failed', error, changes })
      return
    }
    this.#journal?.turn()
    const through = this.#journal?.place ?? this.#recovered
    committer.merge({ changes, trims, through }, (outcome) => {
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
      await this.#gate?.share(() => {
        const closed = this.#tables?.root.close()
        this.#openTables()
        return closed
      })
      const committer = Committer.start(this.#folder)
      await committer.open()
      this.#committer = committer
    } catch {
      // The next commit tells.
    }
  }

  /** @param isMerged whether the tables hold all that is in the journal, which is then removed */
  async close(isMerged: boolean): Promise<void> {
    await this.#committer?.stop()
    this.#committer = undefined
    this.#journal?.close()
    if (isMerged) this.#journal?.remove()
    this.#journal = undefined
    await this.#gate?.share(() => this.#tables?.root.close())
    this.#tables = undefined
    this.#gate?.release()
    this.#gate = undefined
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
  tables.root.transactionSync(() => putBeginning(tables))
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
  if (version < FORMAT_VERSION) migrate(tables, version)
  if (version > FORMAT_VERSION) {
    throw new StoreError(
      'format',
      `${folder} holds format ${version} of Godwit's store, which a later version wrote; this version reads format ${FORMAT_VERSION} and those before it`
    )
  }
}

/** undefined: it cannot be made. */
function beginJournal(folder: string, recovered: JournalPlace): Journal | undefined {
  try {
    return Journal.begin(folder, recovered)
  } catch {
    return undefined
  }
}

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_INVALID: what LMDB itself notices. */
const DAMAGE_CODES: ReadonlySet<unknown> = new Set([-30_797, -30_796, -30_793])

function isDamage(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && DAMAGE_CODES.has(cause.code)
}
