import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'

/** Close codes that are an ordinary end: normal, going away, none given, connection lost without a close frame. */
const ORDINARY_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006])

/**
 * An open WebSocket as a Transport: the stream is the payloads of its binary messages, whatever their cut
 * ([5.0 MQTT-6.0.0-2], [3.1.1 MQTT-6.0.0-2]). Each write is one message. `bufferedBytes` includes frame headers.
 * After `end`, a peer that does not answer the close frame is dropped after 30 seconds (`ws`).
 */
export class WebSocketTransport implements Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer
  readonly #webSocket: WebSocket
  /** The socket under it: `ws` has no drain of its own. */
  readonly #socket: Duplex
  #receiver: TransportReceiver | undefined = undefined
  #ended = false
  #closed = false
  #error: Error | undefined = undefined

  constructor(kind: TransportKind, peer: TransportPeer, webSocket: WebSocket, socket: Duplex) {
    this.kind = kind
    this.peer = peer
    this.#webSocket = webSocket
    this.#socket = socket
    // `ws` reads from the first moment and would lose what arrives before `start`.
    webSocket.pause()
    webSocket.on('error', (error) => (this.#error ??= error))
    socket.on('error', (error) => (this.#error ??= error))
    webSocket.on('close', (code, reason) => this.#onWebSocketClose(code, reason))
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
    if (this.#closed) {
      process.nextTick(() => receiver.onClose(this.#error))
      return
    }
    this.#webSocket.on('message', (data, isBinary) => {
      if (this.#ended) return
      if (isBinary && data instanceof Uint8Array) {
        if (data.length > 0) receiver.onData(data)
      } else {
        this.#refuseTextFrame()
      }
    })
    this.#socket.on('drain', () => {
      if (!this.#ended) receiver.onDrain()
    })
    this.#webSocket.resume()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#webSocket.readyState !== WebSocket.OPEN) return false
    this.#webSocket.send(bytes)
    return !this.#socket.writableNeedDrain
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    if (!this.#ended) this.#webSocket.pause()
  }

  resume(): void {
    this.#webSocket.resume()
  }

  end(): void {
    this.#close(1000, '')
  }

  destroy(): void {
    this.#ended = true
    this.#webSocket.terminate()
  }

  /** [5.0 MQTT-6.0.0-1], [3.1.1 MQTT-6.0.0-1] */
  #refuseTextFrame(): void {
    this.#error ??= new Error('the peer sent a WebSocket text frame: MQTT travels in binary frames')
    this.#close(1003, 'MQTT travels in binary frames')
  }

  /** Messages are read on, and discarded, so that the peer's close frame is found behind them. */
  #close(code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#webSocket.close(code, reason)
    this.#webSocket.resume()
  }

  #onWebSocketClose(code: number, reason: Buffer): void {
    if (!this.#ended && !ORDINARY_CLOSE_CODES.has(code)) {
      this.#error ??= new Error(
        `the peer closed the WebSocket with code ${code}${reason.length > 0 ? `: ${reason.toString()}` : ''}`
      )
    }
    this.#ended = true
    this.#closed = true
    this.#receiver?.onClose(this.#error)
  }
}
