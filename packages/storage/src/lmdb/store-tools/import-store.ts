import { LmdbStore } from '../lmdb-store.ts'
import { FieldMistake } from './import-fields.ts'
import { readImportLine } from './import-lines.ts'
import { ImportMistake } from './import-mistake.ts'
import { readJsonLines } from './json-lines.ts'
import { StoreFilling, type FilledCounts } from './store-filling.ts'
import { StorePlace } from './store-place.ts'

/**
 * Makes a store of an export, in a folder that holds none. Sequence numbers are given anew, in the same order. Memory grows
 * with sessions, not with messages.
 *
 * @param chunks the export's bytes
 * @throws ImportMistake if a line is not what is accepted; nothing is left of the store then, as after any failure
 * @throws StoreMisuse if the folder holds a store
 * @throws StoreError if the folder is in use or cannot be written
 */
export async function importStore(chunks: AsyncIterable<Uint8Array>, folder: string): Promise<FilledCounts> {
  const place = StorePlace.take(folder, 'holds a store; accepted is a folder that holds none')
  try {
    const counts = await fill(chunks, place.begun)
    place.finish()
    return counts
  } catch (error) {
    place.abandon()
    throw error
  }
}

async function fill(chunks: AsyncIterable<Uint8Array>, path: string): Promise<FilledCounts> {
  const store = new LmdbStore({ path })
  const filling = new StoreFilling(store)
  await store.open(filling)
  try {
    let number = 0
    for await (const line of readJsonLines(chunks)) {
      number = line.number
      const wait = attempt(number, () => filling.take(readImportLine(line.value)))
      if (wait !== undefined) await wait
    }
    attempt(number + 1, () => filling.demandEnd())
    await filling.settle()
  } finally {
    await store.close()
  }
  return filling.counts
}

/** What is wrong with a line is told with its number. */
function attempt<T>(number: number, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof FieldMistake) throw new ImportMistake(number, error.message, { cause: error })
    throw error
  }
}
