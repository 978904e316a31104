import { readFileSync } from 'node:fs'
import { journalFilesIn, recordAt, type JournalRecord } from './journal-record.ts'
import type { JournalPlace } from './layout.ts'
import { damaged } from './store-error.ts'

/** A file of a journal as it was when it was read. */
export interface JournalFile {
  readonly path: string
  readonly bytes: Buffer
}

/** The files of the journal in a folder, as they are. */
export function journalFilesOf(folder: string): readonly JournalFile[] {
  return journalFilesIn(folder).map((path) => ({ path, bytes: bytesOf(path) }))
}

/**
 * The commits of a journal that the tables do not hold, in their order. What was torn by a crash was never told to be
 * durable, and is passed over.
 *
 * @param onDamage called where one of them is damaged, or missing, with others behind it; throws unless it is given
 */
export function commitsBehind(
  merged: JournalPlace,
  files: readonly JournalFile[],
  onDamage: (what: string) => void = refuse
): readonly JournalRecord[] {
  const records = files.flatMap((file) => recordsIn(file, merged, onDamage)).sort((a, b) => a.number - b.number)
  let { number } = merged
  for (const record of records) {
    if (record.number !== number + 1) onDamage(`the journal lacks commit ${number + 1}, and has commit ${record.number}`)
    number = record.number
  }
  return records
}

function refuse(what: string): never {
  throw damaged(what)
}

/** Behind the last record may stand others, which were written there before. */
function recordsIn({ path, bytes }: JournalFile, merged: JournalPlace, onDamage: (what: string) => void): JournalRecord[] {
  const records: JournalRecord[] = []
  let record = recordAt(bytes, 0)
  let number = record?.number
  while (record !== undefined && record.isWhole && record.journal === merged.journal && record.number === number) {
    if (number > merged.number) records.push(record)
    number++
    record = recordAt(bytes, record.end)
  }
  if (record !== undefined && isDamaged(record, bytes, merged)) onDamage(`commit ${record.number} in ${path}`)
  return records
}

/** None is written behind one that is not whole. */
function isDamaged({ isWhole, journal, number, end }: JournalRecord, bytes: Buffer, merged: JournalPlace): boolean {
  if (isWhole || journal !== merged.journal || number <= merged.number) return false
  const next = recordAt(bytes, end)
  return next !== undefined && next.isWhole && next.journal === journal && next.number === number + 1
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
