import { topicMatches } from '@godwit/protocol'
import type { MaybePromise, SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { HistoryQueue } from './history-queue.ts'
import { isPromise } from './maybe-promise.ts'
import { positionOfTime, positionWithin } from './queue-positions.ts'
import type { ReplayStart } from './replay-requests.ts'

/** Entries looked at in one turn of the event loop, while the last N are counted. */
const ENTRIES_PER_TURN = 256

/** The position in a history behind which a client is to be sent what matches its topic filter. */
export function findReplayStart(
  engine: Engine,
  history: HistoryQueue,
  start: ReplayStart,
  topicFilter: string
): MaybePromise<SequenceNumber> {
  // What is not kept any longer cannot be had: the replay begins with the oldest that is.
  const oldest = history.oldest()
  return isPromise(oldest)
    ? oldest.then((after) => find(engine, history, start, topicFilter, after))
    : find(engine, history, start, topicFilter, oldest)
}

function find(
  engine: Engine,
  history: HistoryQueue,
  start: ReplayStart,
  topicFilter: string,
  oldest: SequenceNumber
): MaybePromise<SequenceNumber> {
  const { store } = engine
  switch (start.kind) {
    case 'all':
      return oldest
    case 'after':
      return Math.min(Math.max(start.sequence, oldest), store.lastSequence)
    case 'from':
      return positionOfTime(store, history.id, oldest, start.atMs)
    case 'last':
      return topicFilter === history.topicFilter
        ? positionWithin(store, history.id, oldest, start.messages, Infinity)
        : countBack(engine, history, start.messages, topicFilter, oldest)
  }
}

/** The filter matches only a part of the history: its messages are counted from the end, some in each turn. */
async function countBack(
  engine: Engine,
  history: HistoryQueue,
  messages: number,
  topicFilter: string,
  oldest: SequenceNumber
): Promise<SequenceNumber> {
  const { store } = engine
  const queue = history.id
  let missing = messages
  let before = store.lastSequence
  while (before > oldest) {
    const behind = store.backlog({ queue, after: before }).messages
    const after = positionWithin(store, queue, oldest, behind + ENTRIES_PER_TURN, Infinity)
    const entries = await store.read([{ queue, after }], ENTRIES_PER_TURN)
    const matching = entries.filter(({ sequence, message }) => sequence <= before && topicMatches(topicFilter, message.topicName))
    const first = matching.at(-missing)
    if (first !== undefined) return first.sequence - 1
    missing -= matching.length
    before = after
    await new Promise<void>((resolve) => engine.defer(resolve))
  }
  return oldest
}
