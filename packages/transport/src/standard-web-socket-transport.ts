import { type StandardCloseEvent, type StandardWebSocket, WEB_SOCKET_OPEN } from './standard-web-socket.ts'
import type { Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'
import {
  HELD_BYTES_MAX,
  HELD_MESSAGE_OVERHEAD_BYTES,
  JOINED_MESSAGE_BYTES,
  WEB_SOCKET_DRAIN_POLL_MS,
  WEB_SOCKET_WRITE_BUFFER_BYTES
} from './transport-limits.ts'

/** A browser does not say whom it is connected to. */
const UNKNOWN_PEER: TransportPeer = { address: '', port: 0, certificate: undefined }

/** Close codes that are an ordinary end: normal, going away, none given. */
const ORDINARY_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005])

/** There was no close frame; why not, a browser does not say. */
const CLOSED_ABNORMALLY = 1006

/** A browser lets a page close with 1000 or a code of its own; these are 1003, 1008 and 1009 among the latter. */
const CLOSE_UNSUPPORTED_DATA = 4003
const CLOSE_HELD_TOO_MUCH = 4008
const CLOSE_MESSAGE_TOO_BIG = 4009

interface HeldMessage {
  readonly bytes: Uint8Array
  next: HeldMessage | undefined
}

/**
 * An open WebSocket of a browser as a Transport: the stream is the payloads of its binary messages, whatever their cut
 * ([5.0 MQTT-6.0.0-2], [3.1.1 MQTT-6.0.0-2]). It does what that interface lets it do:
 * - It cannot be held back. What comes while paused, or before `start`, is kept here up to a bound; then the connection is closed.
 * - It has no drain. While `write` returns false, what is buffered is looked at again and again.
 * - It cannot be cut off. `destroy` closes for us at once, while the browser may still send what it was given.
 * What was received before the peer closed is handed over first, then the close. After `end`, the browser drops a peer that does not
 * answer the close frame.
 */
export class StandardWebSocketTransport implements Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer = UNKNOWN_PEER
  readonly #webSocket: StandardWebSocket
  readonly #messageBytesMax: number
  #receiver: TransportReceiver | undefined = undefined
  /** Not yet started, or paused: what comes is held. */
  #paused = true
  /** What came and is not yet handed over, oldest first. */
  #heldFirst: HeldMessage | undefined = undefined
  #heldLast: HeldMessage | undefined = undefined
  #heldBytes = 0
  /** Writes that `cork` holds back; undefined: not corked. */
  #corked: Uint8Array[] | undefined = undefined
  #corkedBytes = 0
  #drainPoll: ReturnType<typeof setTimeout> | undefined = undefined
  /** `end` or `destroy` was called: the receiver hears of nothing but the close. */
  #ended = false
  /** The connection is gone, or as good as gone. */
  #closed = false
  #told = false
  #error: Error | undefined = undefined

  constructor(kind: TransportKind, webSocket: StandardWebSocket, messageBytesMax: number) {
    this.kind = kind
    this.#webSocket = webSocket
    this.#messageBytesMax = messageBytesMax
    webSocket.addEventListener('message', ({ data }) => this.#onMessage(data))
    webSocket.addEventListener('close', (event) => this.#onClose(event))
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount + this.#corkedBytes
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
    this.resume()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#webSocket.readyState !== WEB_SOCKET_OPEN) return false
    if (this.#corked === undefined) {
      this.#send(bytes)
    } else {
      this.#corked.push(bytes)
      this.#corkedBytes += bytes.length
    }
    if (this.bufferedBytes < WEB_SOCKET_WRITE_BUFFER_BYTES) return true
    this.#drainPoll ??= setTimeout(() => this.#pollDrain(), WEB_SOCKET_DRAIN_POLL_MS)
    return false
  }

  cork(): void {
    this.#corked ??= []
  }

  uncork(): void {
    const corked = this.#corked ?? []
    this.#dropCorked()
    if (this.#webSocket.readyState !== WEB_SOCKET_OPEN) return
    for (const message of joined(corked)) this.#send(message)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    queueMicrotask(() => this.#handOver())
  }

  end(): void {
    if (this.#ended) return
    this.uncork()
    this.#stop()
  }

  destroy(): void {
    this.#stop()
    this.#closed = true
    queueMicrotask(() => this.#handOver())
  }

  #stop(): void {
    this.#ended = true
    this.#heldFirst = undefined
    this.#dropCorked()
    clearTimeout(this.#drainPoll)
    this.#webSocket.close(1000, '')
  }

  #onMessage(data: unknown): void {
    if (this.#ended || this.#closed) return
    if (!(data instanceof ArrayBuffer)) {
      // [5.0 MQTT-6.0.0-1], [3.1.1 MQTT-6.0.0-1]
      this.#refuse(CLOSE_UNSUPPORTED_DATA, 'the peer sent a WebSocket text frame: MQTT travels in binary frames')
    } else if (data.byteLength > this.#messageBytesMax) {
      const found = `the peer sent a WebSocket message of ${data.byteLength} bytes`
      this.#refuse(CLOSE_MESSAGE_TOO_BIG, `${found}: at most ${this.#messageBytesMax} are accepted`)
    } else if (data.byteLength > 0) {
      this.#receive(new Uint8Array(data))
      // A timer of a hidden page may take a minute, a message does not.
      if (this.#drainPoll !== undefined) this.#pollDrain()
    }
  }

  /** Nothing overtakes what is held. */
  #receive(bytes: Uint8Array): void {
    if (!this.#paused && this.#heldFirst === undefined) {
      this.#receiver?.onData(bytes)
      return
    }
    this.#heldBytes += bytes.length + HELD_MESSAGE_OVERHEAD_BYTES
    if (this.#heldBytes > HELD_BYTES_MAX) {
      const reason = `the peer sent more than ${HELD_BYTES_MAX} bytes while reading was paused: a browser cannot hold it back`
      this.#refuse(CLOSE_HELD_TOO_MUCH, reason)
      return
    }
    const held: HeldMessage = { bytes, next: undefined }
    if (this.#heldFirst === undefined || this.#heldLast === undefined) this.#heldFirst = held
    else this.#heldLast.next = held
    this.#heldLast = held
  }

  /** The receiver may pause, end or destroy with each message. */
  #handOver(): void {
    while (!this.#paused && this.#heldFirst !== undefined) {
      const { bytes, next } = this.#heldFirst
      this.#heldFirst = next
      this.#heldBytes -= bytes.length + HELD_MESSAGE_OVERHEAD_BYTES
      this.#receiver?.onData(bytes)
    }
    if (!this.#closed || this.#told || this.#heldFirst !== undefined || this.#receiver === undefined) return
    this.#told = true
    this.#receiver.onClose(this.#error)
  }

  #pollDrain(): void {
    clearTimeout(this.#drainPoll)
    this.#drainPoll = undefined
    if (this.#ended || this.#closed) return
    if (this.bufferedBytes > 0 || this.#receiver === undefined) {
      this.#drainPoll = setTimeout(() => this.#pollDrain(), WEB_SOCKET_DRAIN_POLL_MS)
    } else {
      this.#receiver.onDrain()
    }
  }

  /** For us it is closed: the peer's answer to the close frame may never come. */
  #refuse(code: number, reason: string): void {
    // At most 123 bytes of reason: what does not fit throws.
    this.#webSocket.close(code, reason)
    this.#closeWith(new Error(reason))
  }

  #onClose(event: StandardCloseEvent): void {
    this.#closeWith(this.#ended || ORDINARY_CLOSE_CODES.has(event.code) ? undefined : closeError(event))
  }

  #closeWith(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    clearTimeout(this.#drainPoll)
    this.#handOver()
  }

  #send(bytes: Uint8Array): void {
    this.#webSocket.send(isUnshared(bytes) ? bytes : new Uint8Array(bytes))
  }

  #dropCorked(): void {
    this.#corked = undefined
    this.#corkedBytes = 0
  }
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
}

function closeError({ code, reason }: StandardCloseEvent): Error {
  if (code === CLOSED_ABNORMALLY) return new Error(`the connection was lost without a WebSocket close frame (${code})`)
  return new Error(`the peer closed the WebSocket with code ${code}${reason === '' ? '' : `: ${reason}`}`)
}

/** Small writes become one message, and one system call; large ones are left alone rather than copied. */
function* joined(writes: readonly Uint8Array[]): Generator<Uint8Array> {
  for (let from = 0; from < writes.length;) {
    let to = from
    let bytes = 0
    do bytes += writes[to++]?.length ?? 0
    while (to < writes.length && bytes + (writes[to]?.length ?? 0) <= JOINED_MESSAGE_BYTES)
    yield concatenated(writes.slice(from, to), bytes)
    from = to
  }
}

function concatenated(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
