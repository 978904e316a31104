import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import type { JournalPlace } from './layout.ts'

/** Cuts a queue on disk. */
export interface Trim {
  readonly queue: QueueId
  readonly through: SequenceNumber
}

/** To the thread that writes the tables: make the changes of these commits, and these cuts, in one transaction. */
export interface MergeRequest {
  readonly changes: Uint8Array<ArrayBuffer>
  readonly trims: readonly Trim[]
  /** The place in the journal that the last of the commits has, or would have. */
  readonly through: JournalPlace
}

/** From the thread that writes the tables. The changes come back: their bytes are used again. */
export type MergeReply =
  | { readonly kind: 'opened'; readonly hasPlenty: boolean }
  | { readonly kind: 'closed' }
  /**
   * The transaction is on disk. Of these queues' trims more is left to do, which the file remembers. Plenty: those that follow
   * will have room as well. The shortage: it took of the room that is kept for when there is no more, and why there is none.
   */
  | {
      readonly kind: 'merged'
      readonly hasPlenty: boolean
      readonly unfinished: readonly QueueId[]
      readonly shortage: string | undefined
      readonly changes: Uint8Array<ArrayBuffer>
    }
  /** Nothing of it is on disk. */
  | { readonly kind: 'failed'; readonly reason: string; readonly changes: Uint8Array<ArrayBuffer> }

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
