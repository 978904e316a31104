import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { TakenBatch } from './batch.ts'

/** Cuts a queue on disk. */
export interface Trim {
  readonly queue: QueueId
  readonly through: SequenceNumber
}

/** To the thread that commits: make these changes and cuts, in one transaction. */
export interface CommitRequest {
  readonly batch: TakenBatch
  readonly trims: readonly Trim[]
}

/** From the thread that commits. */
export type CommitReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed' }
  /**
   * The transaction is on disk. Of these queues' trims more is left to do, which the file remembers. The shortage: it took
   * of the room that is kept for when there is no more, and why there is none.
   */
  | { readonly kind: 'committed'; readonly unfinished: readonly QueueId[]; readonly shortage: string | undefined }
  /** Nothing of it is on disk. The batch comes back. */
  | { readonly kind: 'failed'; readonly reason: string; readonly batch: TakenBatch }

export interface CommitWorkerData {
  readonly folder: string
  /** One number, shared: BUSY from a request until its transaction is over, for whom it concerns to wait for. */
  readonly state: Int32Array<SharedArrayBuffer>
}

export const IDLE = 0
export const BUSY = 1

export function isCommitWorkerData(data: unknown): data is CommitWorkerData {
  if (typeof data !== 'object' || data === null || !('folder' in data) || !('state' in data)) return false
  return typeof data.folder === 'string' && data.state instanceof Int32Array
}
