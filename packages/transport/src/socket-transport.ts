import type { Socket } from 'node:net'
import { readInto } from './read-into.ts'
import type { Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'
import { LINGER_MS } from './transport-limits.ts'

const TRANSPORT = Symbol('transport')

/** The socket's listeners find their transport by it: they are the same for all sockets, where closures would cost each half a kilobyte. */
interface OwnedSocket extends Socket {
  readonly [TRANSPORT]: SocketTransport
}

/** A TCP, TLS or Unix socket as a Transport. `bufferedBytes` is what Node holds for the socket, in plain text for TLS. */
export class SocketTransport implements Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer
  readonly #socket: OwnedSocket
  #receiver: TransportReceiver | undefined = undefined
  /** The last byte has been written, or will never be: our `end` or `destroy`, or the peer's end. */
  #ended = false
  #closed = false
  #paused = false
  #error: Error | undefined = undefined
  #linger: NodeJS.Timeout | undefined = undefined

  constructor(kind: TransportKind, peer: TransportPeer, socket: Socket) {
    this.kind = kind
    this.peer = peer
    this.#socket = Object.assign(socket, { [TRANSPORT]: this })
    socket.on('error', onError)
    socket.on('end', onEnd)
    socket.on('close', onClose)
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
    if (!readInto(socket, onRead)) socket.on('data', onData)
    socket.on('drain', onDrain)
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
    if (this.#ended) return
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  /**
   * Closing a socket with unread bytes makes the kernel reset the connection, and a reset may overtake what was written last
   * (a CONNACK or DISCONNECT with its reason). Therefore we read on, discarding, until the peer closes too, for a bounded time.
   */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#paused = false
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

  /** The peer has sent something. */
  received(bytes: Uint8Array): void {
    if (!this.#ended) this.#receiver?.onData(bytes)
  }

  /**
   * The peer has sent as much as is read at once, and likely more: Node would read on, for up to 2 MB. Others come first;
   * it is read from again in the next turn.
   */
  yieldToOthers(): void {
    setImmediate(() => {
      if (!this.#paused && !this.#closed) this.#socket.resume()
    })
  }

  drained(): void {
    if (!this.#ended) this.#receiver?.onDrain()
  }

  failed(error: Error): void {
    this.#error ??= error
  }

  /** The peer has ended the stream. */
  endedByPeer(): void {
    this.#ended = true
  }

  closed(): void {
    this.#ended = true
    this.#closed = true
    clearTimeout(this.#linger)
    this.#receiver?.onClose(this.#error)
  }
}

function onRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  if (!isOwned(this)) return true
  this[TRANSPORT].received(buffer.subarray(0, length))
  if (length < buffer.length) return true
  this[TRANSPORT].yieldToOthers()
  return false
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[TRANSPORT].received(chunk)
}

function onDrain(this: OwnedSocket): void {
  this[TRANSPORT].drained()
}

function onError(this: OwnedSocket, error: Error): void {
  this[TRANSPORT].failed(error)
}

function onEnd(this: OwnedSocket): void {
  this[TRANSPORT].endedByPeer()
}

function onClose(this: OwnedSocket): void {
  this[TRANSPORT].closed()
}

function isOwned(socket: Socket): socket is OwnedSocket {
  return TRANSPORT in socket
}
