import assert from 'node:assert'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { applyBatch, type ChangeTarget } from './batch.ts'
import type { CommitReply, CommitRequest, CommitWorkerData } from './commit-messages.ts'
import { endOfPrefix, type TableName } from './layout.ts'
import { openTables, type Tables } from './tables.ts'
import { trimQueues } from './trim-queues.ts'

/**
 * Entries cut in one commit, beside what the commit is made for: about ten milliseconds of work. A long queue goes in
 * many commits, so that nobody waits for it.
 */
const TRIMMED_MAX = 2_000

const APPEND = { append: true }

/** Makes commits, each as one transaction that is on disk before the answer. Runs on a thread of its own. */
class CommitWorker {
  readonly #port: MessagePort
  readonly #tables: Tables

  constructor(port: MessagePort, folder: string) {
    this.#port = port
    this.#tables = openTables(folder)
    port.on('message', (request: CommitRequest | 'close') => {
      if (request === 'close') void this.#close()
      else this.#commit(request)
    })
    this.#reply({ kind: 'opened' })
  }

  #commit({ changes, trims }: CommitRequest): void {
    const tables = this.#tables
    try {
      const unfinished = tables.root.transactionSync(() => {
        applyBatch(changes, new TableChanges(tables))
        return trimQueues(tables, trims, TRIMMED_MAX)
      })
      this.#reply({ kind: 'committed', unfinished })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#port.postMessage({ kind: 'failed', reason, changes } satisfies CommitReply, [changes.buffer])
    }
  }

  async #close(): Promise<void> {
    await this.#tables.root.close()
    this.#reply({ kind: 'closed' })
    this.#port.close()
  }

  #reply(reply: CommitReply): void {
    this.#port.postMessage(reply)
  }
}

class TableChanges implements ChangeTarget {
  readonly #tables: Tables
  #lastAppended: Uint8Array = new Uint8Array(0)

  constructor(tables: Tables) {
    this.#tables = tables
  }

  put(table: TableName, key: Uint8Array, value: Buffer): void {
    if (table === 'log') this.#append(key, value)
    else this.#tables[table].putSync(key, value)
  }

  delete(table: TableName, key: Uint8Array): void {
    this.#tables[table].removeSync(key)
  }

  deletePrefix(table: TableName, prefix: Uint8Array): void {
    for (const key of [...this.#tables[table].getKeys({ start: prefix, end: endOfPrefix(prefix) })]) {
      this.#tables[table].removeSync(key)
    }
  }

  /** Fills the log's pages to their end. LMDB passes over, without a word, what does not belong at the end. */
  #append(key: Uint8Array, value: Buffer): void {
    if (this.#lastAppended.byteLength === 0) {
      const [last] = this.#tables.log.getKeys({ reverse: true, limit: 1 })
      this.#lastAppended = last ?? this.#lastAppended
    }
    assert(Buffer.compare(this.#lastAppended, key) < 0, 'sequence numbers rise')
    this.#tables.log.putSync(key, value, APPEND)
    this.#lastAppended = key
  }
}

assert(parentPort !== null)
const { folder }: CommitWorkerData = workerData
new CommitWorker(parentPort, folder)
