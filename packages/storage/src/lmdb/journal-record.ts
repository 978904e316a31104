import { crc32 } from 'node:zlib'
import { join } from 'node:path'
import type { JournalPlace } from './layout.ts'

// A record of the journal, which is the changes of one commit:
//
//   checksum (CRC-32 of all that follows, 32 bits)  length (32)  journal (48)  number (48)  changes
export const RECORD_HEADER_BYTES = 20

/** The two files of a journal, which take turns. */
export const JOURNAL_NAMES = ['journal-a', 'journal-b'] as const

export function journalFilesIn(folder: string): readonly string[] {
  return JOURNAL_NAMES.map((name) => join(folder, name))
}

/** What stands before the changes in their record. */
export function recordHeader({ journal, number }: JournalPlace, changes: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES)
  header.writeUInt32BE(changes.byteLength, 4)
  header.writeUIntBE(journal, 8, 6)
  header.writeUIntBE(number, 14, 6)
  header.writeUInt32BE(checksum(header, changes), 0)
  return header
}

export interface JournalRecord extends JournalPlace {
  readonly changes: Uint8Array
  /** Whether it is as it was written. */
  readonly isWhole: boolean
  /** Where the next one begins. */
  readonly end: number
}

/** The record that begins at a place in a file's bytes; undefined: there is no room for one. */
export function recordAt(bytes: Buffer, at: number): JournalRecord | undefined {
  const start = at + RECORD_HEADER_BYTES
  if (start > bytes.byteLength) return undefined
  const header = bytes.subarray(at, start)
  const end = start + header.readUInt32BE(4)
  const changes = bytes.subarray(start, end)
  return {
    journal: header.readUIntBE(8, 6),
    number: header.readUIntBE(14, 6),
    changes,
    isWhole: end <= bytes.byteLength && header.readUInt32BE(0) === checksum(header, changes),
    end
  }
}

function checksum(header: Buffer, changes: Uint8Array): number {
  return crc32(changes, crc32(header.subarray(4)))
}
