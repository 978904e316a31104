import type { SessionRecord, SharedGroupRecord, SubscriptionRecord, WillRecord } from './records.ts'
import type { RetainedMessage, RetainedPage, Store } from './store.ts'
import type { SequenceNumber, StoredMessage } from './stored-message.ts'

/** Sessions with all that belongs to them, shared subscriptions' groups, and wills. */
export interface Records extends Pick<
  Store,
  | 'putSession'
  | 'deleteSession'
  | 'putSubscription'
  | 'deleteSubscription'
  | 'putReceived'
  | 'deleteReceived'
  | 'putInflight'
  | 'deleteInflight'
  | 'putWill'
  | 'deleteWill'
> {
  putGroup(record: SharedGroupRecord): void
  deleteGroup(filter: string): void
}

export interface Retained {
  readonly count: number
  has(topicName: string): boolean
  put(retained: RetainedMessage): void
  delete(topicName: string): void
  page(topicFilter: string, after: string | undefined, limit: number): RetainedPage
}

/** The part of a store that is the same wherever it keeps things: whatever changes is part of the commit being gathered. */
export abstract class RecordKeeper {
  protected abstract readonly records: Records
  protected abstract readonly retained: Retained

  /** Called before each change, also one that alters nothing. */
  protected abstract change(): void

  putSession(record: SessionRecord): void {
    this.change()
    this.records.putSession(record)
  }

  deleteSession(clientId: string): void {
    this.change()
    this.records.deleteSession(clientId)
  }

  putSubscription(clientId: string, record: SubscriptionRecord): void {
    this.change()
    this.records.putSubscription(clientId, record)
  }

  deleteSubscription(clientId: string, topicFilter: string): void {
    this.change()
    this.records.deleteSubscription(clientId, topicFilter)
  }

  putSharedGroup(record: SharedGroupRecord): void {
    this.change()
    this.records.putGroup(record)
  }

  deleteSharedGroup(filter: string): void {
    this.change()
    this.records.deleteGroup(filter)
  }

  putReceived(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.change()
    this.records.putReceived(clientId, packetIdentifier, message)
  }

  deleteReceived(clientId: string, packetIdentifier: number): void {
    this.change()
    this.records.deleteReceived(clientId, packetIdentifier)
  }

  putInflight(clientId: string, packetIdentifier: number, message: StoredMessage): void {
    this.change()
    this.records.putInflight(clientId, packetIdentifier, message)
  }

  deleteInflight(clientId: string, packetIdentifier: number): void {
    this.change()
    this.records.deleteInflight(clientId, packetIdentifier)
  }

  putWill(record: WillRecord): void {
    this.change()
    this.records.putWill(record)
  }

  deleteWill(clientId: string): void {
    this.change()
    this.records.deleteWill(clientId)
  }

  get retainedCount(): number {
    return this.retained.count
  }

  hasRetained(topicName: string): boolean {
    return this.retained.has(topicName)
  }

  putRetained(message: StoredMessage, sequence: SequenceNumber): void {
    this.change()
    this.retained.put({ sequence, message })
  }

  deleteRetained(topicName: string): void {
    this.change()
    this.retained.delete(topicName)
  }

  readRetained(topicFilter: string, after: string | undefined, limit: number): RetainedPage {
    return this.retained.page(topicFilter, after, limit)
  }
}
