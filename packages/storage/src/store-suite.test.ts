import { expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import type { SessionRecord, StoreContents } from './records.ts'
import type { Backlog, Consumer, LogEntry, QueueId, QueuePosition, RetainedPage, Store, StoreListener } from './store.ts'
import { STORE_CHECKS, StoreBench } from './store-suite.ts'
import { historyCheck } from './suite/history-check.ts'
import type { SequenceNumber, StoredMessage } from './stored-message.ts'

// A suite is worth what it notices: each of these stores is right but for one planted fault.

class ReadsFromItsPositionOn extends MemoryStore {
  override read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    return super.read(
      positions.map(({ queue, after }) => ({ queue, after: after - 1 })),
      limit
    )
  }
}

class ReadsTwiceWhatTwoQueuesHold extends MemoryStore {
  override read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    const entries = positions.flatMap((position) => super.read([position], limit))
    return entries.toSorted((a, b) => a.sequence - b.sequence).slice(0, limit)
  }
}

class ReadsQueueAfterQueue extends MemoryStore {
  override read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    return [...new Set(positions.flatMap((position) => super.read([position], limit)))].slice(0, limit)
  }
}

class ForgetsTheLimitOfMergedReads extends MemoryStore {
  override read(positions: readonly QueuePosition[], limit: number): readonly LogEntry[] {
    return super.read(positions, positions.length > 1 ? Infinity : limit)
  }
}

class TrimsOneTooFew extends MemoryStore {
  override trimQueue(queue: QueueId, through: SequenceNumber): void {
    super.trimQueue(queue, through - 1)
  }
}

class TrimsEveryQueue extends MemoryStore {
  readonly #opened = new Set<QueueId>()

  override openQueue(topicFilter: string): QueueId {
    const queue = super.openQueue(topicFilter)
    this.#opened.add(queue)
    return queue
  }

  override trimQueue(_: QueueId, through: SequenceNumber): void {
    for (const queue of this.#opened) super.trimQueue(queue, through)
  }
}

class KeepsDroppedQueues extends MemoryStore {
  override dropQueue(queue: QueueId): void {
    super.trimQueue(queue, 0)
  }
}

class CountsCharacters extends MemoryStore {
  override backlog(position: QueuePosition): Backlog {
    const entries = super.read([position], Infinity)
    const bytes = entries.reduce((sum, { message }) => sum + message.payload.length + message.topicName.length, 0)
    return { messages: entries.length, bytes }
  }
}

class CutsPayloadsShort extends MemoryStore {
  override append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    return super.append({ ...message, payload: message.payload.subarray(0, 65_534) }, queues)
  }
}

class SortsUserProperties extends MemoryStore {
  override append(message: StoredMessage, queues: readonly QueueId[]): SequenceNumber {
    const userProperties = message.properties.userProperties?.toSorted()
    return super.append({ ...message, properties: { ...message.properties, userProperties } }, queues)
  }
}

class AsksWhenTouched extends MemoryStore {
  override touch(consumer: Consumer): void {
    const progress = consumer.progress()
    super.touch({ kind: consumer.kind, key: consumer.key, progress: () => progress })
  }
}

class AsksTwice extends MemoryStore {
  override touch(consumer: Consumer): void {
    super.touch({
      kind: consumer.kind,
      key: consumer.key,
      progress() {
        consumer.progress()
        return consumer.progress()
      }
    })
  }
}

class LeavesCursorsBehind extends MemoryStore {
  override touch(consumer: Consumer): void {
    super.touch({
      kind: consumer.kind,
      key: consumer.key,
      progress() {
        const progress = consumer.progress()
        return { ...progress, cursor: Math.max(0, progress.cursor - 1) }
      }
    })
  }
}

class KeepsMessagesInFlight extends MemoryStore {
  override deleteInflight(clientId: string, packetIdentifier: number): void {
    if (packetIdentifier !== 1) super.deleteInflight(clientId, packetIdentifier)
  }
}

class ForgetsOnPuttingAgain extends MemoryStore {
  override putSession(record: SessionRecord): void {
    super.deleteSession(record.clientId)
    super.putSession(record)
  }
}

class KeepsReceivedInOrderOfIdentifiers extends MemoryStore {
  override async open(listener: StoreListener): Promise<StoreContents> {
    const contents = await super.open(listener)
    const sessions = contents.sessions.map((held) => ({
      ...held,
      received: held.received.toSorted((a, b) => a.packetIdentifier - b.packetIdentifier)
    }))
    return { ...contents, sessions }
  }
}

class ForgetsWillsWithSessions extends MemoryStore {
  override deleteSession(clientId: string): void {
    super.deleteSession(clientId)
    super.deleteWill(clientId)
  }
}

class CommitsWithinTheChange extends MemoryStore {
  constructor() {
    super({ schedule: (commit) => commit() })
  }
}

class TellsTheListenerTwice extends MemoryStore {
  override open(listener: StoreListener): Promise<StoreContents> {
    return super.open({
      onCommitted(commit) {
        listener.onCommitted(commit)
        listener.onCommitted(commit)
      },
      onCommitFailed: listener.onCommitFailed.bind(listener)
    })
  }
}

class ShowsDollarTopics extends MemoryStore {
  override readRetained(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    if (topicFilter !== '#' || after !== undefined) return super.readRetained(topicFilter, after, limit)
    const page = super.readRetained(topicFilter, after, limit)
    return { messages: [...super.readRetained('$SYS', undefined, 1).messages, ...page.messages].slice(0, limit), next: page.next }
  }
}

class MissesTheParentLevel extends MemoryStore {
  override readRetained(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    const page = super.readRetained(topicFilter, after, limit)
    const parent = topicFilter.endsWith('/#') ? topicFilter.slice(0, -2) : undefined
    return { messages: page.messages.filter(({ message }) => message.topicName !== parent), next: page.next }
  }
}

class KeepsTheFirstRetained extends MemoryStore {
  override putRetained(message: StoredMessage, sequence: SequenceNumber): void {
    if (!this.hasRetained(message.topicName)) super.putRetained(message, sequence)
  }
}

class UnsubscribesFromAll extends MemoryStore {
  override deleteSubscription(clientId: string): void {
    super.deleteSession(clientId)
  }
}

class EndsScansEarly extends MemoryStore {
  override readRetained(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    const page = super.readRetained(topicFilter, after, limit)
    return page.messages.length < limit ? { messages: page.messages, next: undefined } : page
  }
}

const FAULTS: readonly (readonly [make: () => Store, noticedBy: string])[] = [
  [() => new ReadsFromItsPositionOn(), 'a read begins after its position and ends at its limit'],
  [
    () => new ReadsTwiceWhatTwoQueuesHold(),
    'several queues are merged in order of sequence, each entry once, each queue from its own position'
  ],
  [
    () => new ReadsQueueAfterQueue(),
    'several queues are merged in order of sequence, each entry once, each queue from its own position'
  ],
  [
    () => new ForgetsTheLimitOfMergedReads(),
    'several queues are merged in order of sequence, each entry once, each queue from its own position'
  ],
  [() => new TrimsOneTooFew(), 'trimming cuts up to and including a sequence number, and again changes nothing'],
  [() => new TrimsEveryQueue(), 'trimming one queue leaves the entry in the other'],
  [() => new KeepsDroppedQueues(), 'a dropped queue is gone, with what only it held; its name is not given again'],
  [
    () => new CountsCharacters(),
    'a backlog counts the messages after a position, and the bytes of their payloads and UTF-8 topic names'
  ],
  [() => new CutsPayloadsShort(), 'queues and their messages are kept, with all that a message carries'],
  [() => new SortsUserProperties(), 'what was appended can be read at once, as it was given'],
  [() => new AsksWhenTouched(), 'a touched consumer is asked once for each commit, just before it, however often it was touched'],
  [() => new AsksTwice(), 'a touched consumer is asked once for each commit, just before it, however often it was touched'],
  [() => new CommitsWithinTheChange(), 'the listener is not called from within a change'],
  [() => new TellsTheListenerTwice(), 'commits are told in order, without gaps, whether or not they are waited for'],
  [() => new ForgetsOnPuttingAgain(), 'putting a session again keeps what belongs to it'],
  [() => new KeepsReceivedInOrderOfIdentifiers(), 'received identifiers are kept in the order put, with their messages'],
  [() => new KeepsMessagesInFlight(), 'messages in flight are kept under their packet identifiers until they are deleted'],
  [() => new ForgetsWillsWithSessions(), 'forgetting a session forgets all that belongs to it, and nothing of another'],
  [
    () => new ShowsDollarTopics(),
    '[5.0 MQTT-4.7.2-1] a scan finds the topics that its filter matches, for every shape of filter and size of page'
  ],
  [
    () => new MissesTheParentLevel(),
    '[5.0 MQTT-4.7.2-1] a scan finds the topics that its filter matches, for every shape of filter and size of page'
  ],
  [() => new EndsScansEarly(), 'a scan comes to its end over many topics, few of which match']
]

test.each(FAULTS.map(([make, noticedBy]) => [make().constructor.name, make, noticedBy] as const))(
  'the suite notices that a store is wrong: %s',
  async (_, make, noticedBy) => {
    const check = Object.values(STORE_CHECKS)
      .flat()
      .find(({ name }) => name === noticedBy)
    expect(check, noticedBy).toBeDefined()
    await expect(check?.run(benchOf(make))).rejects.toThrow(/./)
  }
)

test.each([
  KeepsTheFirstRetained,
  LeavesCursorsBehind,
  UnsubscribesFromAll,
  TrimsEveryQueue,
  ReadsQueueAfterQueue,
  MissesTheParentLevel
])('random histories notice that a store is wrong: %o', async (Wrong) => {
  const { run } = historyCheck(() => placeOf(() => new Wrong()), { seed: 1 })
  await expect(run()).rejects.toThrow('Property failed')
})

test('the suite finds no fault in the store that all of these are made from', async () => {
  for (const { run } of Object.values(STORE_CHECKS).flat()) await run(benchOf(() => new MemoryStore()))
})

test('no two checks have the same name', () => {
  const names = Object.values(STORE_CHECKS).flatMap((checks) => checks.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
})

function benchOf(make: () => Store): StoreBench {
  return new StoreBench(placeOf(make))
}

function placeOf(make: () => Store): { store: () => Store } {
  const store = make()
  return { store: () => store }
}
