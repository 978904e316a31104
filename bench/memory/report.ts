import { readFileSync, writeFileSync } from 'node:fs'
import { table } from '../compare/tables.ts'
import { replaceGenerated } from '../generated.ts'
import { readNumbers } from '../numbers-file.ts'
import { formatted } from '../statistics.ts'

export const MEMORY_PARTS = ['start-up', 'items', 'buffers', 'pauses'] as const

export type MemoryPart = (typeof MEMORY_PARTS)[number]

/** The columns of each part's table: the names of the figures, and their heads. */
const COLUMNS: Readonly<Record<MemoryPart, Readonly<Record<string, string>>>> = {
  'start-up': {
    startMs: 'until it listens, ms',
    leastMs: 'the fastest of 9, ms',
    residentMegabytes: 'resident when idle, MB',
    ownMegabytes: 'of these not pages of files, MB'
  },
  items: { heap: 'heap, bytes', buffers: 'buffers, bytes', resident: 'resident, bytes', disk: 'on disk, bytes' },
  buffers: { heap: 'heap, MB', buffers: 'buffers, MB', resident: 'resident, MB' },
  pauses: {
    collections: 'collections',
    percent: 'of the time, %',
    median: 'median, ms',
    p99: '99 %, ms',
    p999: '99.9 %, ms',
    longest: 'longest, ms',
    longestAtFirst: 'longest while clients come, ms'
  }
}

const README = new URL('../README.md', import.meta.url)

export function memoryFile(part: MemoryPart): URL {
  return new URL(`../results/${part}.json`, import.meta.url)
}

/** Writes the README's tables of memory anew, from what is stored. */
export function writeMemoryReport(): void {
  let document = readFileSync(README, 'utf8')
  for (const part of MEMORY_PARTS) {
    const columns = Object.entries(COLUMNS[part])
    const rows = Object.entries(readNumbers(memoryFile(part))).map(([title, row]) => [
      title,
      ...columns.map(([kind]) => formatted(row[kind] ?? Number.NaN))
    ])
    document = replaceGenerated(document, part, table(['', ...columns.map(([, head]) => head)], rows))
  }
  writeFileSync(README, document)
}
