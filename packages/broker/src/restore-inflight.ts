import type { InflightRecord, ProgressRecord, SequenceNumber, Store, StoredMessage, StoredSession } from '@godwit/storage'
import type { Engine } from './engine.ts'
import { Delivery } from './inflight.ts'
import type { LogConsumer } from './log-consumer.ts'
import { Message } from './message.ts'
import type { Session } from './session.ts'
import type { SharedSubscription } from './shared-subscription.ts'

/** Entries asked of the log at a time: what is in flight mostly follows one another there. */
const ENTRIES_MAX = 16

/** A message that was in flight, and whom it moves on when it is finished: its group, its session, or nobody. */
interface Restored {
  readonly record: InflightRecord
  readonly group: SharedSubscription | undefined
  readonly source: SharedSubscription | Session | undefined
}

/**
 * Puts back what a stored session had in flight, in its order. Messages that were kept by themselves are there; the others
 * are read back from the queues of the session, or of the group that they came by.
 */
export async function restoreInflight(engine: Engine, session: Session, stored: StoredSession): Promise<void> {
  const { clientId } = session
  const kept = new Map(stored.inflightMessages.map(({ packetIdentifier, message }) => [packetIdentifier, message]))
  const inflight = stored.progress.inflight.map((record): Restored => {
    const group = groupOf(engine, record)
    return { record, group, source: group ?? (isOwn(record, stored.progress) ? session : undefined) }
  })
  const read = await readAll(
    engine.store,
    inflight.filter(({ record }) => !kept.has(record.packetIdentifier))
  )
  for (const { record, group, source } of inflight) {
    const { packetIdentifier, qos, retain, subscriptionIdentifiers, sequence } = record
    const keptMessage = kept.get(packetIdentifier)
    const message = keptMessage ?? read.get(source)?.get(sequence)
    if (message === undefined) {
      engine.fates.recordMany('store-failed', 1, '', clientId, 'it was in flight, and is not in the store any more')
      source?.finish(sequence)
      continue
    }
    kept.delete(packetIdentifier)
    const delivery = new Delivery(Message.of(message), qos, retain, subscriptionIdentifiers, sequence, source)
    session.inflight.restore(delivery, packetIdentifier, keptMessage !== undefined)
    group?.restoreInflight(session)
  }
  for (const packetIdentifier of stored.progress.released) session.inflight.restoreReleased(packetIdentifier)
  for (const packetIdentifier of kept.keys()) engine.store.deleteInflight(clientId, packetIdentifier)
}

/** Whether a message in flight came by the session's log: another, with sequence 0 or of a group, does not hold the cursor back. */
export function isOwn({ group, sequence }: InflightRecord, { cursor }: ProgressRecord): boolean {
  return group === undefined && sequence > cursor
}

/** The group that a message in flight came by; undefined: none, or one that has ended since. */
function groupOf(engine: Engine, { group: filter, sequence }: InflightRecord): SharedSubscription | undefined {
  const group = filter === undefined ? undefined : engine.subscriptions.findGroup(filter)
  return group?.holds(sequence) === true ? group : undefined
}

type MessagesRead = ReadonlyMap<SequenceNumber, StoredMessage>

async function readAll(store: Store, inflight: readonly Restored[]): Promise<Map<Restored['source'], MessagesRead>> {
  const read = new Map<Restored['source'], MessagesRead>()
  for (const source of new Set(inflight.map((each) => each.source))) {
    if (source?.consumer === undefined) continue
    const sequences = inflight.filter((each) => each.source === source).map(({ record }) => record.sequence)
    read.set(source, await readBack(store, source.consumer, sequences))
  }
  return read
}

/** Reads messages that a consumer has in flight from its queues; those that are not there are missing from what is returned. */
async function readBack(store: Store, consumer: LogConsumer, sequences: readonly SequenceNumber[]): Promise<MessagesRead> {
  const messages = new Map<SequenceNumber, StoredMessage>()
  const wanted = new Set(sequences)
  const queues = consumer.positions().map(({ queue }) => queue)
  let reached = 0
  for (const sequence of sequences.toSorted((a, b) => a - b)) {
    if (sequence <= reached) continue
    const limit = Math.min(wanted.size - messages.size, ENTRIES_MAX)
    const positions = queues.map((queue) => ({ queue, after: sequence - 1 }))
    const entries = await store.read(positions, limit)
    for (const entry of entries) if (wanted.has(entry.sequence)) messages.set(entry.sequence, entry.message)
    reached = entries.length < limit ? Infinity : (entries.at(-1)?.sequence ?? Infinity)
  }
  return messages
}
