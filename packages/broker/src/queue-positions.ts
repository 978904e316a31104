import type { LogEntry, MaybePromise, QueueId, SequenceNumber, Store } from '@godwit/storage'
import { isPromise } from './maybe-promise.ts'

/** The first position from `from` on that is accepted, as all behind it are; `through` if none before it is. */
export function firstPosition(
  from: SequenceNumber,
  through: SequenceNumber,
  isAccepted: (position: SequenceNumber) => boolean
): SequenceNumber {
  let low = from
  let high = through
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (isAccepted(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The lowest position from `after` on behind which a queue holds no more than so many messages and bytes. */
export function positionWithin(
  store: Store,
  queue: QueueId,
  after: SequenceNumber,
  messagesMax: number,
  bytesMax: number
): SequenceNumber {
  const isWithin = (position: SequenceNumber): boolean => {
    const { messages, bytes } = store.backlog({ queue, after: position })
    return messages <= messagesMax && bytes <= bytesMax
  }
  // Mostly it is.
  return isWithin(after) ? after : firstPosition(after + 1, store.lastSequence, isWithin)
}

/**
 * The position from `after` on behind which a queue's messages were published at a time or later. Found by halving: where
 * the clock was set back meanwhile, it is one of the places where that time was passed.
 */
export function positionOfTime(
  store: Store,
  queue: QueueId,
  after: SequenceNumber,
  fromMs: number
): MaybePromise<SequenceNumber> {
  // Mostly the first one decides.
  return search(store, queue, fromMs, { low: after, high: store.lastSequence, probe: after })
}

interface Range {
  readonly low: SequenceNumber
  readonly high: SequenceNumber
  readonly probe: SequenceNumber
}

function search(store: Store, queue: QueueId, fromMs: number, range: Range): MaybePromise<SequenceNumber> {
  let at = range
  while (at.low < at.high) {
    const entries = store.read([{ queue, after: at.probe }], 1)
    if (isPromise(entries)) {
      const asked = at
      return entries.then(([entry]) => search(store, queue, fromMs, narrowed(asked, entry, fromMs)))
    }
    at = narrowed(at, entries[0], fromMs)
  }
  return at.low
}

function narrowed({ low, high, probe }: Range, entry: LogEntry | undefined, fromMs: number): Range {
  const isEarlier = entry !== undefined && entry.message.publishedAtMs < fromMs
  const lowest = isEarlier ? entry.sequence : low
  const highest = isEarlier ? high : probe
  return { low: lowest, high: highest, probe: Math.floor((lowest + highest) / 2) }
}
