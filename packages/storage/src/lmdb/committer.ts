import { Worker } from 'node:worker_threads'
import type { QueueId } from '../store.ts'
import { BUSY, IDLE, type CommitWorkerData, type MergeReply, type MergeRequest } from './commit-messages.ts'
import { StoreError } from './store-error.ts'

/** The changes come back. */
export type MergeOutcome =
  /** The transaction is on disk. Of these queues' trims something may be left to do. See MergeReply for the rest. */
  | {
      readonly kind: 'merged'
      readonly hasPlenty: boolean
      readonly unfinished: readonly QueueId[]
      readonly shortage: StoreError | undefined
      readonly changes: Uint8Array<ArrayBuffer>
    }
  /** The transaction was not made. The changes may have been lost with the thread. */
  | { readonly kind: 'failed'; readonly error: StoreError; readonly changes: Uint8Array<ArrayBuffer> | undefined }

/**
 * The thread that writes the tables, as the broker's thread sees it: it does one thing at a time. Keeps the process running only
 * while it has something to do.
 */
export class Committer {
  readonly #worker: Worker
  #onReply: ((reply: MergeReply) => void) | undefined = undefined
  #onDeath: ((error: Error) => void) | undefined = undefined
  #death: Error | undefined = undefined
  #hadPlenty = false
  readonly #state: Int32Array<SharedArrayBuffer>
  /** A thread that the process's end cuts off within a transaction would wait for itself, and the process for it. */
  readonly #finish = (): void => void Atomics.wait(this.#state, 0, BUSY)

  private constructor(worker: Worker, state: Int32Array<SharedArrayBuffer>) {
    this.#worker = worker
    this.#state = state
    process.on('exit', this.#finish)
    worker.unref()
    worker.on('message', (reply: MergeReply) => this.#answer()?.(reply))
    worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', () => this.#die(new Error('the thread that writes the tables has ended')))
  }

  /** Whether there was plenty of room when it began: see MergeReply. */
  get hadPlenty(): boolean {
    return this.#hadPlenty
  }

  /** Starts the thread; `open` goes before anything else. */
  static start(folder: string): Committer {
    const state = new Int32Array(new SharedArrayBuffer(4))
    const workerData: CommitWorkerData = { folder, state }
    return new Committer(new Worker(new URL(import.meta.resolve('#commit-worker')), { workerData }), state)
  }

  /** Has it open the tables, which are there by now. */
  async open(): Promise<void> {
    if (this.#death !== undefined) throw this.#death
    const opened = this.#next()
    this.#worker.postMessage('open')
    const reply = await opened
    this.#hadPlenty = reply.kind === 'opened' && reply.hasPlenty
  }

  merge(request: MergeRequest, onOutcome: (outcome: MergeOutcome) => void): void {
    const lost = (error: Error): void =>
      onOutcome({
        kind: 'failed',
        error: new StoreError('failed', `cannot write: ${error.message}`, { cause: error }),
        changes: undefined
      })
    const death = this.#death
    if (death !== undefined) {
      setImmediate(() => lost(death))
      return
    }
    this.#expect((reply) => {
      if (reply.kind === 'merged') {
        const { shortage } = reply
        onOutcome({ ...reply, shortage: shortage === undefined ? undefined : cannotWrite(shortage) })
      } else if (reply.kind === 'failed') {
        onOutcome({ kind: 'failed', error: cannotWrite(reply.reason), changes: reply.changes })
      }
    }, lost)
    Atomics.store(this.#state, 0, BUSY)
    this.#worker.postMessage(request, [request.changes.buffer])
  }

  /** Lets go of the tables and ends the thread. */
  async stop(): Promise<void> {
    if (this.#death !== undefined) return
    const closed = this.#next()
    this.#worker.postMessage('close')
    await closed
    await this.#worker.terminate()
  }

  #next(): Promise<MergeReply> {
    return new Promise((resolve, reject) => this.#expect(resolve, reject))
  }

  #expect(onReply: (reply: MergeReply) => void, onDeath: (error: Error) => void): void {
    this.#onReply = onReply
    this.#onDeath = onDeath
    this.#worker.ref()
  }

  #answer(): ((reply: MergeReply) => void) | undefined {
    const onReply = this.#onReply
    this.#onReply = undefined
    this.#onDeath = undefined
    this.#worker.unref()
    return onReply
  }

  #die(error: Error): void {
    this.#death ??= error
    Atomics.store(this.#state, 0, IDLE)
    process.off('exit', this.#finish)
    const onDeath = this.#onDeath
    this.#answer()
    onDeath?.(error)
  }
}

function cannotWrite(reason: string): StoreError {
  return new StoreError('failed', `cannot write: ${reason}`)
}
