export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export {
  OPEN_END,
  historyQueueFilter,
  progressAt,
  type InflightMessageRecord,
  type InflightRecord,
  type LeavingRecord,
  type ProgressRecord,
  type QueueId,
  type QueueRecord,
  type ReceivedRecord,
  type ReplayRecord,
  type RetainedScanRecord,
  type SequenceRange,
  type SessionRecord,
  type SharedGroupRecord,
  type StoreContents,
  type StoredSession,
  type StoredSharedGroup,
  type SubscriptionRecord,
  type WillRecord
} from './records.ts'
export type {
  Backlog,
  CommitNumber,
  Consumer,
  LogEntry,
  MaybePromise,
  QueuePosition,
  RetainedMessage,
  RetainedPage,
  Store,
  StoreListener
} from './store.ts'
export { PackedMessage } from './packed-message.ts'
export type { SequenceNumber, StoredMessage } from './stored-message.ts'
