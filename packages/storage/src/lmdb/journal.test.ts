import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Journal } from './journal.ts'
import { JOURNAL_NAMES, RECORD_HEADER_BYTES } from './journal-record.ts'
import { commitsBehind, journalFilesOf } from './read-journal.ts'
import { temporaryFolder } from './testing/temporary-store.ts'

const NEW = { journal: 0x1234_5678_9abc, number: 0 }

describe('what a journal has', () => {
  test('given any commits and merges, then it has those that were not merged, and no others', async () => {
    const history = fc.array(fc.record({ bytes: fc.oneof(fc.nat(50), fc.nat(300_000)), isMerged: fc.boolean() }), {
      maxLength: 12
    })
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const folder = temporaryFolder()
        const journal = Journal.begin(folder, NEW)
        let merged = NEW
        let unmerged: string[] = []
        for (const [index, { bytes, isMerged }] of steps.entries()) {
          const changes = Buffer.alloc(bytes, index + 1)
          await append(journal, changes)
          unmerged.push(changes.toString('latin1'))
          expect(changesBehind(folder, merged)).toEqual(unmerged)
          if (!isMerged) continue
          // What comes while it is being merged goes to the other file, and this one must still be whole.
          const { place } = journal
          journal.turn()
          await append(journal, Buffer.from('meanwhile'))
          unmerged.push('meanwhile')
          expect(changesBehind(folder, merged)).toEqual(unmerged)
          merged = place
          unmerged = ['meanwhile']
        }
        journal.close()
      }),
      { numRuns: 30 }
    )
  })

  test('given another journal in its place, then it has nothing', async () => {
    const { folder } = await filled(3)
    expect(changesBehind(folder, { ...NEW, journal: 1 })).toEqual([])
  })
})

describe('a journal that does not end as it was written', () => {
  test('given a last record that is torn at any byte, then it has those before it', async () => {
    const { folder, path, ends } = await filled(3)
    const bytes = readFileSync(path)
    for (let end = ends[1] ?? 0; end < (ends[2] ?? 0); end++) {
      writeFileSync(path, bytes.subarray(0, end))
      expect(changesBehind(folder, NEW)).toHaveLength(2)
      const zeros = Buffer.from(bytes)
      zeros.fill(0, end)
      writeFileSync(path, zeros)
      // The last byte is not zero.
      expect(changesBehind(folder, NEW)).toHaveLength(2)
    }
  })

  test('given a changed bit in a record with another behind it, then that is damage, unless the tables have it', async () => {
    const { folder, path, ends } = await filled(3)
    const bytes = readFileSync(path)
    for (let at = (ends[0] ?? 0) + RECORD_HEADER_BYTES; at < (ends[1] ?? 0); at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 0x10
      writeFileSync(path, changed)
      expect(() => commitsBehind(NEW, journalFilesOf(folder))).toThrow(/damaged: commit 2 in /)
      const told: string[] = []
      expect(commitsBehind(NEW, journalFilesOf(folder), (what) => told.push(what)).map(({ number }) => number)).toEqual([1])
      expect(told.length).toBe(1)
    }
  })

  test('given a file that is lost, with later commits in the other, then that is damage', async () => {
    const { folder, path, journal } = await filled(3)
    journal.turn()
    await append(journal, Buffer.from('4'))
    writeFileSync(path, '')
    expect(() => commitsBehind(NEW, journalFilesOf(folder))).toThrow(/lacks commit 1/)
    expect(changesBehind(folder, { ...NEW, number: 3 })).toEqual(['4'])
  })

  test('given a file that may not grow, then the commit fails', async () => {
    const { journal } = await filled(1)
    journal.close()
    await expect(append(journal, Buffer.from('2'))).rejects.toThrow()
  })
})

async function filled(commits: number) {
  const folder = temporaryFolder()
  const journal = Journal.begin(folder, NEW)
  onTestFinished(() => journal.close())
  const ends: number[] = []
  for (let number = 1; number <= commits; number++) {
    const changes = Buffer.from(`changes of ${number}`)
    await append(journal, changes)
    ends.push((ends.at(-1) ?? 0) + RECORD_HEADER_BYTES + changes.byteLength)
  }
  return { folder, journal, path: join(folder, JOURNAL_NAMES[0]), ends }
}

function append(journal: Journal, changes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(changes, (error) => (error === null ? resolve() : reject(error)))
  })
}

function changesBehind(folder: string, merged: typeof NEW): string[] {
  return commitsBehind(merged, journalFilesOf(folder)).map(({ changes }) => Buffer.from(changes).toString('latin1'))
}
