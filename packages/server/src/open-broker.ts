import { resolve } from 'node:path'
import { type Broker, type BrokerOptions, createBroker, type Logger } from '@godwit/broker'
import { MemoryStore } from '@godwit/storage'
import type { LmdbStore, StoreError } from '@godwit/storage/lmdb'
import type { Configuration } from './configuration.ts'
import { DataError } from './data-error.ts'

/** Where the broker keeps its data, and what it found there. */
export interface DataReport {
  /** An absolute path; undefined: everything is in memory. */
  readonly folder: string | undefined
  /** Nothing was there, or nothing that could be used. */
  readonly isNew: boolean
  readonly sessions: number
  readonly retainedMessages: number
  /** Where data that was damaged is now; undefined: nothing was wrong. */
  readonly setAside: { readonly folder: string; readonly reason: string } | undefined
}

export interface OpenedBroker {
  readonly broker: Broker
  readonly data: DataReport
}

interface OpenBrokerOptions extends Omit<BrokerOptions, 'store'> {
  readonly logger: Logger
}

/** Where data is kept when nobody says otherwise, in the working directory. */
const DEFAULT_DATA = 'godwit-data'

/** Loads the store that is configured and begins what of it takes a while; it has to be closed. Undefined: none is needed. */
export async function prepareStore(configuration: Configuration): Promise<LmdbStore | undefined> {
  if (configuration.memory) return undefined
  const { LmdbStore } = await import('@godwit/storage/lmdb')
  const store = new LmdbStore({ path: folderOf(configuration) })
  store.prepare()
  return store
}

function folderOf({ data }: Configuration): string {
  return data ?? resolve(DEFAULT_DATA)
}

/**
 * Opens the store that is configured, and a broker on it that has restored what the store holds.
 * @param prepared the store of the same configuration
 * @throws DataError if the data cannot be used
 */
export async function openBroker(
  configuration: Configuration,
  options: OpenBrokerOptions,
  prepared?: LmdbStore
): Promise<OpenedBroker> {
  if (configuration.memory) {
    const broker = await createBroker({ ...options, store: new MemoryStore() })
    return { broker, data: reportOf(broker, { folder: undefined, isNew: true, setAside: undefined }) }
  }
  const folder = folderOf(configuration)
  // Loaded only here: a broker in memory needs no LMDB.
  const { LmdbStore, setAside, StoreError } = await import('@godwit/storage/lmdb')
  const open = async (aside: DataReport['setAside'], store = new LmdbStore({ path: folder })): Promise<OpenedBroker> => {
    const broker = await createBroker({ ...options, store })
    return { broker, data: reportOf(broker, { folder, isNew: store.isNew, setAside: aside }) }
  }
  try {
    return await open(undefined, prepared).catch((error: unknown) => {
      if (!(error instanceof StoreError) || error.code !== 'damaged' || configuration.onDamagedData === 'stop') throw error
      const aside = { folder: setAside(folder), reason: error.message }
      options.logger.error(aside, 'the data was damaged and has been set aside: this broker begins with an empty store')
      return open(aside)
    })
  } catch (error) {
    throw error instanceof StoreError ? dataError(error, folder) : error
  }
}

function reportOf({ counts }: Broker, where: Pick<DataReport, 'folder' | 'isNew' | 'setAside'>): DataReport {
  return { ...where, sessions: counts.sessions, retainedMessages: counts.retainedMessages }
}

function dataError(error: StoreError, folder: string): DataError {
  const { code, message } = error
  return new DataError(code, code === 'damaged' ? [message, ...waysOn(folder)] : [message], { cause: error })
}

function waysOn(folder: string): string[] {
  return [
    `nothing in ${folder} was changed, and starting again does not help; you can`,
    `  see what is wrong and what is left:    godwit store check ${folder}`,
    `  put a backup in its place:             godwit store restore BACKUP ${folder} --replace`,
    '  keep it aside and begin anew, without: godwit serve --set-aside-damaged (onDamagedData: set-aside)'
  ]
}
