// What of IndexedDB, Web Locks and the Storage API is used, as their specifications declare it. TypeScript's own declarations ("dom") would
// bring all of a browser's globals into sources that Node runs as well.

export interface WebStorage {
  readonly indexedDB: IndexedDbFactory
  readonly IDBKeyRange: KeyRanges
  readonly locks: Locks
  /** Asks the browser not to clear what is stored when it needs room; tells whether it agrees. */
  readonly persist: (() => Promise<boolean>) | undefined
}

export interface Locks {
  request(name: string, options: { readonly signal: AbortSignal }, callback: () => Promise<void>): Promise<unknown>
}

interface IndexedDbFactory {
  open(name: string, version: number): OpenRequest
  deleteDatabase(name: string): Request<unknown>
}

export type Key = number | string | Key[]

/** A `Query` is all that it is for. */
interface KeyRange {
  readonly lower: unknown
  readonly upper: unknown
  readonly lowerOpen: boolean
  readonly upperOpen: boolean
  includes(key: Key): boolean
}

interface KeyRanges {
  bound(lower: Key, upper: Key): KeyRange
}

type Query = Key | KeyRange

/** Called with an event that only a browser's own declarations know; `never` lets these stand for those. */
type Handler = ((event: never) => void) | null

interface Request<Result> {
  readonly result: Result
  readonly error: Error | null
  onsuccess: Handler
  onerror: Handler
}

interface OpenRequest extends Request<Database> {
  onupgradeneeded: Handler
  onblocked: Handler
}

export interface Database {
  createObjectStore(name: string): ObjectStore
  transaction(stores: readonly string[], mode: 'readonly' | 'readwrite', options?: { readonly durability: 'strict' }): Transaction
  close(): void
  onversionchange: Handler
  /** Closed by the browser, not by `close`. */
  onclose: Handler
}

export interface Transaction {
  objectStore(name: string): ObjectStore
  abort(): void
  readonly error: Error | null
  oncomplete: Handler
  onabort: Handler
}

interface ObjectStore {
  put(value: unknown, key: Key): Request<unknown>
  delete(query: Query): Request<unknown>
  get(query: Query): Request<unknown>
  getAll(query?: Query): Request<unknown[]>
  getAllKeys(query?: Query): Request<unknown[]>
}

/** What a page or worker has of it; undefined where something is missing. */
export function findWebStorage(): WebStorage | undefined {
  const found: {
    readonly indexedDB?: IndexedDbFactory
    readonly IDBKeyRange?: KeyRanges
    readonly navigator?: { readonly locks?: Locks; readonly storage?: { persist?(): Promise<boolean> } }
  } = globalThis
  const { indexedDB, IDBKeyRange, navigator } = found
  const locks = navigator?.locks
  if (indexedDB === undefined || IDBKeyRange === undefined || locks === undefined) return undefined
  const storage = navigator?.storage
  return { indexedDB, IDBKeyRange, locks, persist: storage?.persist?.bind(storage) }
}
