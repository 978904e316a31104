import assert from 'node:assert'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { applyBatch } from './batch.ts'
import { IDLE, isCommitWorkerData, type CommitReply, type CommitRequest, type CommitWorkerData } from './commit-messages.ts'
import { Room } from './room.ts'
import { TableChanges } from './table-changes.ts'
import { openTables, type Tables } from './tables.ts'
import { trimQueues } from './trim-queues.ts'

/** Makes commits, each as one transaction that is on disk before the answer. Runs on a thread of its own. */
class CommitWorker {
  readonly #port: MessagePort
  readonly #tables: Tables
  readonly #room: Room
  readonly #state: Int32Array<SharedArrayBuffer>

  constructor(port: MessagePort, { folder, state }: CommitWorkerData) {
    this.#port = port
    this.#state = state
    this.#tables = openTables(folder)
    this.#room = new Room(folder, this.#tables)
  }

  serve(): void {
    this.#port.on('message', (request: CommitRequest | 'close') => {
      if (request === 'close') void this.#close()
      else {
        this.#commit(request)
        Atomics.store(this.#state, 0, IDLE)
        Atomics.notify(this.#state, 0)
      }
    })
    this.#reply({ kind: 'opened' })
  }

  #commit({ batch, trims }: CommitRequest): void {
    const tables = this.#tables
    try {
      const shortage = this.#room.provide(batch.growth, trims.length)
      const unfinished = tables.root.transactionSync(() => {
        applyBatch(batch.changes, new TableChanges(tables))
        return trimQueues(tables, trims)
      })
      this.#reply({ kind: 'committed', unfinished, shortage })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#port.postMessage({ kind: 'failed', reason, batch } satisfies CommitReply, [batch.changes.buffer])
    }
  }

  async #close(): Promise<void> {
    this.#room.close()
    await this.#tables.root.close()
    this.#reply({ kind: 'closed' })
    this.#port.close()
  }

  #reply(reply: CommitReply): void {
    this.#port.postMessage(reply)
  }
}

const data: unknown = workerData
assert(parentPort !== null && isCommitWorkerData(data))
new CommitWorker(parentPort, data).serve()
