import { Worker } from 'node:worker_threads'
import type { QueueId } from '../store.ts'
import type { TakenBatch } from './batch.ts'
import { BUSY, IDLE, type CommitReply, type CommitRequest, type CommitWorkerData } from './commit-messages.ts'
import { StoreError } from './store-error.ts'

export type CommitOutcome =
  /** The transaction is on disk. Of these queues' trims something may be left to do. The shortage: there is little room. */
  | { readonly kind: 'committed'; readonly unfinished: readonly QueueId[]; readonly shortage: StoreError | undefined }
  /** The transaction was not made. The batch comes back, unless it was lost with the thread. */
  | { readonly kind: 'failed'; readonly error: StoreError; readonly batch: TakenBatch | undefined }

/**
 * The thread that commits, as the broker's thread sees it: it does one thing at a time. Keeps the process running only
 * while it has something to do.
 */
export class Committer {
  readonly #worker: Worker
  #onReply: ((reply: CommitReply) => void) | undefined = undefined
  #onDeath: ((error: Error) => void) | undefined = undefined
  #death: Error | undefined = undefined
  readonly #state: Int32Array<SharedArrayBuffer>
  /** A thread that the process's end cuts off within a transaction would wait for itself, and the process for it. */
  readonly #finish = (): void => void Atomics.wait(this.#state, 0, BUSY)

  private constructor(worker: Worker, state: Int32Array<SharedArrayBuffer>) {
    this.#worker = worker
    this.#state = state
    process.on('exit', this.#finish)
    worker.on('message', (reply: CommitReply) => this.#answer()?.(reply))
    worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', () => this.#die(new Error('the thread that commits has ended')))
  }

  /** Starts the thread, which opens the tables in a folder. */
  static async start(folder: string): Promise<Committer> {
    const state = new Int32Array(new SharedArrayBuffer(4))
    const workerData: CommitWorkerData = { folder, state }
    const committer = new Committer(new Worker(new URL(import.meta.resolve('#commit-worker')), { workerData }), state)
    await committer.#next()
    return committer
  }

  commit(request: CommitRequest, onOutcome: (outcome: CommitOutcome) => void): void {
    const lost = (error: Error): void =>
      onOutcome({
        kind: 'failed',
        error: new StoreError('failed', `cannot write: ${error.message}`, { cause: error }),
        batch: undefined
      })
    const death = this.#death
    if (death !== undefined) {
      setImmediate(() => lost(death))
      return
    }
    this.#expect((reply) => {
      if (reply.kind === 'committed') {
        const { unfinished, shortage } = reply
        onOutcome({ kind: 'committed', unfinished, shortage: shortage === undefined ? undefined : cannotWrite(shortage) })
      } else if (reply.kind === 'failed') {
        onOutcome({ kind: 'failed', error: cannotWrite(reply.reason), batch: reply.batch })
      }
    }, lost)
    Atomics.store(this.#state, 0, BUSY)
    this.#worker.postMessage(request, [request.batch.changes.buffer])
  }

  /** Lets go of the tables and ends the thread. */
  async stop(): Promise<void> {
    if (this.#death !== undefined) return
    const closed = this.#next()
    this.#worker.postMessage('close')
    await closed
    await this.#worker.terminate()
  }

  #next(): Promise<CommitReply> {
    return new Promise((resolve, reject) => this.#expect(resolve, reject))
  }

  #expect(onReply: (reply: CommitReply) => void, onDeath: (error: Error) => void): void {
    this.#onReply = onReply
    this.#onDeath = onDeath
    this.#worker.ref()
  }

  #answer(): ((reply: CommitReply) => void) | undefined {
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
