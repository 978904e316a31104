import type { LogEntry } from '../../store.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { logKey, sequenceOfLogKey } from '../layout.ts'
import { Bodies } from '../log-runs.ts'
import { decode, type Report } from './read-records.ts'
import type { StoreEntry } from './store-reader.ts'

interface OpenRun {
  readonly bodies: Bodies
  readonly value: Uint8Array
}

/**
 * The messages of a log in the order of their sequence numbers. Runs begin in that order; those that came in one merge lie
 * within each other, and are held in memory as far as they do.
 */
export function* messagesInOrder(log: Iterable<StoreEntry>, report: Report): Generator<LogEntry, void, undefined> {
  /** Each at its next message: the first in order is the last. */
  const open: OpenRun[] = []
  for (const { key, value } of log) {
    if (key.byteLength !== logKey(0).byteLength) {
      report(`the log has a key of ${key.byteLength} bytes`)
      continue
    }
    const first = sequenceOfLogKey(key)
    yield* messagesBefore(first, open, report)
    advance({ bodies: new Bodies(first, value), value }, open, report)
  }
  yield* messagesBefore(Infinity, open, report)
}

function* messagesBefore(end: SequenceNumber, open: OpenRun[], report: Report): Generator<LogEntry, void, undefined> {
  for (let run = open.at(-1); run !== undefined && run.bodies.sequence < end; run = open.at(-1)) {
    open.pop()
    const { bodies, value } = run
    const body = decode('a message', value, report, () => bodies.read())
    if (body !== undefined) yield body
    advance(run, open, report)
  }
}

function advance(run: OpenRun, open: OpenRun[], report: Report): void {
  if (decode('a message', run.value, report, () => run.bodies.advance()) !== true) return
  const { sequence } = run.bodies
  let low = 0
  let high = open.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((open[middle]?.bodies.sequence ?? 0) > sequence) low = middle + 1
    else high = middle
  }
  open.splice(low, 0, run)
}
