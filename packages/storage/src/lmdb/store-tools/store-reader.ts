import type { QueueId } from '../../store.ts'
import type { SequenceNumber } from '../../stored-message.ts'
import type { TableName } from '../layout.ts'

export interface StoreEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** How the tools read a store: its tables as they were at one moment. */
export interface StoreReader {
  readonly folder: string
  /** A table's entries whose keys begin with the prefix, in the order of their keys. */
  entries(table: TableName, prefix?: Uint8Array): Iterable<StoreEntry>
  /** Whether a queue still holds a message that was appended to it. */
  holds(queue: QueueId, sequence: SequenceNumber): boolean
  close(): Promise<void>
}
