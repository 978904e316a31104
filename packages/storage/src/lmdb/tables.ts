import { open, type Database, type DatabaseOptions, type RootDatabase } from 'lmdb'
import { TABLES, type TableName } from './layout.ts'

export type Table = Database<Uint8Array, Uint8Array>

/** Keys and values are bytes, as they are. */
export const TABLE_OPTIONS: DatabaseOptions = { encoding: 'binary', compression: false }

/** The tables of one data file, as one thread sees them. */
export interface Tables extends Readonly<Record<TableName, Table>> {
  readonly root: RootDatabase<Uint8Array, Uint8Array>
}

/**
 * Opens the tables in a folder, and makes those that there are not.
 *
 * Each transaction is synced on its own (`overlappingSync: false`): LMDB writes the pages that changed to new places,
 * syncs them, and then writes, through a descriptor that syncs by itself, the page that refers to them. The file is
 * written with system calls, not through the map (`useWritemap: false`): a full disk is then an error, not a signal, and
 * no stray pointer can reach the file. Unused parts of pages are zero (`noMemInit: false`): no other memory leaks to disk.
 */
export function openTables(folder: string): Tables {
  return tablesOf(openRoot(folder))
}

/** Opens the file in a folder, of which nothing is read yet but its meta pages. */
export function openRoot(folder: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Tables['root'] {
  return open<Uint8Array, Uint8Array>(folder, {
    ...BINARY_KEYS,
    noSubdir: false,
    overlappingSync: false,
    readOnly,
    maxDbs: TABLES.length
  })
}

export function tablesOf(root: Tables['root']): Tables {
  const table = (name: TableName): Table => root.openDB<Uint8Array, Uint8Array>(name, { ...BINARY_KEYS })
  return { root, log: table('log'), index: table('index'), records: table('records'), retained: table('retained') }
}

const BINARY_KEYS: DatabaseOptions = { ...TABLE_OPTIONS, keyEncoding: 'binary' }
