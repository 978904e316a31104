import type { QueueId } from '../store.ts'
import type { SequenceNumber } from '../stored-message.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Trim } from './commit-messages.ts'

/** Bytes that come back are kept for the next time, unless they are more. */
const KEPT_BYTES_MAX = 8 * 1_024 * 1_024

/** What the tables are still to be given: the changes of commits, and cuts, which wait for those that they rest on. */
export class Unmerged {
  #changes = new ByteWriter()
  #spare: ArrayBuffer | undefined = undefined
  readonly #trims = new Map<QueueId, SequenceNumber>()

  get isEmpty(): boolean {
    return this.#changes.length === 0 && this.#trims.size === 0
  }

  /** What the changes measure. */
  get bytes(): number {
    return this.#changes.length
  }

  add(changes: Uint8Array): void {
    this.#changes.raw(changes)
  }

  cut(trims: readonly Trim[]): void {
    for (const { queue, through } of trims) this.#trims.set(queue, through)
  }

  take(): { readonly changes: Uint8Array<ArrayBuffer>; readonly trims: readonly Trim[] } {
    const changes = this.#changes.view
    const trims = Array.from(this.#trims, ([queue, through]) => ({ queue, through }))
    this.#changes = new ByteWriter(this.#spare)
    this.#spare = undefined
    this.#trims.clear()
    return { changes, trims }
  }

  /** What was taken has been merged: the bytes are used again. */
  recycle({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength <= KEPT_BYTES_MAX) this.#spare = buffer
  }

  /** What was taken could not be merged: it comes before what was added meanwhile. */
  giveBack(changes: Uint8Array): void {
    const later = this.#changes.view
    this.#changes = new ByteWriter()
    this.#changes.raw(changes)
    this.#changes.raw(later)
  }

  /** Cuts of which something is left, unless they go further by now. */
  cutOn(trims: readonly Trim[]): void {
    this.cut(trims.filter(({ queue }) => !this.#trims.has(queue)))
  }
}
