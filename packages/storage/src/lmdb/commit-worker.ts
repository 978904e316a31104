import assert from 'node:assert'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { growthOf } from './batch.ts'
import { IDLE, isCommitWorkerData, type CommitWorkerData, type MergeReply, type MergeRequest } from './commit-messages.ts'
import { mergeChanges } from './merge-changes.ts'
import { OpeningGate } from './opening-gate.ts'
import { Room } from './room.ts'
import { openTables, type Tables } from './tables.ts'
import { trimQueues } from './trim-queues.ts'

/** Writes commits to the tables, some at a time in a transaction that is on disk before the answer. Runs on a thread of its own. */
class CommitWorker {
  readonly #port: MessagePort
  readonly #folder: string
  readonly #state: Int32Array<SharedArrayBuffer>
  #open: { readonly tables: Tables; readonly room: Room; readonly gate: OpeningGate } | undefined = undefined

  constructor(port: MessagePort, { folder, state }: CommitWorkerData) {
    this.#port = port
    this.#folder = folder
    this.#state = state
  }

  serve(): void {
    this.#port.on('message', (request: MergeRequest | 'open' | 'close') => {
      if (request === 'open') this.#openTables()
      else if (request === 'close') void this.#close()
      else {
        this.#merge(request)
        Atomics.store(this.#state, 0, IDLE)
        Atomics.notify(this.#state, 0)
      }
    })
  }

  #openTables(): void {
    const tables = openTables(this.#folder)
    const room = new Room(this.#folder, tables)
    const gate = OpeningGate.make(this.#folder)
    this.#open = { tables, room, gate }
    this.#reply({ kind: 'opened', hasPlenty: room.hasPlenty() })
  }

  #merge({ changes, trims, through }: MergeRequest): void {
    try {
      assert(this.#open !== undefined)
      const { tables, room, gate } = this.#open
      const { hasPlenty, shortage, trimmedMax } = room.provide(growthOf(changes), trims.length)
      const unfinished = gate.share(() =>
        tables.root.transactionSync(() => {
          mergeChanges(tables, changes, through)
          return trimQueues(tables, trims, trimmedMax)
        })
      )
      this.#reply({ kind: 'merged', hasPlenty, unfinished, shortage, changes }, [changes.buffer])
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#reply({ kind: 'failed', reason, changes }, [changes.buffer])
    }
  }

  async #close(): Promise<void> {
    this.#open?.room.close()
    this.#open?.gate.release()
    await this.#open?.tables.root.close()
    this.#reply({ kind: 'closed' })
    this.#port.close()
  }

  #reply(reply: MergeReply, handedOver: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(reply, handedOver)
  }
}

const data: unknown = workerData
assert(parentPort !== null && isCommitWorkerData(data))
new CommitWorker(parentPort, data).serve()
