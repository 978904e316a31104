import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Transaction } from 'lmdb'
import type { QueueId } from '../../store.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { noGrowth } from '../batch.ts'
import { checkDataFile } from '../check-data-file.ts'
import { DataPages } from '../data-pages.ts'
import { LOCK_NAME } from '../folder-lock.ts'
import { readFormat } from '../format-record.ts'
import type { JournalRecord } from '../journal-record.ts'
import {
  endOfPrefix,
  FORMAT_VERSION,
  indexKey,
  logKey,
  recordKey,
  RecordKind,
  SEQUENCE_MAX,
  sequenceOfIndexKey,
  type LogValue,
  type TableName
} from '../layout.ts'
import { Bodies, readIndexRun, type IndexRun } from '../log-runs.ts'
import { FORMAT_VERSION_MIN } from '../migrate.ts'
import { commitsBehind, journalFilesOf, type JournalFile } from '../read-journal.ts'
import { mergedOf } from '../recover-journal.ts'
import { OpeningGate } from '../opening-gate.ts'
import { surveyRoom } from '../room.ts'
import { StoreError } from '../store-error.ts'
import { openRoot, tablesOf, type Tables } from '../tables.ts'
import { reasonOf } from '../use-folder.ts'
import { JournalOverlay } from './journal-overlay.ts'
import { decode, unreported } from './read-records.ts'
import { StoreMisuse } from './store-misuse.ts'
import type { StoreEntry, StoreReader } from './store-reader.ts'

/**
 * A store as it was when this was opened: its tables, read by LMDB, with what its journal has beyond them. A broker may be
 * running on it and go on: what it changes goes to other pages, and those of the snapshot are not used again while this is
 * open, so that the file grows meanwhile.
 */
export class StoreSnapshot implements StoreReader {
  readonly folder: string
  readonly #tables: Tables
  readonly #transaction: Transaction
  readonly #files: readonly JournalFile[]
  #overlay: JournalOverlay | undefined = undefined
  /** The run that was last looked for: the next is often the same. */
  #lastQueue: QueueId = 0
  #lastRun: IndexRun | undefined = undefined

  private constructor(folder: string, tables: Tables, transaction: Transaction, files: readonly JournalFile[]) {
    this.folder = folder
    this.#tables = tables
    this.#transaction = transaction
    this.#files = files
  }

  /**
   * @param extent `whole`: all pages of the file are looked at first; `opening`: those that a broker looks at
   * @param formats `earlier`: also those that a broker turns into the present one; they can only be copied
   * @throws StoreMisuse if the folder holds no store
   * @throws StoreError if the file is damaged, of another format, or cannot be read
   */
  static async open(
    folder: string,
    extent: 'opening' | 'whole',
    formats: 'present' | 'earlier' = 'present'
  ): Promise<StoreSnapshot> {
    const path = dataFileIn(folder)
    demandReadersTable(folder)
    lookAtMetaPages(path)
    const versionMin = formats === 'present' ? FORMAT_VERSION : FORMAT_VERSION_MIN
    for (let attempt = 1; ; attempt++) {
      try {
        return await StoreSnapshot.#open(folder, path, extent, versionMin)
      } catch (error) {
        // Between one file of the journal and the other a broker may have written to both.
        if (!(error instanceof JournalDamage) || attempt === ATTEMPTS_MAX) throw error
      }
    }
  }

  static async #open(folder: string, path: string, extent: 'opening' | 'whole', versionMin: number): Promise<StoreSnapshot> {
    try {
      // Before the tables: what is merged meanwhile is in both, and nothing in neither.
      const files = journalFilesOf(folder)
      // Opened twice: lmdb 3.5.6 ends the transactions of an opening when that opens a table.
      const holder = OpeningGate.alone(folder, () => openRoot(folder, { readOnly: true }))
      try {
        const held = holder.useReadTransaction()
        checkDataFile(path, extent)
        const snapshot = await StoreSnapshot.#begin(folder, versionMin, files)
        held.done()
        return snapshot
      } finally {
        await OpeningGate.alone(folder, () => holder.close())
      }
    } catch (cause) {
      throw cause instanceof StoreError ? cause : new StoreError('failed', `cannot read ${folder}: ${reasonOf(cause)}`, { cause })
    }
  }

  static async #begin(folder: string, versionMin: number, files: readonly JournalFile[]): Promise<StoreSnapshot> {
    const root = openRoot(folder, { readOnly: true })
    try {
      const tables = tablesOf(root)
      const snapshot = new StoreSnapshot(folder, tables, root.useReadTransaction(), files)
      const { formatVersion } = snapshot
      if (formatVersion < versionMin || formatVersion > FORMAT_VERSION) throw otherFormat(folder, formatVersion)
      if (formatVersion === FORMAT_VERSION) snapshot.#layJournalOver()
      return snapshot
    } catch (error) {
      await OpeningGate.alone(folder, () => root.close())
      throw error
    }
  }

  get formatVersion(): number {
    return readFormat(this.folder, this.value('records', recordKey(RecordKind.Format)))
  }

  /** Bytes of the file that are free to be used again. */
  get freeBytes(): number {
    const { pageSize, freePages } = surveyRoom(this.#tables, noGrowth(), 0)
    return freePages * pageSize
  }

  *entries(table: TableName, prefix: Uint8Array = NOTHING): Generator<StoreEntry, void, undefined> {
    const transaction = this.#transaction
    const range = prefix.byteLength === 0 ? {} : { start: prefix, end: endOfPrefix(prefix) }
    const held = this.#tables[table].getRange({ ...range, transaction })
    yield* this.#overlay?.entries(table, prefix, held) ?? held
  }

  value(table: TableName, key: Uint8Array): Uint8Array | undefined {
    const held = (): Uint8Array | undefined => this.#tables[table].get(key, { transaction: this.#transaction })
    return this.#overlay === undefined ? held() : this.#overlay.value(table, key, held)
  }

  has(table: TableName, key: Uint8Array): boolean {
    return this.value(table, key) !== undefined
  }

  holds(queue: QueueId, sequence: SequenceNumber): boolean {
    return this.runWith(queue, sequence) !== undefined
  }

  /** The run of a queue that has a message; undefined: the queue does not hold it, or what is told of it cannot be read. */
  runWith(queue: QueueId, sequence: SequenceNumber): IndexRun | undefined {
    if (queue === this.#lastQueue && hasMessage(this.#lastRun, sequence)) return this.#lastRun
    const key = indexKey(queue, sequence)
    const range = { start: key, end: indexKey(queue, SEQUENCE_MAX), inclusiveEnd: true, limit: 1, transaction: this.#transaction }
    const [held] = this.#tables.index.getRange(range)
    const run = held && runIn(sequenceOfIndexKey(held.key), held.value)
    this.#lastQueue = queue
    this.#lastRun = hasMessage(run, sequence) ? run : this.#unmergedRun(key)
    return this.#lastRun
  }

  /** What the log has of a message in a run; undefined: it is not there, or cannot be read. */
  bodyOf({ bodiesAt }: IndexRun, sequence: SequenceNumber): LogValue | undefined {
    const value = this.value('log', logKey(bodiesAt))
    if (value === undefined) return undefined
    const bodies = new Bodies(bodiesAt, value)
    return decode('', value, unreported, () => (bodies.moveTo(sequence) ? bodies.read() : undefined))
  }

  /** What the journal has is not in runs yet. */
  #unmergedRun(key: Uint8Array): IndexRun | undefined {
    const value = this.#overlay?.value('index', key, () => undefined)
    return value && runIn(sequenceOfIndexKey(key), value)
  }

  /** The commits that the journal had beyond a state of the tables. */
  commitsBehind(tables: Tables): readonly JournalRecord[] {
    return commitsBehind(mergedOf(tables.records.getBinary(recordKey(RecordKind.Merged))), this.#files)
  }

  #layJournalOver(): void {
    try {
      const commits = commitsBehind(mergedOf(this.value('records', recordKey(RecordKind.Merged))), this.#files)
      if (commits.length > 0) this.#overlay = new JournalOverlay(commits)
    } catch (cause) {
      throw cause instanceof StoreError ? new JournalDamage(cause) : cause
    }
  }

  /**
   * Copies the tables into an existing folder, in which there are none: a state at least as late as the snapshot's tables.
   *
   * @param isCompact free pages are left out
   */
  async copyTo(folder: string, isCompact: boolean): Promise<void> {
    await this.#tables.root.backup(folder, isCompact)
  }

  async close(): Promise<void> {
    this.#transaction.done()
    await OpeningGate.alone(this.folder, () => this.#tables.root.close())
  }
}

const NOTHING = new Uint8Array(0)

/** What cannot be read is told of where the index is read. */
function runIn(last: SequenceNumber, value: Uint8Array): IndexRun | undefined {
  return decode('', value, unreported, () => readIndexRun(last, value))
}

function hasMessage(run: IndexRun | undefined, sequence: SequenceNumber): boolean {
  return run?.messages.some((message) => message.sequence === sequence) === true
}

/** Of looking at a journal that a broker may be writing to. */
const ATTEMPTS_MAX = 5

class JournalDamage extends StoreError {
  constructor({ code, message }: StoreError) {
    super(code, message)
  }
}

/**
 * Where a store's file is.
 *
 * @throws StoreMisuse if there is none
 */
export function dataFileIn(folder: string): string {
  const path = join(folder, 'data.mdb')
  if (!existsSync(path)) throw new StoreMisuse(`${folder} holds no store; accepted is a folder with a file data.mdb`)
  return path
}

/**
 * LMDB notes in a file who reads what, so that no broker writes there meanwhile; without, it reads unprotected. That is
 * good enough for a backup on a medium that is read only, but not where a broker has ever been.
 */
function demandReadersTable(folder: string): void {
  try {
    const noted = join(folder, 'lock.mdb')
    accessSync(existsSync(noted) ? noted : folder, constants.W_OK)
  } catch (cause) {
    if (!existsSync(join(folder, LOCK_NAME))) return
    const accepted = 'accepted is a folder that may be written to: a running broker must know who reads'
    throw new StoreError('failed', `cannot read ${folder} safely; ${accepted}`, { cause })
  }
}

/** Once more if need be: a broker may be writing to one just then. */
function lookAtMetaPages(path: string): void {
  const pages = new DataPages(path, (error) => {
    throw error
  })
  try {
    try {
      pages.latest()
    } catch {
      pages.latest()
    }
  } finally {
    pages.close()
  }
}

function otherFormat(folder: string, version: number): StoreError {
  const accepted = `this version reads format ${FORMAT_VERSION}`
  const isKnown = version >= FORMAT_VERSION_MIN && version < FORMAT_VERSION
  const hint = isKnown ? ', into which a broker of this version turns it when it starts' : ''
  return new StoreError('format', `${folder} holds format ${version} of Godwit's store; ${accepted}${hint}`)
}
