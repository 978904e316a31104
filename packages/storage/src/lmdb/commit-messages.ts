import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'

/** Cuts a queue on disk. */
export interface Trim {
  readonly queue: QueueId
  readonly through: SequenceNumber
}

/** To the thread that commits: make these changes, in one transaction. */
export interface CommitRequest {
  readonly changes: Uint8Array<ArrayBuffer>
  readonly trims: readonly Trim[]
}

/** From the thread that commits. */
export type CommitReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed' }
  /** The transaction is on disk. Of the trims named here more is left to do, which the file remembers. */
  | { readonly kind: 'committed'; readonly unfinished: readonly QueueId[] }
  /** Nothing of it is on disk. The changes come back. */
  | { readonly kind: 'failed'; readonly reason: string; readonly changes: Uint8Array<ArrayBuffer> }

export interface CommitWorkerData {
  readonly folder: string
}
