import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Trim } from './commit-messages.ts'
import { indexKey, logKey, numberedKey, readLogQueues, RecordKind, sequenceOfIndexKey, trimValue } from './layout.ts'
import { cutRun, readIndexRun, readRunPlace, writeIndexRun, type IndexRun } from './log-runs.ts'
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
      removeBodies(tables, queue, readIndexRun(sequenceOfIndexKey(key), value))
    }
    removed += entries.length
    if (entries.length < wanted) {
      trimRun(tables, queue, through)
      break
    }
  }
  return removed
}

/** Bodies go with the last entry that refers to them. */
function removeBodies(tables: Tables, queue: QueueId, { bodiesAt, isOnly }: IndexRun): void {
  const key = logKey(bodiesAt)
  if (!isOnly) {
    const body = tables.log.getBinaryFast(key)
    if (body === undefined) return
    const isHeld = readLogQueues(new ByteReader(body)).some(
      (other) => other !== queue && tables.index.doesExist(indexKey(other, bodiesAt))
    )
    if (isHeld) return
  }
  tables.log.removeSync(key)
}

/** The run that a queue is cut within begins later from now on; its bodies stay together. */
function trimRun(tables: Tables, queue: QueueId, through: SequenceNumber): void {
  const [next] = tables.index.getRange({ start: indexKey(queue, through + 1), end: indexKey(queue + 1, 0), limit: 1 })
  if (next === undefined) return
  const last = sequenceOfIndexKey(next.key)
  if (readRunPlace(last, next.value).first > through) return
  const writer = new ByteWriter()
  writeIndexRun(writer, cutRun(readIndexRun(last, next.value), through))
  tables.index.putSync(next.key, writer.view)
}
