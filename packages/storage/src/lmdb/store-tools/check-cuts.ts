import type { ProgressRecord, QueueId, SequenceRange } from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { indexKey, sequenceOfIndexKey } from '../layout.ts'
import { readIndexRun, type IndexRun } from '../log-runs.ts'
import { decode, type ReadRecords, type Report, unreported } from './read-records.ts'
import type { StoreSnapshot } from './store-snapshot.ts'

/** How far someone who reads a queue has come with it. */
export interface QueueReading {
  readonly since: SequenceNumber
  readonly skipped: readonly SequenceRange[]
  readonly progress: ProgressRecord
  /** With `clientId`: what that client published is not for it. */
  readonly noLocal?: boolean
  readonly clientId: string | undefined
}

/** A queue that is being cut must not lose what still waits for those who read it. */
export class CutCheck {
  readonly #snapshot: StoreSnapshot
  readonly #report: Report
  /** By topic filter: the queues that are being cut, and up to where. */
  readonly #cuts = new Map<string, { readonly queue: QueueId; readonly through: SequenceNumber }>()

  constructor(snapshot: StoreSnapshot, { queues, trims }: ReadRecords, report: Report) {
    this.#snapshot = snapshot
    this.#report = report
    for (const [queue, through] of trims) {
      const topicFilter = queues.get(queue)
      if (topicFilter !== undefined) this.#cuts.set(topicFilter, { queue, through })
    }
  }

  look(name: string, topicFilter: string, reading: QueueReading): void {
    const cut = this.#cuts.get(topicFilter)
    const stands = Math.max(reading.progress.cursor, reading.since)
    if (cut === undefined || cut.through <= stands) return
    let waiting = 0
    for (const { key, value } of this.#snapshot.entries('index', indexKey(cut.queue, 0).subarray(0, 6))) {
      const last = sequenceOfIndexKey(key)
      // What cannot be read is told of where the index is read.
      const run = decode('', value, unreported, () => readIndexRun(last, value))
      if (run !== undefined) waiting += this.#wantedOf(run, stands, cut.through, reading)
      if (last >= cut.through) break
    }
    if (waiting > 0) {
      const lost = `${waiting} messages that wait for ${name}, which stands at ${stands}`
      this.#report(`queue ${cut.queue} is being cut through ${cut.through}, with ${lost}`)
    }
  }

  /** How many of a run's messages, from behind a position to the end of the cut, are still wanted. */
  #wantedOf(run: IndexRun, stands: SequenceNumber, through: SequenceNumber, reading: QueueReading): number {
    const cut = run.messages.filter(({ sequence }) => sequence > stands && sequence <= through)
    return cut.filter(({ sequence }) => this.#isWanted(run, sequence, reading)).length
  }

  #isWanted(run: IndexRun, sequence: SequenceNumber, { skipped, progress, noLocal, clientId }: QueueReading): boolean {
    if (progress.finished.includes(sequence) || progress.inflight.some((record) => record.sequence === sequence)) return false
    if (skipped.some(({ after, through }) => sequence > after && sequence <= through)) return false
    // What is missing in the log, or cannot be read, is told of where the log is read.
    const body = this.#snapshot.bodyOf(run, sequence)
    if (body === undefined) return false
    const { publisherClientId, expiresAtMs } = body.message
    return expiresAtMs > Date.now() && !(noLocal === true && publisherClientId === clientId)
  }
}
