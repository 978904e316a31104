/**
 * A process that begins to bring the store in a folder up to the present format, and is killed at one of the changes that
 * this makes; after the last, if there are fewer: nothing is then on disk yet.
 *
 *     node migrating-process.ts FOLDER CHANGE
 */
import { migrate } from '../migrate.ts'
import { openTables, type Tables } from '../tables.ts'

const [folder = '', change = '0'] = process.argv.slice(2)

let left = Number(change)
const tables = openTables(folder)
const killing = new Proxy(tables.records, {
  get(records, name) {
    if (name === 'putSync' && left-- === 0) process.kill(process.pid, 'SIGKILL')
    const value: unknown = Reflect.get(records, name)
    return typeof value === 'function' ? value.bind(records) : value
  }
})
tables.root.transactionSync(() => {
  migrate({ ...tables, records: killing } satisfies Tables)
  process.kill(process.pid, 'SIGKILL')
})
