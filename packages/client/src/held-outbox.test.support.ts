import { memoryOutbox } from './memory-outbox.ts'
import type { OutboxChanges, OutboxContents, OutboxMessage, OutboxStore, ReadLimit, SequenceNumber } from './outbox-store.ts'

/** A durable outbox in memory: its commits can be held back, and it outlives the client that used it. */
export class HeldOutbox implements OutboxStore {
  readonly isDurable = true
  /** What was committed, in order. */
  readonly committed: OutboxChanges[] = []
  readonly #store: OutboxStore
  readonly #waiting: { readonly changes: OutboxChanges; readonly ends: PromiseWithResolvers<void> }[] = []
  #isHeld = false
  #isDead = false
  #failure: Error | undefined = undefined

  constructor(store: OutboxStore = memoryOutbox()) {
    this.#store = store
  }

  /** Commits that wait: one at most, if the client keeps the rules. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** From here on commits wait for `commits`. */
  holds(): void {
    this.#isHeld = true
  }

  /** Makes what waits, and what follows. */
  releases(): void {
    this.#isHeld = false
    while (this.#waiting.length > 0) this.commits()
  }

  /** Makes the commit that waits, which has to be there. */
  commits(): void {
    const next = this.#waiting.shift()
    if (next === undefined) throw new Error('no commit waits')
    this.#make(next.changes).then(next.ends.resolve, next.ends.reject)
  }

  /** Every commit fails from here on; undefined: none does. */
  fails(failure: Error | undefined): void {
    this.#failure = failure
  }

  /** The process dies: what is not committed is gone. Returns what the next one finds. */
  async dies(): Promise<HeldOutbox> {
    this.#isDead = true
    await this.#store.close()
    return new HeldOutbox(this.#store)
  }

  open(): Promise<OutboxContents> {
    return this.#store.open()
  }

  commit(changes: OutboxChanges): Promise<void> {
    if (!this.#isHeld) return this.#make(changes)
    const ends: PromiseWithResolvers<void> = Promise.withResolvers()
    this.#waiting.push({ changes, ends })
    return ends.promise
  }

  read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]> {
    return this.#store.read(afterSequence, limit)
  }

  async close(): Promise<void> {
    if (!this.#isDead) await this.#store.close()
  }

  async #make(changes: OutboxChanges): Promise<void> {
    if (this.#isDead) return
    if (this.#failure !== undefined) throw this.#failure
    await this.#store.commit(changes)
    this.committed.push(changes)
  }
}
