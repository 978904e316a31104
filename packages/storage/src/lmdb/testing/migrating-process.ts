/**
 * A process that begins to bring the store in a folder up to the present format, and is killed at one of the changes that
 * this makes; after the last, if there are fewer: nothing is then on disk yet.
 *
 *     node migrating-process.ts FOLDER VERSION CHANGE
 */
import { migrate } from '../migrate.ts'
import { openTables } from '../tables.ts'

const [folder = '', version = '1', change = '0'] = process.argv.slice(2)

let left = Number(change)
const tables = openTables(folder)
const { records } = tables
const putSync = records.putSync.bind(records)
records.putSync = (key: Uint8Array, value: Uint8Array): void => {
  if (left-- === 0) process.kill(process.pid, 'SIGKILL')
  putSync(key, value)
}
tables.root.transactionSync(() => {
  migrate(tables, Number(version))
  process.kill(process.pid, 'SIGKILL')
})
