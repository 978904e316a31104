import assert from 'node:assert'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ListenError } from '../listen-error.ts'
import { listen } from '../listen.ts'
import type { CertificateOptions, PortListenOptions } from '../listen-options.ts'
import { SecureServerListener } from '../listener.ts'
import type { PeerAddress } from '../peer-address.ts'
import type { Listener } from '../transport.ts'
import { type IoThreadData, isIoThreadData, type ThreadReply, type ThreadRequest, WAKE } from './io-thread-messages.ts'
import { ThreadEnd } from './thread-end.ts'

/** Listens, carries connections, and does what the engine says. Runs on a thread of its own. */
class IoThreadWorker {
  readonly #port: MessagePort
  readonly #end: ThreadEnd
  readonly #listeners = new Map<number, Listener>()

  constructor(port: MessagePort, { memory }: IoThreadData) {
    this.#port = port
    this.#end = new ThreadEnd(memory, { wakeEngine: () => this.#reply(WAKE) })
  }

  serve(): void {
    this.#port.on('message', (request: ThreadRequest) => {
      if (request === WAKE) this.#end.read()
      else this.#handle(request)
    })
    this.#end.read()
    this.#reply({ kind: 'ready' })
  }

  #handle(request: Exclude<ThreadRequest, typeof WAKE>): void {
    switch (request.kind) {
      case 'listen':
        void this.#listen(request.listener, request.options)
        break
      case 'updateCertificate':
        this.#updateCertificate(request.listener, request.certificate)
        break
      case 'close':
        void this.#close(request.listener)
        break
    }
  }

  async #listen(listener: number, options: PortListenOptions): Promise<void> {
    try {
      const onError = (error: Error, peer: PeerAddress): void => this.#end.fail(listener, error, peer)
      const opened = await listen({ ...options, onError }, (transport) => this.#end.accept(listener, transport))
      this.#listeners.set(listener, opened)
      this.#reply({ kind: 'listening', listener, url: opened.url, port: opened.port })
    } catch (error) {
      if (!(error instanceof ListenError)) throw error
      const { code, url, reason } = error
      this.#reply({ kind: 'refused', listener, code, url, reason })
    }
  }

  #updateCertificate(listener: number, certificate: CertificateOptions): void {
    const open = this.#listeners.get(listener)
    if (open instanceof SecureServerListener) open.updateCertificate(certificate)
  }

  async #close(listener: number): Promise<void> {
    await this.#listeners.get(listener)?.close()
    this.#listeners.delete(listener)
    this.#reply({ kind: 'closed', listener })
  }

  #reply(reply: ThreadReply): void {
    this.#port.postMessage(reply)
  }
}

const data: unknown = workerData
assert(parentPort !== null && isIoThreadData(data))
new IoThreadWorker(parentPort, data).serve()
