import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { bind } from '../bind.ts'
import { DEFAULT_HOST, listen, listenerUrl } from '../listen.ts'
import type { CertificateOptions, ListenOptions, PortListenOptions, SecureListenOptions } from '../listen-options.ts'
import type { SecureListener } from '../listener.ts'
import { secureContextOptions } from '../tls-stage.ts'
import type { Listener, Transport } from '../transport.ts'
import { IO_THREAD_RESTART_MS, IO_THREADS_MAX } from '../transport-limits.ts'
import type { ListenerEvents } from './engine-end.ts'
import { asText } from './io-thread-messages.ts'
import { type Bound, IoThread } from './io-thread.ts'

export interface IoThreadsOptions {
  /** 1 to 64. On systems where threads cannot share a port it is 1, whatever is asked for: see `count`. */
  readonly count: number
  /** Told when a thread has ended by itself: its connections are closed, and another takes its place. Default: nobody is told. */
  readonly onThreadLost?: ((error: Error) => void) | undefined
}

const TICKET_KEY_BYTES = 48

/** Node's list of systems with SO_REUSEPORT as it is meant here, which spreads the connections. */
const PORT_SHARING_PLATFORMS: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'sunos', 'aix'])

/** @throws RangeError for a count out of bounds */
export async function startIoThreads(
  options: IoThreadsOptions,
  platform: NodeJS.Platform = process.platform
): Promise<IoThreads> {
  const { count } = options
  if (!Number.isInteger(count) || count < 1 || count > IO_THREADS_MAX) {
    throw new RangeError(`there may be 1 to ${IO_THREADS_MAX} I/O threads, not ${count}`)
  }
  const threads = new IoThreads(PORT_SHARING_PLATFORMS.has(platform) ? count : 1, options.onThreadLost)
  await threads.start()
  return threads
}

interface OpenListener extends ListenerEvents {
  /** As every thread listens, with the port that was found. */
  options: PortListenOptions
}

/**
 * Threads that do sockets, TLS and WebSocket for the thread that calls `listen`. Each of them has every listener, on the same
 * port; the operating system spreads the connections over them.
 */
export class IoThreads {
  /** How many there are. */
  readonly count: number
  readonly #onThreadLost: (error: Error) => void
  /** Undefined: it has ended, and the next has not started. */
  readonly #threads: (IoThread | undefined)[]
  readonly #listeners = new Map<number, OpenListener>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  #lastListener = 0
  #isClosed = false
  /** Listeners are opened, and threads started again, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Use `startIoThreads`. */
  constructor(count: number, onThreadLost: (error: Error) => void = ignore) {
    this.count = count
    this.#onThreadLost = onThreadLost
    this.#threads = Array.from({ length: count }, (_, index) => this.#newThread(index))
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#running().map((thread) => thread.ready))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /**
   * Like `listen`, with the connections on these threads. A Unix socket stays on the calling thread: it cannot be shared.
   * @throws ListenError when the address, the certificate or an option is no good
   */
  listen(options: SecureListenOptions, accept: (transport: Transport) => void): Promise<SecureListener>
  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener>
  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener> {
    return options.kind === 'unix' ? listen(options, accept) : this.#inTurn(() => this.#listen(options, accept))
  }

  /** Ends the threads at once; connections that are still open close with an error. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const restart of this.#restarts) clearTimeout(restart)
    await Promise.all(this.#running().map((thread) => thread.stop()))
  }

  async #listen(options: PortListenOptions, accept: (transport: Transport) => void): Promise<Listener> {
    if (this.#isClosed) throw new Error('the I/O threads are closed')
    const isShared = this.count > 1
    if (isShared && options.port !== 0 && options.reusePort !== true) await refuseIfInUse(options)
    const number = ++this.#lastListener
    const listener: OpenListener = { accept, onError: options.onError, options: forThreads(options, isShared) }
    this.#listeners.set(number, listener)
    let bound: Bound | undefined
    try {
      for (const thread of this.#running()) {
        bound = await thread.listen(number, listener.options)
        listener.options = { ...listener.options, port: bound.port }
      }
      if (bound === undefined) throw new Error('no I/O thread is running at the moment')
    } catch (error) {
      await this.#closeListener(number)
      throw error
    }
    return this.#opened(number, listener, bound)
  }

  #opened(number: number, listener: OpenListener, bound: Bound): Listener {
    const { options } = listener
    const close = (): Promise<void> => this.#inTurn(() => this.#closeListener(number))
    if (!isSecure(options)) return { kind: options.kind, ...bound, close }
    const updateCertificate = (certificate: CertificateOptions): void => {
      const { clientCertificates, minimumTlsVersion } = options
      secureContextOptions(bound.url, { ...certificate, clientCertificates, minimumTlsVersion })
      const renewed = withTicketKeys(asText(certificate))
      listener.options = { ...options, port: bound.port, ...renewed }
      for (const thread of this.#running()) thread.updateCertificate(number, renewed)
    }
    const secure: SecureListener = { kind: options.kind, ...bound, close, updateCertificate }
    return secure
  }

  async #closeListener(number: number): Promise<void> {
    this.#listeners.delete(number)
    // A thread that ends meanwhile listens no more either.
    await Promise.allSettled(this.#running().map((thread) => thread.close(number)))
  }

  #newThread(index: number): IoThread {
    const thread = new IoThread(
      `godwit-io-${index + 1}`,
      (listener) => this.#listeners.get(listener),
      (error) => this.#lost(index, error)
    )
    // Whoever does not wait for it is told by `onLost`.
    thread.ready.catch(ignore)
    return thread
  }

  #lost(index: number, error: Error): void {
    this.#threads[index] = undefined
    this.#onThreadLost(error)
    this.#startLater(index)
  }

  #startLater(index: number): void {
    if (this.#isClosed) return
    const restart = setTimeout(() => {
      this.#restarts.delete(restart)
      void this.#inTurn(() => this.#startAgain(index))
    }, IO_THREAD_RESTART_MS)
    this.#restarts.add(restart)
  }

  async #startAgain(index: number): Promise<void> {
    if (this.#isClosed) return
    const thread = this.#newThread(index)
    this.#threads[index] = thread
    try {
      await thread.ready
      for (const [number, { options }] of this.#listeners) await thread.listen(number, options)
    } catch (error) {
      // If it has ended we have been told already.
      if (this.#threads[index] !== thread || this.#isClosed) return
      await thread.stop()
      this.#lost(index, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #running(): IoThread[] {
    return this.#threads.filter((thread) => thread !== undefined)
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(task)
    this.#turn = result.catch(ignore)
    return result
  }
}

function isSecure(options: PortListenOptions): options is SecureListenOptions {
  return options.kind === 'tls' || options.kind === 'secure-websocket'
}

/** As it can cross to a thread. Threads that share a port share ticket keys, as a client comes back to any of them. */
function forThreads(options: PortListenOptions, isShared: boolean): PortListenOptions {
  const crossing = { onError: undefined, reusePort: options.reusePort ?? isShared }
  return isSecure(options) ? { ...withTicketKeys(asText(options)), ...crossing } : { ...options, ...crossing }
}

function withTicketKeys<Options extends CertificateOptions>(options: Options): Options {
  return { ...options, ticketKeys: options.ticketKeys ?? randomBytes(TICKET_KEY_BYTES) }
}

/** On a shared port the operating system would let a second broker in, and each would get a part of the clients. */
async function refuseIfInUse(options: PortListenOptions): Promise<void> {
  const server = createServer()
  await bind(server, { host: options.host ?? DEFAULT_HOST, port: options.port }, listenerUrl(options, options.port), undefined)
  server.close()
}

function ignore(): void {
  // Nobody asked to be told.
}
