/** The store on disk, apart from the others so that only who uses it loads LMDB. */
export { LmdbStore, type LmdbStoreOptions } from './lmdb/lmdb-store.ts'
export { setAside } from './lmdb/set-aside.ts'
export { StoreError, type StoreErrorCode } from './lmdb/store-error.ts'
