import assert from 'node:assert'
import {
  progressAt,
  type ProgressRecord,
  type ReceivedRecord,
  type SessionRecord,
  type SharedGroupRecord,
  type StoreContents,
  type StoredSession,
  type StoredSharedGroup,
  type SubscriptionRecord,
  type WillRecord
} from '../records.ts'
import type { Consumer } from '../store.ts'
import type { SequenceNumber, StoredMessage } from '../stored-message.ts'
import type { Batch } from './batch.ts'
import { ByteReader } from './byte-reader.ts'
import type { DataFile } from './data-file.ts'
import { numberedKey, numberOfKey, packetIdentifierOfKey, receivedKey, RecordKind, subscriptionKey, willKey } from './layout.ts'
import {
  readProgress,
  readReceived,
  readSession,
  readSharedGroup,
  readSubscription,
  readWill,
  writeProgress,
  writeReceived,
  writeSession,
  writeSharedGroup,
  writeSubscription,
  writeWill
} from './record-codec.ts'
import { recordsOf } from './scan-records.ts'
import { StoredInflight } from './stored-inflight.ts'
import type { Tables } from './tables.ts'

/** How far the log has come, and how far of it is on disk or in a commit that has begun. */
interface LogExtent {
  readonly lastSequence: SequenceNumber
  readonly lastWritten: SequenceNumber
}

/**
 * Sessions with all that belongs to them, shared subscriptions' groups, and wills. They are read once, when the store is
 * opened; in memory is only which of them there are. Each has a number, under which the file keeps what
 * belongs to it: short keys, whatever the length of a ClientID. One that is made again gets a new number.
 */
export class StoredRecords {
  readonly #file: DataFile
  readonly #batch: Batch
  readonly #sessions = new Map<string, number>()
  readonly #groups = new Map<string, number>()
  /** The ClientIDs that have one: most clients that end have none, and then there is nothing to delete. */
  readonly #wills = new Set<string>()
  readonly #touched = new Map<number, Consumer>()
  /** One of them. */
  #touchedLast: Consumer | undefined = undefined
  /** The cursors of those whose progress, as it was last written, is nothing else. */
  readonly #cursors = new Map<number, SequenceNumber>()
  readonly #inflight: StoredInflight
  #lastNumber = 0
  #lastReceived = 0

  constructor(file: DataFile, batch: Batch) {
    this.#file = file
    this.#batch = batch
    this.#inflight = new StoredInflight(batch)
  }

  load(): Omit<StoreContents, 'queues'> {
    const { tables } = this.#file
    const progress = new Map<number, ProgressRecord>()
    for (const { key, value } of recordsOf(tables, RecordKind.Progress)) {
      progress.set(numberOfKey(key), readProgress(new ByteReader(value)))
    }
    return {
      sessions: this.#loadSessions(tables, progress),
      sharedGroups: this.#loadGroups(tables, progress),
      wills: Array.from(recordsOf(tables, RecordKind.Will), ({ value }) => {
        const will = readWill(new ByteReader(value))
        this.#wills.add(will.clientId)
        return will
      })
    }
  }

  putSession(record: SessionRecord): void {
    const number = this.#sessions.get(record.clientId) ?? ++this.#lastNumber
    this.#sessions.set(record.clientId, number)
    writeSession(this.#batch.put('records', numberedKey(RecordKind.Session, number)), record)
    this.#batch.end()
  }

  deleteSession(clientId: string): void {
    const number = this.#sessions.get(clientId)
    if (number === undefined) return
    this.#sessions.delete(clientId)
    this.#untouch(number)
    this.#cursors.delete(number)
    this.#batch.delete('records', numberedKey(RecordKind.Session, number))
    this.#batch.delete('records', numberedKey(RecordKind.Progress, number))
    this.#batch.deletePrefix('records', numberedKey(RecordKind.Subscription, number))
    this.#batch.deletePrefix('records', numberedKey(RecordKind.Received, number))
    this.#inflight.deleteAll(number)
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    const key = subscriptionKey(this.#session(clientId), record.topicFilter)
    writeSubscription(this.#batch.put('records', key), record)
    this.#batch.end()
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    const number = this.#sessions.get(clientId)
    if (number !== undefined) this.#batch.delete('records', subscriptionKey(number, topicFilter))
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    const key = receivedKey(this.#session(clientId), packetIdentifier)
    writeReceived(this.#batch.put('records', key), { order: ++this.#lastReceived, message })
    this.#batch.end()
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    const number = this.#sessions.get(clientId)
    if (number !== undefined) this.#batch.delete('records', receivedKey(number, packetIdentifier))
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.#inflight.put(this.#session(clientId), packetIdentifier, message)
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    const number = this.#sessions.get(clientId)
    if (number !== undefined) this.#inflight.delete(number, packetIdentifier)
  }

  putGroup(record: SharedGroupRecord): void {
    const number = this.#groups.get(record.filter) ?? ++this.#lastNumber
    this.#groups.set(record.filter, number)
    writeSharedGroup(this.#batch.put('records', numberedKey(RecordKind.Group, number)), record)
    this.#batch.end()
  }

  deleteGroup(filter: string): void {
    const number = this.#groups.get(filter)
    if (number === undefined) return
    this.#groups.delete(filter)
    this.#untouch(number)
    this.#cursors.delete(number)
    this.#batch.delete('records', numberedKey(RecordKind.Group, number))
    this.#batch.delete('records', numberedKey(RecordKind.Progress, number))
  }

  putWill(record: WillRecord): void {
    this.#wills.add(record.clientId)
    writeWill(this.#batch.put('records', willKey(record.clientId)), record)
    this.#batch.end()
  }

  deleteWill(clientId: string): void {
    if (this.#wills.delete(clientId)) this.#batch.delete('records', willKey(clientId))
  }

  touch(consumer: Consumer): void {
    // Acknowledgements come many at a time.
    if (consumer === this.#touchedLast) return
    const number = (consumer.kind === 'session' ? this.#sessions : this.#groups).get(consumer.key)
    if (number === undefined) return
    this.#touched.set(number, consumer)
    this.#touchedLast = consumer
  }

  /** Writes what is in flight, and asks those that were touched, for the commit that begins: the log has been written. */
  write(log: LogExtent): void {
    this.#inflight.write()
    for (const [number, consumer] of this.#touched) {
      const progress = consumer.progress()
      if (this.#isAsGoodAsWritten(number, progress, log)) continue
      writeProgress(this.#batch.put('records', numberedKey(RecordKind.Progress, number)), progress)
      this.#batch.end()
    }
    this.#touched.clear()
    this.#touchedLast = undefined
  }

  #untouch(number: number): void {
    this.#touched.delete(number)
    this.#touchedLast = undefined
  }

  /**
   * Where a cursor alone has moved, and nothing on disk is behind where it was written, writing it would change nothing:
   * who reads on from there finds the same. Nor will anything ever be there: what this commit does not write of the log up to
   * now, none will. So messages that never reach the disk leave no trace there, and no commit of theirs is synced.
   */
  #isAsGoodAsWritten(number: number, progress: ProgressRecord, { lastWritten, lastSequence }: LogExtent): boolean {
    const { cursor, finished, inflight, released } = progress
    const written = this.#cursors.get(number) ?? Infinity
    const isCursorAlone = finished.length === 0 && inflight.length === 0 && released.length === 0
    if (isCursorAlone && written <= cursor && cursor <= lastSequence && lastWritten <= written) return true
    if (isCursorAlone) this.#cursors.set(number, cursor)
    else this.#cursors.delete(number)
    return false
  }

  #loadSessions(tables: Tables, progress: ReadonlyMap<number, ProgressRecord>): StoredSession[] {
    const subscriptions = new Map<number, SubscriptionRecord[]>()
    for (const { key, value } of recordsOf(tables, RecordKind.Subscription)) {
      listOf(subscriptions, numberOfKey(key)).push(readSubscription(new ByteReader(value)))
    }
    const received = this.#loadReceived(tables)
    const inflightMessages = this.#inflight.load(tables)
    return Array.from(recordsOf(tables, RecordKind.Session), ({ key, value }) => {
      const session = readSession(new ByteReader(value))
      const number = this.#know(this.#sessions, session.clientId, key)
      return {
        session,
        subscriptions: subscriptions.get(number) ?? [],
        progress: progress.get(number) ?? progressAt(0),
        received: received.get(number) ?? [],
        inflightMessages: inflightMessages.get(number) ?? []
      }
    })
  }

  /** In the order put: the keys are in order of packet identifiers. */
  #loadReceived(tables: Tables): Map<number, ReceivedRecord[]> {
    const stored = Array.from(recordsOf(tables, RecordKind.Received), ({ key, value }) => ({
      session: numberOfKey(key),
      packetIdentifier: packetIdentifierOfKey(key),
      ...readReceived(new ByteReader(value))
    }))
    const received = new Map<number, ReceivedRecord[]>()
    for (const { session, packetIdentifier, message, order } of stored.sort((a, b) => a.order - b.order)) {
      listOf(received, session).push({ packetIdentifier, message })
      this.#lastReceived = order
    }
    return received
  }

  #loadGroups(tables: Tables, progress: ReadonlyMap<number, ProgressRecord>): StoredSharedGroup[] {
    return Array.from(recordsOf(tables, RecordKind.Group), ({ key, value }) => {
      const group = readSharedGroup(new ByteReader(value))
      const number = this.#know(this.#groups, group.filter, key)
      return { group, progress: progress.get(number) ?? progressAt(0) }
    })
  }

  #know(numbers: Map<string, number>, name: string, key: Uint8Array): number {
    const number = numberOfKey(key)
    numbers.set(name, number)
    this.#lastNumber = Math.max(this.#lastNumber, number)
    return number
  }

  #session(clientId: string): number {
    const number = this.#sessions.get(clientId)
    assert(number !== undefined, `the store holds no session ${JSON.stringify(clientId)}: put it first`)
    return number
  }
}

function listOf<T>(lists: Map<number, T[]>, number: number): T[] {
  const known = lists.get(number)
  if (known !== undefined) return known
  const list: T[] = []
  lists.set(number, list)
  return list
}
