import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { StoreBench } from '../../suite/open-store.ts'
import { LmdbStore } from '../lmdb-store.ts'
import { sequenceOfIndexKey, sequenceOfLogKey } from '../layout.ts'
import { Bodies, readIndexRun } from '../log-runs.ts'
import { openTables } from '../tables.ts'

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'godwit-store-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Opens stores in a folder, and closes the last when the test ends. */
export function benchIn(path: string): StoreBench {
  const bench = new StoreBench({ store: () => new LmdbStore({ path }) })
  onTestFinished(() => bench.close())
  return bench
}

/** How many messages the log and the index of a closed store have, and how many notes of cuts there are. */
export async function countsIn(path: string): Promise<{ bodies: number; entries: number; cuts: number }> {
  const tables = openTables(path)
  let bodies = 0
  for (const { key, value } of tables.log.getRange({})) {
    for (const held = new Bodies(sequenceOfLogKey(key), value); held.advance();) bodies++
  }
  let entries = 0
  for (const { key, value } of tables.index.getRange({})) {
    entries += readIndexRun(sequenceOfIndexKey(key), value).messages.length
  }
  const cuts = [...tables.records.getKeys()].filter(([kind]) => kind === 0x54).length
  await tables.root.close()
  return { bodies, entries, cuts }
}
