import type { QueueId } from '../store.ts'
import type { Trim } from './commit-messages.ts'
import {
  indexKey,
  logKey,
  numberedKey,
  readIndexEntry,
  readLogQueues,
  RecordKind,
  sequenceOfIndexKey,
  trimValue
} from './layout.ts'
import type { Tables } from './tables.ts'

/** Entries cut in one transaction, beside what that is made for: room is kept for what so many may need. */
export const TRIMMED_MAX = 2_000

/** The same where there is plenty of room: some tens of milliseconds of work, which commits do not wait for. */
export const TRIMMED_MAX_WITH_PLENTY = 10_000

/** Entries looked at before their deletion: bounds what a trim holds in memory. */
const CHUNK = 500

/**
 * Cuts queues on disk, within a transaction: removes at most `entriesMax` entries in all, and the bodies that no queue
 * holds any longer. What is left to do is noted, queue by queue, so that it goes on after a restart too.
 *
 * @returns the queues of which something may be left
 */
export function trimQueues(tables: Tables, trims: readonly Trim[], entriesMax: number): QueueId[] {
  const unfinished: QueueId[] = []
  let left = entriesMax
  for (const trim of trims) {
    const removed = left === 0 ? 0 : trimQueue(tables, trim, left)
    left -= removed
    const note = numberedKey(RecordKind.Trim, trim.queue)
    if (left > 0) tables.records.removeSync(note)
    else {
      unfinished.push(trim.queue)
      tables.records.putSync(note, trimValue(trim.through))
    }
  }
  return unfinished
}

/** Removes at most `entriesMax` entries of a queue; fewer: it is done. */
function trimQueue(tables: Tables, { queue, through }: Trim, entriesMax: number): number {
  let removed = 0
  while (removed < entriesMax) {
    const wanted = Math.min(CHUNK, entriesMax - removed)
    const entries = [
      ...tables.index.getRange({ start: indexKey(queue, 0), end: indexKey(queue, through), inclusiveEnd: true, limit: wanted })
    ]
    for (const { key, value } of entries) {
      tables.index.removeSync(key)
      removeBody(tables, queue, sequenceOfIndexKey(key), readIndexEntry(value).isOnly)
    }
    removed += entries.length
    if (entries.length < wanted) break
  }
  return removed
}

/** A body goes with the last entry that refers to it. */
function removeBody(tables: Tables, queue: QueueId, sequence: number, isOnly: boolean): void {
  const key = logKey(sequence)
  if (!isOnly) {
    const body = tables.log.getBinaryFast(key)
    if (body === undefined) return
    const isHeld = readLogQueues(body).some((other) => other !== queue && tables.index.doesExist(indexKey(other, sequence)))
    if (isHeld) return
  }
  tables.log.removeSync(key)
}
