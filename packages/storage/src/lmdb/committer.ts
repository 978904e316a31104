import { Worker } from 'node:worker_threads'
import type { QueueId } from '../store.ts'
import type { CommitReply, CommitRequest, CommitWorkerData } from './commit-messages.ts'
import { StoreError } from './store-error.ts'

export type CommitOutcome =
  /** The transaction is on disk. Of these queues' trims something may be left to do. */
  | { readonly kind: 'committed'; readonly unfinished: readonly QueueId[] }
  /** The transaction was not made. Its changes come back, unless they were lost with the thread. */
  | { readonly kind: 'failed'; readonly error: StoreError; readonly changes: Uint8Array<ArrayBuffer> | undefined }

/**
 * The thread that commits, as the broker's thread sees it: it does one thing at a time. Keeps the process running only
 * while it has something to do.
 */
export class Committer {
  readonly #worker: Worker
  #onReply: ((reply: CommitReply) => void) | undefined = undefined
  #onDeath: ((error: Error) => void) | undefined = undefined
  #death: Error | undefined = undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (reply: CommitReply) => this.#answer()?.(reply))
    worker.on('error', (error) => this.#die(error))
    worker.on('exit', () => this.#die(new Error('the thread that commits has ended')))
  }

  /** Starts the thread, which opens the tables in a folder. */
  static async start(folder: string): Promise<Committer> {
    const workerData: CommitWorkerData = { folder }
    const committer = new Committer(new Worker(new URL(import.meta.resolve('#commit-worker')), { workerData }))
    await committer.#next()
    return committer
  }

  commit(request: CommitRequest, onOutcome: (outcome: CommitOutcome) => void): void {
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
      if (reply.kind === 'committed') onOutcome(reply)
      else if (reply.kind === 'failed') {
        onOutcome({ kind: 'failed', error: new StoreError('failed', `cannot write: ${reply.reason}`), changes: reply.changes })
      }
    }, lost)
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
    const onDeath = this.#onDeath
    this.#answer()
    onDeath?.(error)
  }
}
