export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export {
  progressAt,
  type InflightRecord,
  type ProgressRecord,
  type ReceivedRecord,
  type RetainedScanRecord,
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
  QueueId,
  QueuePosition,
  RetainedMessage,
  RetainedPage,
  Store,
  StoreListener
} from './store.ts'
export type { SequenceNumber, StoredMessage } from './stored-message.ts'
