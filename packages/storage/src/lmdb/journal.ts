import { closeSync, fdatasync, fsyncSync, openSync, rmSync, writev } from 'node:fs'
import { journalFilesIn, recordHeader } from './journal-record.ts'
import type { JournalPlace } from './layout.ts'

/** A file is made longer by so much at a time, within the write that needs it: what then follows changes no length. */
const STEP_BYTES = 256 * 1_024

const ZEROS = Buffer.alloc(STEP_BYTES)

interface JournalFile {
  readonly descriptor: number
  /** It holds something up to here, if only zeros. */
  length: number
}

/**
 * Where commits are made durable: one record after another at the end of a file, each with one sync. The tables follow,
 * many commits at a time, and what they hold is not needed here any longer.
 *
 * ```
 *   journal-a  [ 41 ][ 42 ][ 43 ]           being merged into the tables
 *   journal-b  [ 44 ][ 45 ]░░░░░            being written; behind its end stands what it held before
 * ```
 * A record counts if it is whole and has the next number. One at a time is written, so that only the last can be torn; and
 * none is written behind one that failed, unless the tables hold that one's number by then.
 */
export class Journal {
  readonly #name: number
  readonly #paths: readonly string[]
  readonly #files: JournalFile[]
  #current = 0
  /** Where the next record goes in the current file. */
  #end = 0
  #number: number

  private constructor({ journal, number }: JournalPlace, paths: readonly string[], files: JournalFile[]) {
    this.#name = journal
    this.#number = number
    this.#paths = paths
    this.#files = files
  }

  /**
   * Begins with empty files.
   *
   * @param merged all up to here is in the tables
   * @throws if they cannot be made
   */
  static begin(folder: string, merged: JournalPlace): Journal {
    const paths = journalFilesIn(folder)
    const files: JournalFile[] = []
    const journal = new Journal(merged, paths, files)
    try {
      for (const path of paths) files.push({ descriptor: openSync(path, 'w', 0o600), length: 0 })
      syncFolder(folder)
      return journal
    } catch (error) {
      journal.close()
      throw error
    }
  }

  /** The last record written, or number passed over. */
  get place(): JournalPlace {
    return { journal: this.#name, number: this.#number }
  }

  /** Writes a record and syncs it; one at a time. */
  append(changes: Uint8Array, onDone: (error: Error | null) => void): void {
    this.#number++
    const file = this.#files[this.#current]
    if (file === undefined) {
      setImmediate(onDone, new Error('the journal is closed'))
      return
    }
    const start = this.#end
    const record = [recordHeader(this.place, changes), changes]
    this.#end += byteLength(record)
    const missing = this.#end - file.length
    if (missing > 0) record.push(ZEROS.subarray(0, STEP_BYTES - (this.#end % STEP_BYTES)))
    writeFully(file.descriptor, record, start, (error) => {
      if (error !== null) {
        onDone(error)
        return
      }
      file.length = Math.max(file.length, start + byteLength(record))
      fdatasync(file.descriptor, onDone)
    })
  }

  /** Goes on in the other file, of which the tables hold all by now. */
  turn(): void {
    this.#current = 1 - this.#current
    this.#end = 0
  }

  close(): void {
    for (const { descriptor } of this.#files.splice(0)) closeSync(descriptor)
  }

  /** Removes the files: the tables hold all that is in them. */
  remove(): void {
    for (const path of this.#paths) rmSync(path, { force: true })
  }
}

/** A system may write less than it was asked to, and tells why only when it is asked to go on. */
function writeFully(
  descriptor: number,
  buffers: readonly Uint8Array[],
  position: number,
  onDone: (error: Error | null) => void
): void {
  writev(descriptor, buffers, position, (error, written) => {
    const missing = byteLength(buffers) - written
    if (error !== null || missing === 0) onDone(error)
    else writeFully(descriptor, [Buffer.concat(buffers).subarray(-missing)], position + written, onDone)
  })
}

function byteLength(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, bytes) => sum + bytes.byteLength, 0)
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
