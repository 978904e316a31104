import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { COMMIT_RETRY_MS } from './limits.ts'
import { OutboxBatch } from './outbox-batch.ts'
import type { OutboxContents, OutboxMessage, OutboxStore, ReadLimit, SequenceNumber } from './outbox-store.ts'

export interface OutboxListener {
  /** All messages up to this one are as safe as the store makes them. */
  onStored(throughSequence: SequenceNumber): void
  onFailed(error: ClientError): void
  onRecovered(): void
}

const NOTHING: OutboxContents = { clientId: undefined, nextSequence: 1, messages: 0, bytes: 0, receivedIdentifiers: [] }

/**
 * The store of one client, with its commits in groups: one is under way at a time, and what comes meanwhile gathers in the next, so that the
 * more there is, the more share one sync. A message that was acknowledged before its commit began is never written.
 *
 * Where a commit is not durable nothing waits for it, and without a store there is none.
 */
export class Outbox {
  readonly #store: OutboxStore | undefined
  readonly #clock: Clock
  readonly #listener: OutboxListener
  #gathered = new OutboxBatch()
  #isScheduled = false
  #committing: Promise<void> | undefined = undefined
  #hasFailed = false
  #cancelRetry: (() => void) | undefined = undefined

  constructor(store: OutboxStore | undefined, clock: Clock, listener: OutboxListener) {
    this.#store = store
    this.#clock = clock
    this.#listener = listener
  }

  /** Whether what is accepted survives the process: `OutboxListener.onStored` tells when. */
  get isDurable(): boolean {
    return this.#store?.isDurable === true
  }

  /** The last commit failed, and it is being tried again. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  async open(): Promise<OutboxContents> {
    if (this.#store === undefined) return NOTHING
    try {
      return await this.#store.open()
    } catch (error) {
      throw outboxFailed('The outbox cannot be opened', error)
    }
  }

  /** Makes the client's name the outbox's; resolves once it is stored. */
  claim(clientId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#change((batch) => batch.claim(clientId), resolve)
    })
  }

  put(message: OutboxMessage): void {
    if (this.#store === undefined) return
    this.#gathered.put(message)
    this.#schedule()
  }

  remove(sequence: SequenceNumber): void {
    if (this.#store === undefined) return
    this.#gathered.remove(sequence)
    this.#schedule()
  }

  /** PUBREC has come; calls back once that is stored. */
  release(sequence: SequenceNumber, onStored: () => void): void {
    this.#change((batch) => batch.release(sequence), onStored)
  }

  /** A QoS 2 message was taken; calls back once that is stored. */
  received(packetIdentifier: number, onStored: () => void): void {
    this.#change((batch) => batch.received(packetIdentifier), onStored)
  }

  /** The server has released a QoS 2 message; calls back once that is stored. */
  forget(packetIdentifier: number, onStored: () => void): void {
    this.#change((batch) => batch.forget(packetIdentifier), onStored)
  }

  read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]> {
    return this.#store?.read(afterSequence, limit) ?? Promise.resolve([])
  }

  /** Makes a last attempt to commit what there is, and lets go of the store. */
  async close(): Promise<void> {
    this.#cancelRetry?.()
    await this.#committing
    if (!this.#gathered.isEmpty) await this.#commit()
    this.#cancelRetry?.()
    try {
      await this.#store?.close()
    } catch (error) {
      this.#listener.onFailed(outboxFailed('The outbox cannot be closed', error))
    }
  }

  #change(change: (batch: OutboxBatch) => void, onStored: () => void): void {
    if (this.#store !== undefined) {
      change(this.#gathered)
      if (this.#store.isDurable) this.#gathered.callBack(onStored)
      this.#schedule()
    }
    if (this.#store?.isDurable !== true) onStored()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#committing !== undefined || this.#hasFailed) return
    this.#isScheduled = true
    this.#clock.defer(() => {
      this.#isScheduled = false
      if (this.#committing === undefined) void this.#commit()
    })
  }

  #commit(): Promise<void> {
    if (this.#store === undefined || this.#gathered.isEmpty) return Promise.resolve()
    const batch = this.#gathered
    this.#gathered = new OutboxBatch()
    if (batch.isVoid) {
      this.#onCommitted(batch)
      return Promise.resolve()
    }
    this.#committing = this.#store.commit(batch.changes()).then(
      () => this.#onCommitted(batch),
      (error: unknown) => this.#onFailure(batch, error)
    )
    return this.#committing
  }

  #onCommitted(batch: OutboxBatch): void {
    this.#committing = undefined
    if (this.#hasFailed) {
      this.#hasFailed = false
      this.#listener.onRecovered()
    }
    // What these send leaves in this turn, and what they store joins the next commit.
    this.#listener.onStored(batch.lastSequence)
    batch.callBackAll()
    if (!this.#gathered.isEmpty) this.#schedule()
  }

  #onFailure(batch: OutboxBatch, error: unknown): void {
    this.#committing = undefined
    batch.absorb(this.#gathered)
    this.#gathered = batch
    this.#hasFailed = true
    this.#cancelRetry = this.#clock.at(this.#clock.now() + COMMIT_RETRY_MS, () => void this.#commit())
    this.#listener.onFailed(outboxFailed('The outbox cannot store', error))
  }
}

function outboxFailed(what: string, error: unknown): ClientError {
  if (error instanceof ClientError) return error
  return new ClientError('outbox-failed', `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
