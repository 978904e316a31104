import { ClientError } from '../client-error.ts'
import type { Database, WebStorage } from './web-storage.ts'

/**
 * What the database holds, in object stores:
 *
 * ```
 * state     'clientId', 'nextSequence'       → its value
 *           'made'                           → what no other database has: one that was cleared and made again is known by it
 * messages  [sequence, what it counts]       → OutboxMessage: what all of them count is known from their keys alone
 * released  sequence                         → nothing: PUBREC has come for this message since it was stored
 * received  Packet Identifier                → nothing
 * ```
 */
export const STORES = { state: 'state', messages: 'messages', released: 'released', received: 'received' } as const
export const ALL_STORES: readonly string[] = Object.values(STORES)

/** Raised whenever what is above changes; `upgrade` then brings older databases up to it. */
const FORMAT_VERSION = 1

/**
 * Opens the database, and makes it if there is none.
 *
 * @param onLost called if the browser, or a later version of this page, closes it
 * @throws {ClientError} if it cannot be opened
 */
export function openDatabase({ indexedDB }: WebStorage, name: string, onLost: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, FORMAT_VERSION)
    let hasFailed = false
    const fail = (reason: string, cause?: unknown): void => {
      hasFailed = true
      reject(new ClientError('outbox-failed', reason, { cause }))
    }
    request.onupgradeneeded = ({ oldVersion }: { readonly oldVersion: number }) => upgrade(request.result, oldVersion)
    request.onblocked = () => fail(`the outbox ${name} is in use by another tab, with an older version of this page: close that`)
    request.onerror = () => fail(reasonOf(name, request.error), request.error)
    request.onsuccess = () => {
      const database = request.result
      // What was blocked succeeds when the other tab is gone.
      if (hasFailed) return database.close()
      database.onclose = onLost
      database.onversionchange = () => {
        database.close()
        onLost()
      }
      resolve(database)
    }
  })
}

function upgrade(database: Database, oldVersion: number): void {
  if (oldVersion < 1) {
    for (const store of [STORES.messages, STORES.released, STORES.received]) database.createObjectStore(store)
    database.createObjectStore(STORES.state).put(`${Date.now()} ${Math.random()}`, 'made')
  }
}

const REASONS: Readonly<Record<string, string>> = {
  VersionError: 'a later version of this page has written it',
  QuotaExceededError: 'the room that the browser grants is used up',
  InvalidStateError: 'the browser does not let this page store anything',
  SecurityError: 'the browser does not let this page store anything'
}

/** What the browser says, in one line. */
export function reasonOf(name: string, error: unknown): string {
  if (!(error instanceof Error)) return `the outbox ${name}: the browser gives no reason`
  return `the outbox ${name}: ${REASONS[error.name] ?? `${error.name}: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`}`
}
