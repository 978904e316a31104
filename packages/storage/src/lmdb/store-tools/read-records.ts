import { validateTopicFilter } from '@godwit/protocol'
import type { ProgressRecord, QueueId, SessionRecord, SharedGroupRecord, SubscriptionRecord } from '../../records.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import { ByteReader } from '../byte-reader.ts'
import { numberOfKey, readTotals, recordKey, RecordKind, subscriptionKey, throughOfTrim, type Totals } from '../layout.ts'
import { readProgress, readSession, readSharedGroup, readSubscription } from '../record-codec.ts'
import { StoreError } from '../store-error.ts'
import type { StoreReader } from './store-reader.ts'

/** Told of something that cannot be what was written; the reading goes on without it, unless this throws. */
export type Report = (what: string) => void

/** For what is reported elsewhere. */
export function unreported(): void {}

export interface ReadSession {
  readonly record: SessionRecord
  readonly subscriptions: SubscriptionRecord[]
  /** undefined: it has not been touched yet. */
  progress: ProgressRecord | undefined
}

interface ReadGroup {
  readonly record: SharedGroupRecord
  progress: ProgressRecord | undefined
}

/** What a store holds besides messages: in memory, it grows with sessions and queues. */
export interface ReadRecords {
  readonly totals: Totals
  readonly queues: ReadonlyMap<QueueId, string>
  /** Up to where queues are being cut, also some that were dropped. */
  readonly trims: ReadonlyMap<QueueId, SequenceNumber>
  /** By the numbers under which the file keeps what belongs to them. */
  readonly sessions: ReadonlyMap<number, ReadSession>
  readonly groups: ReadonlyMap<number, ReadGroup>
}

/** Reads the records that are small, each by the codec that the store reads it by. */
export function readRecords(store: StoreReader, report: Report): ReadRecords {
  return new RecordsReading(store, report).read()
}

class RecordsReading {
  readonly #store: StoreReader
  readonly #report: Report

  constructor(store: StoreReader, report: Report) {
    this.#store = store
    this.#report = report
  }

  read(): ReadRecords {
    const sessions = this.#sessions()
    const groups = this.#groups()
    this.#readSubscriptions(sessions)
    this.#readProgress(sessions, groups)
    return { totals: this.#totals(), queues: this.#queues(), trims: this.#trims(), sessions, groups }
  }

  #totals(): Totals {
    let totals: Totals = { sequencesGiven: 0, lastQueue: 0, retainedBytes: 0 }
    for (const { value } of this.#store.entries('records', recordKey(RecordKind.Totals))) {
      totals = decode('the totals', value, this.#report, () => readTotals(value)) ?? totals
    }
    return totals
  }

  #queues(): Map<QueueId, string> {
    const queues = new Map<QueueId, string>()
    const ids = new Map<string, QueueId>()
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Queue))) {
      const id = numberOfKey(key)
      const topicFilter = decodeAll(`queue ${id}`, value, this.#report, (reader) => reader.text())
      if (topicFilter === undefined) continue
      const mistake = validateTopicFilter(topicFilter)
      if (mistake !== undefined) {
        this.#report(`queue ${id} is that of ${JSON.stringify(topicFilter)}; ${mistake}`)
        continue
      }
      const other = ids.get(topicFilter)
      if (other !== undefined) this.#report(`queues ${other} and ${id} are both those of ${JSON.stringify(topicFilter)}`)
      ids.set(topicFilter, id)
      queues.set(id, topicFilter)
    }
    return queues
  }

  #trims(): Map<QueueId, SequenceNumber> {
    const trims = new Map<QueueId, SequenceNumber>()
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Trim))) {
      const queue = numberOfKey(key)
      const through = decode(`the cut of queue ${queue}`, value, this.#report, () => throughOfTrim(value))
      if (through !== undefined) trims.set(queue, through)
    }
    return trims
  }

  #sessions(): Map<number, ReadSession> {
    const sessions = new Map<number, ReadSession>()
    const clientIds = new Set<string>()
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Session))) {
      const record = decodeAll(`session ${numberOfKey(key)}`, value, this.#report, readSession)
      if (record === undefined) continue
      if (clientIds.has(record.clientId)) {
        this.#report(`${nameOfSession(record.clientId)} is there twice`)
        continue
      }
      clientIds.add(record.clientId)
      sessions.set(numberOfKey(key), { record, subscriptions: [], progress: undefined })
    }
    return sessions
  }

  #groups(): Map<number, ReadGroup> {
    const groups = new Map<number, ReadGroup>()
    const filters = new Set<string>()
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Group))) {
      const record = decodeAll(`shared subscription ${numberOfKey(key)}`, value, this.#report, readSharedGroup)
      if (record === undefined) continue
      if (filters.has(record.filter)) {
        this.#report(`${nameOfGroup(record.filter)} is there twice`)
        continue
      }
      filters.add(record.filter)
      groups.set(numberOfKey(key), { record, progress: undefined })
    }
    return groups
  }

  #readSubscriptions(sessions: ReadonlyMap<number, ReadSession>): void {
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Subscription))) {
      const number = numberOfKey(key)
      const session = sessions.get(number)
      const owner = session === undefined ? `session ${number}` : nameOfSession(session.record.clientId)
      const record = decodeAll(`a subscription of ${owner}`, value, this.#report, readSubscription)
      if (record === undefined) continue
      const name = `subscription ${JSON.stringify(record.topicFilter)}`
      if (session === undefined) this.#report(`${name} is one of session ${number}, which there is not`)
      else if (!subscriptionKey(number, record.topicFilter).equals(key)) this.#report(`${name} of ${owner} is in another's place`)
      else session.subscriptions.push(record)
    }
  }

  #readProgress(sessions: ReadonlyMap<number, ReadSession>, groups: ReadonlyMap<number, ReadGroup>): void {
    for (const { key, value } of this.#store.entries('records', recordKey(RecordKind.Progress))) {
      const number = numberOfKey(key)
      const owner = sessions.get(number) ?? groups.get(number)
      const name = owner === undefined ? `session or shared subscription ${number}` : nameOf(owner)
      const progress = decodeAll(`how far ${name} has come`, value, this.#report, readProgress)
      if (owner === undefined) this.#report(`there is no ${name}, but how far it has come`)
      else owner.progress = progress
    }
    for (const number of groups.keys()) {
      if (sessions.has(number)) this.#report(`a session and a shared subscription both have the number ${number}`)
    }
  }
}

/** Reads a value to its end; undefined, and reported: it cannot be what was written. */
export function decodeAll<T>(what: string, value: Uint8Array, report: Report, read: (reader: ByteReader) => T): T | undefined {
  const reader = new ByteReader(value)
  const decoded = decode(what, value, report, () => read(reader))
  if (decoded !== undefined && !reader.isAtEnd) report(`${what} has something behind its end`)
  return decoded
}

export function decode<T>(what: string, value: Uint8Array, report: Report, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    report(`${what} cannot be read, in ${value.byteLength} bytes: ${error.message.replace(/^the store is damaged: /, '')}`)
    return undefined
  }
}

export function nameOfSession(clientId: string): string {
  return `session ${JSON.stringify(clientId)}`
}

export function nameOfGroup(filter: string): string {
  return `shared subscription ${JSON.stringify(filter)}`
}

function nameOf({ record }: ReadSession | ReadGroup): string {
  return 'clientId' in record ? nameOfSession(record.clientId) : nameOfGroup(record.filter)
}
