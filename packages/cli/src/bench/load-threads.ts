import { Worker } from 'node:worker_threads'
import { ClientError } from '@godwit/client'
import type {
  NumberedCommand,
  NumberedReply,
  SharedProgress,
  ThreadCommand,
  ThreadFindings,
  ThreadReply,
  ThreadSample,
  ThreadTask
} from './thread-messages.ts'
import type { PublishedCount } from './verification.ts'

/** The threads of one run, which all do the same at the same time. */
export class LoadThreads {
  readonly #workers: readonly Worker[]
  readonly #waiting = new Map<number, PromiseWithResolvers<ThreadReply>>()
  #commands = 0
  #death: Error | undefined = undefined

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers
    for (const worker of workers) {
      worker.on('message', ({ number, reply }: NumberedReply) => {
        this.#waiting.get(number)?.resolve(reply)
        this.#waiting.delete(number)
      })
      worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error : new Error(String(error))))
      worker.on('exit', () => this.#die(new Error('a thread that makes the load has ended')))
    }
  }

  static start(threads: number, task: Pick<ThreadTask, 'flags' | 'load' | 'run'>): LoadThreads {
    const shared: SharedProgress = {
      delivered: new Int32Array(new SharedArrayBuffer(4 * Math.max(1, task.load.publishers))),
      bells: new Int32Array(new SharedArrayBuffer(4 * threads))
    }
    const workers = Array.from({ length: threads }, (_, thread) => {
      const workerData: ThreadTask = { ...task, thread, threads, shared }
      return new Worker(new URL(import.meta.resolve('#bench-thread')), { name: `bench ${thread}`, workerData })
    })
    return new LoadThreads(workers)
  }

  /** Resolves when all have done it. @throws {ClientError} what a client ran into */
  async do(kind: 'connect' | 'publish' | 'return'): Promise<void> {
    await this.#all({ kind }, (reply) => (reply.kind === 'done' ? true : undefined))
  }

  sample(): Promise<ThreadSample[]> {
    return this.#all({ kind: 'sample' }, (reply) => (reply.kind === 'sample' ? reply.sample : undefined))
  }

  /** Publishes no more. Returns what each publisher has published, by its number. */
  async stop(): Promise<PublishedCount[]> {
    const counts = await this.#all({ kind: 'stop' }, (reply) => (reply.kind === 'stopped' ? reply.counts : undefined))
    return counts.flat().toSorted((a, b) => a.publisher - b.publisher)
  }

  finish(published: readonly number[]): Promise<ThreadFindings[]> {
    return this.#all({ kind: 'finish', published }, (reply) => (reply.kind === 'finished' ? reply.findings : undefined))
  }

  async terminate(): Promise<void> {
    this.#death ??= new Error('the run is over')
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  async #all<Result>(command: ThreadCommand, resultOf: (reply: ThreadReply) => Result | undefined): Promise<Result[]> {
    const replies = await Promise.all(this.#workers.map((worker) => this.#ask(worker, command)))
    return replies.map((reply) => {
      if (reply.kind === 'failed') {
        const { code, message, reasonCode } = reply.failure
        throw new ClientError(code, message, { reasonCode })
      }
      const result = resultOf(reply)
      if (result === undefined) throw new Error(`a thread answered ${command.kind} with ${reply.kind}`)
      return result
    })
  }

  #ask(worker: Worker, command: ThreadCommand): Promise<ThreadReply> {
    if (this.#death !== undefined) return Promise.reject(this.#death)
    const waiting = Promise.withResolvers<ThreadReply>()
    const numbered: NumberedCommand = { number: ++this.#commands, command }
    this.#waiting.set(numbered.number, waiting)
    worker.postMessage(numbered)
    return waiting.promise
  }

  #die(error: Error): void {
    this.#death ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#death)
    this.#waiting.clear()
  }
}
