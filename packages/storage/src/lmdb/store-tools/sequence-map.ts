import {
  OPEN_END,
  type ProgressRecord,
  type SequenceRange,
  type SharedGroupRecord,
  type SubscriptionRecord
} from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'

/**
 * The numbers that the positions of an export get in another store: in the same order, and with room behind each.
 *
 * ```
 *   in the export      3     7 message   9     10 message      positions: 3, 7, 9
 *   in the new store   2 3   4 5         6 7   8               1: what was retained before all
 *                      │ └── what was retained after 3 and before 7
 *                      └──── position 3
 * ```
 * Known beforehand are the positions that records stand at, few beside the messages. They are numbered as the messages
 * pass, so that no table of messages is needed.
 */
export class SequenceMap {
  readonly #take: () => SequenceNumber
  readonly #positions: Float64Array
  readonly #numbers: Float64Array
  readonly #before: SequenceNumber
  #next = 0

  /** @param take gives the next number, for no message */
  constructor(positions: ReadonlySet<SequenceNumber>, take: () => SequenceNumber) {
    this.#take = take
    this.#positions = Float64Array.from(positions)
      .filter((position) => position > 0 && position < OPEN_END)
      .sort()
    this.#numbers = new Float64Array(this.#positions.length)
    this.#before = take()
  }

  /** A message comes: what lies before it is numbered. */
  reach(message: SequenceNumber): void {
    while (this.#nextPosition < message) this.#number(this.#take())
  }

  /** The message that was reached has got its number. */
  passed(message: SequenceNumber, number: SequenceNumber): void {
    if (this.#nextPosition === message) this.#number(number)
  }

  /** The number of a position, or of a message that is one; the message must have passed. */
  of(position: SequenceNumber): SequenceNumber {
    if (position === 0 || position === OPEN_END) return position
    return this.#numbers[this.#indexOf(position)] ?? 0
  }

  /** A number in the same order to all positions; others that lie between the same two share it. */
  ofRetained(sequence: SequenceNumber): SequenceNumber {
    const index = this.#indexOf(sequence)
    if (index < 0) return this.#before
    const number = this.#numbers[index] ?? 0
    return this.#positions[index] === sequence ? number : number + 1
  }

  get #nextPosition(): SequenceNumber {
    return this.#positions[this.#next] ?? Infinity
  }

  #number(number: SequenceNumber): void {
    this.#numbers[this.#next++] = number
    this.#take()
  }

  /** Of the last position up to a sequence number; -1: there is none. */
  #indexOf(sequence: SequenceNumber): number {
    let low = 0
    let high = this.#positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#positions[middle] ?? Infinity) <= sequence) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** Gives a number for another. */
export type Renumber = (sequence: SequenceNumber) => SequenceNumber

export function renumberSubscription(record: SubscriptionRecord, of: Renumber): SubscriptionRecord {
  const { since, skipped, retainedScan, leaving, replay } = record
  return {
    ...record,
    since: of(since),
    skipped: renumberRanges(skipped, of),
    retainedScan: retainedScan && { ...retainedScan, upTo: of(retainedScan.upTo) },
    leaving: leaving && { ...leaving, since: of(leaving.since), until: of(leaving.until) },
    replay: replay && { ...replay, after: replay.after === undefined ? undefined : of(replay.after) }
  }
}

export function renumberGroup(record: SharedGroupRecord, of: Renumber): SharedGroupRecord {
  return { ...record, since: of(record.since), skipped: renumberRanges(record.skipped, of) }
}

export function renumberProgress(record: ProgressRecord, of: Renumber): ProgressRecord {
  return {
    ...record,
    cursor: of(record.cursor),
    finished: record.finished.map(of),
    inflight: record.inflight.map((inflight) => ({ ...inflight, sequence: of(inflight.sequence) }))
  }
}

function renumberRanges(ranges: readonly SequenceRange[], of: Renumber): SequenceRange[] {
  return ranges.map(({ after, through }) => ({ after: of(after), through: of(through) }))
}
