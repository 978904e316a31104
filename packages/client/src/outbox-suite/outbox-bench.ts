import type { OutboxChanges, OutboxContents, OutboxMessage, OutboxStore, ReadLimit } from '../outbox-store.ts'
import { check } from './expectations.ts'

/** Where the stores of one check keep what they hold. */
export interface OutboxPlace {
  /** A store on what is kept here, not yet open. Asked again once that one is closed, as by a client that starts again. */
  store(): OutboxStore
  /** Removes what is kept, once the last store is closed. */
  remove?(): void | Promise<void>
}

/** One behaviour that every store has. */
export interface OutboxCheck {
  readonly name: string
  /** Rejects if the store behaves otherwise. */
  readonly run: (bench: OutboxBench) => Promise<void>
}

const NO_CHANGES: OutboxChanges = { clientId: undefined, put: [], release: [], remove: [], received: [], forgotten: [] }

/** More than any check stores. */
const EVERYTHING: ReadLimit = { messages: 100_000, bytes: 2 ** 40 }

/** Opens a store, uses it as a client does, and opens it again. */
export class OutboxBench {
  readonly #place: OutboxPlace
  #opened: OutboxStore | undefined = undefined

  constructor(place: OutboxPlace) {
    this.#place = place
  }

  /** Another store on the same place, which is not opened. */
  another(): OutboxStore {
    return this.#place.store()
  }

  /** Closes the store if it is open, and opens it. */
  async open(): Promise<OutboxContents> {
    await this.close()
    const store = this.#place.store()
    const contents = await store.open()
    this.#opened = store
    return contents
  }

  /** Commits these changes, and no others. */
  commit(changes: Partial<OutboxChanges>): Promise<void> {
    return this.#store.commit({ ...NO_CHANGES, ...changes })
  }

  read(afterSequence: number, limit: Partial<ReadLimit> = {}): Promise<readonly OutboxMessage[]> {
    return this.#store.read(afterSequence, { ...EVERYTHING, ...limit })
  }

  /** All messages above a number, by as many reads as that takes. */
  async readAll(limit: Partial<ReadLimit> = {}, afterSequence: number = 0): Promise<OutboxMessage[]> {
    const messages: OutboxMessage[] = []
    for (let after = afterSequence; ;) {
      const slice = await this.read(after, limit)
      const last = slice.at(-1)
      if (last === undefined) return messages
      check(last.sequence > after, `a read above ${after} ended with message ${last.sequence}`)
      messages.push(...slice)
      after = last.sequence
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#place.remove?.()
  }

  get #store(): OutboxStore {
    if (this.#opened === undefined) throw new Error('the store is not open')
    return this.#opened
  }
}
