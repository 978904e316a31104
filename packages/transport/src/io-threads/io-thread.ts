import { Worker } from 'node:worker_threads'
import { ListenError } from '../listen-error.ts'
import type { CertificateOptions, PortListenOptions } from '../listen-options.ts'
import { EngineEnd, type ListenerEvents } from './engine-end.ts'
import { shareMemory } from './hand-over.ts'
import { type IoThreadData, type ThreadReply, type ThreadRequest, WAKE } from './io-thread-messages.ts'

/** Where a thread listens. */
export interface Bound {
  readonly url: string
  readonly port: number
}

interface Waiting {
  readonly resolve: (bound: Bound) => void
  readonly reject: (error: Error) => void
}

const NOWHERE: Bound = { url: '', port: 0 }

/** One I/O thread, as the engine's thread sees it. */
export class IoThread {
  /** Resolves when it runs. */
  readonly ready: Promise<unknown>
  readonly #worker: Worker
  readonly #end: EngineEnd
  readonly #waiting = new Map<number, Waiting>()
  #error: Error | undefined = undefined
  #isStopping = false

  /**
   * @param name of the thread, for those who look at the process
   * @param onLost it has ended though nobody stopped it; its connections are closed
   */
  constructor(name: string, listenerOf: (listener: number) => ListenerEvents | undefined, onLost: (error: Error) => void) {
    const memory = shareMemory()
    const workerData: IoThreadData = { memory }
    const worker = new Worker(new URL(import.meta.resolve('#io-thread')), { name, workerData })
    this.#worker = worker
    this.#end = new EngineEnd(memory, () => this.#request(WAKE), listenerOf)
    const ready = Promise.withResolvers<unknown>()
    this.ready = ready.promise
    worker.on('message', (reply: ThreadReply) => {
      if (reply === WAKE) this.#end.read()
      else if (reply.kind === 'ready') ready.resolve(undefined)
      else this.#handle(reply)
    })
    worker.on('error', (error: unknown) => (this.#error = error instanceof Error ? error : new Error(String(error))))
    worker.once('exit', () => {
      const reason = this.#isStopping ? 'was stopped' : `ended${this.#error === undefined ? '' : `: ${this.#error.message}`}`
      const error = new Error(`the I/O thread of the connection ${reason}`, { cause: this.#error })
      ready.reject(error)
      this.#end.lose(error)
      for (const waiting of this.#waiting.values()) waiting.reject(error)
      this.#waiting.clear()
      if (!this.#isStopping) onLost(error)
    })
    this.#end.read()
  }

  /** @throws ListenError */
  listen(listener: number, options: PortListenOptions): Promise<Bound> {
    return this.#ask(listener, { kind: 'listen', listener, options })
  }

  updateCertificate(listener: number, certificate: CertificateOptions): void {
    this.#request({ kind: 'updateCertificate', listener, certificate })
  }

  async close(listener: number): Promise<void> {
    await this.#ask(listener, { kind: 'close', listener })
  }

  /** Ends the thread at once, and the connections that it still has. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#worker.terminate()
  }

  #ask(listener: number, request: ThreadRequest): Promise<Bound> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(listener, { resolve, reject })
      this.#request(request)
    })
  }

  #request(request: ThreadRequest): void {
    this.#worker.postMessage(request)
  }

  #handle(reply: Exclude<ThreadReply, typeof WAKE>): void {
    if (reply.kind === 'ready') return
    const waiting = this.#waiting.get(reply.listener)
    this.#waiting.delete(reply.listener)
    if (reply.kind === 'refused') waiting?.reject(new ListenError(reply.code, reply.url, reply.reason))
    else waiting?.resolve(reply.kind === 'listening' ? reply : NOWHERE)
  }
}
