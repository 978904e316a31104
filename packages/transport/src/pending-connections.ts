import assert from 'node:assert'
import type { Socket } from 'node:net'
import { type PeerAddress, peerAddressOf } from './peer-address.ts'

interface PendingConnection {
  readonly key: string
  /** The accepted socket, below TLS. */
  readonly socket: Socket
  peer: PeerAddress
  waitsFor: string
  deadline: NodeJS.Timeout
}

/**
 * Connections that are accepted but not yet a Transport: a PROXY header, a TLS handshake or a WebSocket upgrade is still to
 * come. Each has one deadline for all of it. Those that fail are closed and reported once.
 *
 * A TLS socket does not tell publicly which socket lies beneath it, but both have the same addresses and ports at both ends,
 * and no two live connections do: that is the key.
 */
export class PendingConnections {
  readonly #connections = new Map<string, PendingConnection>()
  readonly #timeoutMs: number
  readonly #onError: (error: Error, peer: PeerAddress) => void

  constructor(timeoutMs: number, onError: (error: Error, peer: PeerAddress) => void) {
    this.#timeoutMs = timeoutMs
    this.#onError = onError
  }

  /** @param socket one that tells its address: if it did not by now, it never will */
  add(socket: Socket): void {
    const key = keyOf(socket)
    assert(key !== undefined, 'it has an address')
    const connection: PendingConnection = {
      key,
      socket,
      peer: peerAddressOf(socket),
      waitsFor: '',
      deadline: setTimeout(() => this.#expire(connection), this.#timeoutMs)
    }
    this.#connections.set(key, connection)
    socket.on('error', (error) => this.#fail(connection, error))
    socket.on('close', () => this.#onSocketClose(connection))
  }

  /** What the connection waits for from now on, for the report should it not come. */
  waitFor(socket: Socket, what: string): void {
    const connection = this.#find(socket)
    if (connection !== undefined) connection.waitsFor = what
  }

  /** A trusted proxy has told who the peer is. */
  setPeer(socket: Socket, peer: PeerAddress): void {
    const connection = this.#find(socket)
    if (connection !== undefined) connection.peer = peer
  }

  peerOf(socket: Socket): PeerAddress {
    return this.#find(socket)?.peer ?? peerAddressOf(socket)
  }

  /** The connection has become a Transport: it is no longer ours. */
  release(socket: Socket): PeerAddress {
    const connection = this.#find(socket)
    if (connection === undefined) return peerAddressOf(socket)
    this.#forget(connection)
    return connection.peer
  }

  /** Reports a connection that is answered and about to close; nothing if it is not pending any more. */
  report(socket: Socket, error: Error): void {
    const connection = this.#find(socket)
    if (connection !== undefined && this.#forget(connection)) this.#onError(error, connection.peer)
  }

  /** Closes and reports; nothing if the connection is not pending any more. */
  fail(socket: Socket, error: Error): void {
    const connection = this.#find(socket)
    if (connection !== undefined) this.#fail(connection, error)
  }

  /** Closes all, without reports: the listener closes. */
  destroyAll(): void {
    for (const connection of this.#connections.values()) {
      this.#forget(connection)
      connection.socket.destroy()
    }
  }

  #find(socket: Socket): PendingConnection | undefined {
    const key = keyOf(socket)
    return key === undefined ? undefined : this.#connections.get(key)
  }

  #forget(connection: PendingConnection): boolean {
    clearTimeout(connection.deadline)
    return this.#connections.get(connection.key) === connection && this.#connections.delete(connection.key)
  }

  #fail(connection: PendingConnection, error: Error): void {
    if (!this.#forget(connection)) return
    // Not at once: we may be within a callback of the TLS layer above this socket, and Node 24 crashes (SIGSEGV) when the socket
    // is taken from under it there and the TLS socket is destroyed next.
    setImmediate(() => connection.socket.destroy())
    this.#onError(error, connection.peer)
  }

  #expire(connection: PendingConnection): void {
    this.#fail(connection, new Error(`no ${connection.waitsFor} within ${this.#timeoutMs / 1000} seconds`))
  }

  /** A connection without a single byte is a port probe or a load balancer's health check: nothing to report. */
  #onSocketClose(connection: PendingConnection): void {
    if (connection.socket.bytesRead === 0) this.#forget(connection)
    else this.#fail(connection, new Error(`closed by the peer before the ${connection.waitsFor} was complete`))
  }
}

function keyOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
