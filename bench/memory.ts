// What the program takes, and how long it stands still: npm run bench:memory -- [items] [pauses] [start-up] [buffers] [--store] [--mqload FOLDER]
// Each figure beside what is stored in bench/results; `--store` puts the figures in its place, and in the README.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../checks/workspace.ts'
import { Mqload } from './compare/mqload.ts'
import { measureBuffers } from './memory/buffers.ts'
import { measureItems } from './memory/items.ts'
import { measurePauses } from './memory/pauses.ts'
import { MEMORY_PARTS, type MemoryPart, memoryFile, writeMemoryReport } from './memory/report.ts'
import { measureStartUp } from './memory/start-up.ts'
import { type NumbersTable, readNumbers, writeNumbers } from './numbers-file.ts'
import { formatted } from './statistics.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'boolean', default: false },
    mqload: { type: 'string', default: process.env['MQLOAD'] ?? join(root, '../shared/tools/mqload') }
  }
})
const unknown = positionals.filter((name) => !MEMORY_PARTS.some((part) => part === name))
if (unknown.length > 0) throw new RangeError(`${unknown.join(', ')}: no such part; there are ${MEMORY_PARTS.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'godwit-memory-'))
try {
  for (const part of MEMORY_PARTS) {
    if (positionals.length > 0 && !positionals.includes(part)) continue
    const measured = await measurePart(part)
    show(part, measured, readNumbers(memoryFile(part)))
    if (values.store) writeNumbers(memoryFile(part), measured)
  }
  if (values.store) writeMemoryReport()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function measurePart(part: MemoryPart): Promise<NumbersTable> {
  const report = (title: string): void => void process.stderr.write(`${title} done\n`)
  switch (part) {
    case 'items':
      return measureItems(folder, report)
    case 'pauses':
      return measurePauses(Mqload.find(values.mqload, '1'), folder, report)
    case 'start-up':
      return measureStartUp(folder, report)
    case 'buffers':
      return measureBuffers(folder)
  }
}

function show(part: MemoryPart, measured: NumbersTable, stored: NumbersTable): void {
  console.log(`\n${part} (in brackets: what is stored)`)
  for (const [title, row] of Object.entries(measured)) {
    const cells = Object.entries(row).map(
      ([kind, value]) => `${kind} ${formatted(value)} (${formatted(stored[title]?.[kind] ?? Number.NaN)})`
    )
    console.log(`  ${title.padEnd(52)}${cells.join(', ')}`)
  }
}
