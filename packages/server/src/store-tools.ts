/** The tools of the store on disk, for the command line: apart from the others so that only who uses them loads LMDB. */
export {
  backupStore,
  checkStore,
  exportStore,
  type FilledCounts,
  ImportMistake,
  importStore,
  restoreStore,
  StoreError,
  StoreMisuse,
  type StoreSummary
} from '@godwit/storage/lmdb/store-tools'
