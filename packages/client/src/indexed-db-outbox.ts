import { ClientError } from './client-error.ts'
import { ALL_STORES, openDatabase, reasonOf, STORES } from './indexed-db/open-database.ts'
import { fromKey, isStoredMessage, runsOf, toKey, toStore } from './indexed-db/stored-message.ts'
import { TabLock } from './indexed-db/tab-lock.ts'
import { type Database, findWebStorage, type Key, type Transaction, type WebStorage } from './indexed-db/web-storage.ts'
import {
  type OutboxChanges,
  type OutboxContents,
  type OutboxMessage,
  type OutboxStore,
  type ReadLimit,
  type SequenceNumber
} from './outbox-store.ts'

export interface IndexedDbOutboxOptions {
  /**
   * Ask the browser not to clear what is stored when it needs room (`navigator.storage.persist`). Some browsers ask the user. If it is
   * refused, the outbox works as without. Default: false.
   */
  readonly persist?: boolean | undefined
}

/**
 * Keeps what a client has accepted in a browser's IndexedDB: it survives a reload, a crash of the browser and power. Each commit asks the
 * browser to flush it to the disk. One tab or worker at a time can have it open, which takes the Web Locks API, and thereby a page that came
 * by HTTPS, or from localhost.
 *
 * @param name tells outboxes of one origin apart. Default: `default`
 */
export function indexedDbOutbox(name: string = 'default', options: IndexedDbOutboxOptions = {}): OutboxStore {
  return new IndexedDbOutbox(name, options)
}

const NEEDED = 'it needs IndexedDB and Web Locks, which a page has that came by HTTPS or from localhost'

/** Behind every key that is a list and begins with the same number. */
const LAST_IN_LIST: Key = []

class IndexedDbOutbox implements OutboxStore {
  readonly isDurable = true
  readonly #name: string
  readonly #options: IndexedDbOutboxOptions
  #web: WebStorage | undefined = undefined
  #lock: TabLock | undefined = undefined
  #database: Promise<Database> | undefined = undefined
  /** See `STORES`. */
  #made: unknown = undefined
  #nextSequence: SequenceNumber = 1
  /** What each message that is committed counts, in the order of their numbers. */
  #bytes = new Map<SequenceNumber, number>()
  #committing: Promise<void> = Promise.resolve()

  constructor(name: string, options: IndexedDbOutboxOptions) {
    this.#name = `godwit-outbox-${name}`
    this.#options = options
  }

  async open(): Promise<OutboxContents> {
    const web = findWebStorage()
    if (web === undefined) throw this.#failure(NEEDED)
    const lock = await TabLock.take(web.locks, this.#name, `the outbox ${this.#name} is in use by another tab or client`)
    try {
      if (this.#options.persist === true) await web.persist?.()
      this.#web = web
      this.#database = this.#openDatabase(web)
      const { contents, bytes, made } = await this.#readContents(await this.#database)
      this.#nextSequence = contents.nextSequence
      this.#bytes = bytes
      this.#made = made
      this.#lock = lock
      return contents
    } catch (error) {
      this.#forget()
      await lock.release()
      throw error
    }
  }

  commit(changes: OutboxChanges): Promise<void> {
    const committed = this.#commit(changes)
    this.#committing = committed.catch(() => undefined)
    return committed
  }

  async read(afterSequence: SequenceNumber, limit: ReadLimit): Promise<readonly OutboxMessage[]> {
    // Until that is over, it is not known what there will be to read.
    await this.#committing
    const { database, web } = await this.#opened()
    const last = this.#lastWithin(afterSequence, limit)
    if (last === undefined) return []
    const transaction = this.#begin(database, [STORES.messages, STORES.released], 'readonly')
    const first = afterSequence + 1
    const values = transaction.objectStore(STORES.messages).getAll(web.IDBKeyRange.bound([first], [last, LAST_IN_LIST]))
    const released = transaction.objectStore(STORES.released).getAllKeys(web.IDBKeyRange.bound(first, last))
    await this.#completion(transaction)
    const releasedSince = new Set(released.result)
    return values.result.map((value) => {
      if (!isStoredMessage(value)) throw this.#failure('it is damaged: it holds something that is not a message')
      return releasedSince.has(value.sequence) ? { ...value, isReleased: true } : value
    })
  }

  async close(): Promise<void> {
    await this.#committing
    const lock = this.#lock
    this.#forget()
    await lock?.release()
  }

  async #commit(changes: OutboxChanges): Promise<void> {
    const { database, web } = await this.#opened()
    const transaction = this.#begin(database, ALL_STORES, 'readwrite')
    const completion = this.#completion(transaction)
    try {
      this.#change(transaction, web, changes)
    } catch (cause) {
      transaction.abort()
      await completion.catch(() => undefined)
      throw this.#failure(cause)
    }
    await completion
    for (const message of changes.put) this.#bytes.set(...toKey(message))
    for (const sequence of changes.remove) this.#bytes.delete(sequence)
    this.#nextSequence = nextAfter(changes, this.#nextSequence)
  }

  #change(transaction: Transaction, { IDBKeyRange }: WebStorage, changes: OutboxChanges): void {
    const [state, messages, released, received] = [
      transaction.objectStore(STORES.state),
      transaction.objectStore(STORES.messages),
      transaction.objectStore(STORES.released),
      transaction.objectStore(STORES.received)
    ]
    if (changes.clientId !== undefined) state.put(changes.clientId, 'clientId')
    if (changes.put.length > 0) state.put(nextAfter(changes, this.#nextSequence), 'nextSequence')
    for (const message of changes.put) messages.put(toStore(message), toKey(message))
    for (const sequence of changes.release) if (this.#bytes.has(sequence)) released.put(true, sequence)
    for (const [first, last] of runsOf(changes.remove)) {
      messages.delete(IDBKeyRange.bound([first], [last, LAST_IN_LIST]))
      released.delete(IDBKeyRange.bound(first, last))
    }
    for (const packetIdentifier of changes.received) received.put(true, packetIdentifier)
    for (const [first, last] of runsOf(changes.forgotten)) received.delete(IDBKeyRange.bound(first, last))
  }

  /** The number of the last message that a read gives; undefined: there is none above. */
  #lastWithin(after: SequenceNumber, limit: ReadLimit): SequenceNumber | undefined {
    let last: SequenceNumber | undefined
    let [messages, bytes] = [0, 0]
    for (const [sequence, counted] of this.#bytes) {
      if (sequence <= after) continue
      messages++
      bytes += counted
      if (messages > limit.messages || (messages > 1 && bytes > limit.bytes)) break
      last = sequence
    }
    return last
  }

  async #opened(): Promise<Opened> {
    const web = this.#web
    if (web === undefined) throw this.#failure('it is not open')
    this.#database ??= this.#openAgain(web)
    try {
      return { web, database: await this.#database }
    } catch (error) {
      this.#database = undefined
      throw error
    }
  }

  /** What the browser closed. A user may have cleared it as well: what is gone is not to be taken for sent. */
  async #openAgain(web: WebStorage): Promise<Database> {
    const database = await this.#openDatabase(web)
    const { made } = await this.#readContents(database)
    if (made === this.#made) return database
    database.close()
    throw this.#failure('the browser has cleared what was stored')
  }

  #openDatabase(web: WebStorage): Promise<Database> {
    return openDatabase(web, this.#name, () => {
      this.#database = undefined
    })
  }

  async #readContents(database: Database): Promise<StoredContents> {
    const transaction = this.#begin(database, ALL_STORES, 'readonly')
    const state = transaction.objectStore(STORES.state)
    const clientId = state.get('clientId')
    const nextSequence = state.get('nextSequence')
    const made = state.get('made')
    const keys = transaction.objectStore(STORES.messages).getAllKeys()
    const received = transaction.objectStore(STORES.received).getAllKeys()
    await this.#completion(transaction)
    const bytes = new Map(keys.result.map(fromKey).filter((key) => key !== undefined))
    return {
      made: made.result,
      bytes,
      contents: {
        clientId: typeof clientId.result === 'string' ? clientId.result : undefined,
        nextSequence: typeof nextSequence.result === 'number' ? nextSequence.result : 1,
        messages: bytes.size,
        bytes: [...bytes.values()].reduce((sum, each) => sum + each, 0),
        receivedIdentifiers: received.result.filter((each) => typeof each === 'number')
      }
    }
  }

  #begin(database: Database, stores: readonly string[], mode: 'readonly' | 'readwrite'): Transaction {
    try {
      return database.transaction(stores, mode, { durability: 'strict' })
    } catch (cause) {
      this.#database = undefined
      throw this.#failure(cause)
    }
  }

  /** Resolves once the transaction is on disk; if it rejects, nothing of it has happened. */
  #completion(transaction: Transaction): Promise<void> {
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(this.#failure(transaction.error))
    })
  }

  #forget(): void {
    void this.#database?.then(
      (database) => database.close(),
      () => undefined
    )
    this.#database = undefined
    this.#lock = undefined
    this.#web = undefined
  }

  #failure(cause: unknown): ClientError {
    const reason = typeof cause === 'string' ? `the outbox ${this.#name}: ${cause}` : reasonOf(this.#name, cause)
    return new ClientError('outbox-failed', reason, { cause })
  }
}

interface Opened {
  readonly web: WebStorage
  readonly database: Database
}

interface StoredContents {
  readonly contents: OutboxContents
  readonly bytes: Map<SequenceNumber, number>
  readonly made: unknown
}

function nextAfter({ put }: OutboxChanges, nextSequence: SequenceNumber): SequenceNumber {
  return Math.max(nextSequence, (put.at(-1)?.sequence ?? 0) + 1)
}
