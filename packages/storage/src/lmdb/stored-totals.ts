import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { Batch } from './batch.ts'
import type { DataFile } from './data-file.ts'
import { readTotals, RecordKind, recordKey, writeTotals, type Totals } from './layout.ts'

/** Sequence numbers set aside at a time, so that giving one changes nothing on disk. */
const SEQUENCES_SET_ASIDE = 65_536

/** What the file says of the whole store: written with a commit when it has changed. */
export class StoredTotals {
  readonly #file: DataFile
  readonly #batch: Batch
  /** As the last commit that began wrote them. */
  #totals: Totals = { sequencesGiven: 0, lastQueue: 0, retainedBytes: 0 }

  constructor(file: DataFile, batch: Batch) {
    this.#file = file
    this.#batch = batch
  }

  load(): Totals {
    const totals = this.#file.tables.records.getBinary(recordKey(RecordKind.Totals))
    if (totals !== undefined) this.#totals = readTotals(totals)
    return this.#totals
  }

  /** Whether there are numbers that were set aside and not given: they need not be passed over by who opens the store next. */
  hasLeft(lastSequence: SequenceNumber): boolean {
    return this.#totals.sequencesGiven > lastSequence
  }

  write(lastSequence: SequenceNumber, lastQueue: QueueId, retainedBytes: number): void {
    const { sequencesGiven } = this.#totals
    const given = lastSequence > sequencesGiven ? lastSequence + SEQUENCES_SET_ASIDE : sequencesGiven
    this.#write({ sequencesGiven: given, lastQueue, retainedBytes })
  }

  /** For the last commit: sets no numbers aside. */
  writeLast(lastSequence: SequenceNumber): void {
    this.#write({ ...this.#totals, sequencesGiven: lastSequence })
  }

  #write(totals: Totals): void {
    const { sequencesGiven, lastQueue, retainedBytes } = this.#totals
    const isSame = totals.sequencesGiven === sequencesGiven && totals.lastQueue === lastQueue
    if (isSame && totals.retainedBytes === retainedBytes) return
    this.#totals = totals
    writeTotals(this.#batch.put('records', recordKey(RecordKind.Totals)), totals)
    this.#batch.end()
  }
}
