import type { OutboxChanges, OutboxContents, ReadLimit, SequenceNumber } from '../outbox-store.ts'

// Between the client's thread and the one that reads and writes the file: messages go as the bytes that stand in the file, all of a commit
// or read in one buffer that changes hands.

export interface EncodedMessages {
  readonly sequences: readonly SequenceNumber[]
  /** Of each, in bytes; one after another they fill the values. */
  readonly lengths: readonly number[]
  readonly values: Uint8Array<ArrayBuffer>
}

export type EncodedChanges = Omit<OutboxChanges, 'put'> & { readonly put: EncodedMessages }

export type OutboxRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'commit'; readonly changes: EncodedChanges }
  | { readonly kind: 'read'; readonly after: SequenceNumber; readonly limit: ReadLimit }
  | { readonly kind: 'close' }

/** To each request one, in their order. */
export type OutboxReply =
  | { readonly kind: 'opened'; readonly contents: OutboxContents }
  /** The transaction is on disk. */
  | { readonly kind: 'committed' }
  | { readonly kind: 'read'; readonly messages: EncodedMessages; readonly released: readonly SequenceNumber[] }
  | { readonly kind: 'closed' }
  /** Nothing has changed; why, in one line. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface OutboxThreadData {
  readonly folder: string
  /** One number, shared: the requests that have no reply yet. */
  readonly pending: Int32Array<SharedArrayBuffer>
}

export function isOutboxThreadData(data: unknown): data is OutboxThreadData {
  if (typeof data !== 'object' || data === null || !('folder' in data) || !('pending' in data)) return false
  return typeof data.folder === 'string' && data.pending instanceof Int32Array
}

/** The bytes of each message. */
export function* eachMessage({ sequences, lengths, values }: EncodedMessages): Generator<readonly [SequenceNumber, Uint8Array]> {
  let start = 0
  for (const [index, sequence] of sequences.entries()) {
    const end = start + (lengths[index] ?? 0)
    yield [sequence, values.subarray(start, end)]
    start = end
  }
}
