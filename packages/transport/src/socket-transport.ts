import type { Socket } from 'node:net'
import type { Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'
import { LINGER_MS } from './transport-limits.ts'

/** A TCP, TLS or Unix socket as a Transport. `bufferedBytes` is what Node holds for the socket, in plain text for TLS. */
export class SocketTransport implements Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer
  readonly #socket: Socket
  #receiver: TransportReceiver | undefined = undefined
  /** The last byte has been written, or will never be: our `end` or `destroy`, or the peer's end. */
  #ended = false
  #closed = false
  #error: Error | undefined = undefined
  #linger: NodeJS.Timeout | undefined = undefined

  constructor(kind: TransportKind, peer: TransportPeer, socket: Socket) {
    this.kind = kind
    this.peer = peer
    this.#socket = socket
    socket.on('error', (error) => (this.#error ??= error))
    socket.on('end', () => (this.#ended = true))
    socket.on('close', () => this.#onSocketClose())
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
    if (this.#closed) {
      process.nextTick(() => receiver.onClose(this.#error))
      return
    }
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => {
      if (!this.#ended) receiver.onData(chunk)
    })
    socket.on('drain', () => {
      if (!this.#ended) receiver.onDrain()
    })
    socket.resume()
  }

  write(bytes: Uint8Array): boolean {
    return !this.#ended && this.#socket.write(bytes)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    if (!this.#ended) this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /**
   * Closing a socket with unread bytes makes the kernel reset the connection, and a reset may overtake what was written last
   * (a CONNACK or DISCONNECT with its reason). Therefore we read on, discarding, until the peer closes too, for a bounded time.
   */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    const socket = this.#socket
    socket.once('finish', () => {
      if (!this.#closed) this.#linger = setTimeout(() => socket.destroy(), LINGER_MS)
    })
    socket.end()
    socket.resume()
  }

  destroy(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  #onSocketClose(): void {
    this.#ended = true
    this.#closed = true
    clearTimeout(this.#linger)
    this.#receiver?.onClose(this.#error)
  }
}
