import { DataPages, type Meta } from '../data-pages.ts'
import { damaged, StoreError } from '../store-error.ts'
import { FolderLock } from '../folder-lock.ts'
import type { JournalRecord } from '../journal-record.ts'
import { readJournalPlace, RecordKind, recordKey, type TableName } from '../layout.ts'
import { commitsBehind, journalFilesOf } from '../read-journal.ts'
import { JournalOverlay } from './journal-overlay.ts'
import { decode, type Report } from './read-records.ts'
import { dataFileIn } from './store-snapshot.ts'
import type { StoreEntry, StoreReader } from './store-reader.ts'

/**
 * What can be read of a store whose file is damaged: page by page, without LMDB, which such a file could end the process
 * of. Whatever hangs from a page that cannot be read is lost; what is lost is reported. The folder is held meanwhile.
 */
export class SalvagedStore implements StoreReader {
  readonly folder: string
  readonly #pages: DataPages
  readonly #meta: Meta
  readonly #lock: FolderLock | undefined
  readonly #overlay: JournalOverlay

  /**
   * @param damage why LMDB is not to read it
   * @throws StoreError if nothing can be read, or a broker is running on it
   */
  static open(folder: string, damage: StoreError, report: Report): SalvagedStore {
    const path = dataFileIn(folder)
    const lock = takeLock(folder)
    // Pages are read several times, and told of once.
    const told = new Set<string>()
    const tell = ({ message }: StoreError): void => {
      if (told.has(message)) return
      told.add(message)
      report(message)
    }
    tell(damage)
    const pages = new DataPages(path, tell)
    const states = pages.states()
    if (states.length === 1) report('what was changed last may be lost: only one state of the file can be found')
    const meta = states.find((state) => pages.tables(state).has('records'))
    if (meta !== undefined) return new SalvagedStore(folder, pages, meta, lock, report)
    pages.close()
    lock?.release()
    throw damaged(`nothing can be read of ${path}`)
  }

  private constructor(folder: string, pages: DataPages, meta: Meta, lock: FolderLock | undefined, report: Report) {
    this.folder = folder
    this.#pages = pages
    this.#meta = meta
    this.#lock = lock
    this.#overlay = new JournalOverlay(this.#commits(report))
  }

  entries(table: TableName, prefix: Uint8Array = NOTHING): Iterable<StoreEntry> {
    return this.#overlay.entries(table, prefix, this.#held(table, prefix))
  }

  /** What the journal has beyond the tables. */
  #commits(report: Report): readonly JournalRecord[] {
    const files = journalFilesOf(this.folder)
    for (const { value } of this.#held('records', recordKey(RecordKind.Merged))) {
      const merged = decode('what the tables hold of the journal', value, report, () => readJournalPlace(value))
      if (merged !== undefined) return commitsBehind(merged, files, report)
    }
    const isThere = files.some(({ bytes }) => bytes.byteLength > 0)
    if (isThere) report('what the journal has beyond the tables is lost: these do not say which journal is their own')
    return []
  }

  *#held(table: TableName, prefix: Uint8Array): Generator<StoreEntry, void, undefined> {
    const tree = this.#pages.tables(this.#meta).get(table)
    if (tree === undefined) return
    for (const entry of this.#pages.entries(`the table ${JSON.stringify(table)}`, tree)) {
      if (!entry.key.subarray(0, prefix.byteLength).equals(prefix)) continue
      const value = this.#pages.valueOf(entry)
      if (value !== undefined) yield { key: entry.key, value }
    }
  }

  /** Rather more than less: what is finished with is told by the positions of those who read the queue. */
  holds(): boolean {
    return true
  }

  close(): Promise<void> {
    this.#pages.close()
    this.#lock?.release()
    return Promise.resolve()
  }
}

const NOTHING = new Uint8Array(0)

/** undefined: the folder cannot be written to, and then no broker can be running on it from here. */
function takeLock(folder: string): FolderLock | undefined {
  try {
    return FolderLock.take(folder)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'failed') return undefined
    throw error
  }
}
