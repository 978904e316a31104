import type { Transport, TransportKind, TransportPeer, TransportReceiver } from '../transport.ts'
import { HANDED_OVER_WRITE_BUFFER_BYTES } from '../transport-limits.ts'
import { NO_PAYLOAD, ToThread } from './hand-over.ts'
import type { Turns } from './turns.ts'

/** The thread of a connection, as its transport reaches it. */
export interface ConnectionLink {
  readonly progress: {
    handledBytes(connection: number): number
    heldBytes(connection: number): number
  }
  readonly turns: Turns
  send(kind: number, connection: number, payload: Uint8Array): void
  /** Forgets what waits to be given to the thread. */
  dropWaiting(connection: number): void
}

/**
 * A connection whose socket lives on an I/O thread. What is written is copied at once. While the peer keeps up,
 * `bufferedBytes` is what the thread holds, without the at most 65,536 bytes that are on their way to it; once a `write`
 * has returned false all is counted.
 */
export class HandedOverTransport implements Transport {
  readonly kind: TransportKind
  readonly peer: TransportPeer
  readonly #link: ConnectionLink
  readonly #number: number
  #receiver: TransportReceiver | undefined = undefined
  /** Before `start`, and between `pause` and `resume`. */
  #isPaused = true
  /** What the thread had read before it heard that it should not. */
  #unread: Uint8Array[] = []
  #writtenBytes = 0
  /** Bytes written since `cork`, which the thread holds back. */
  #corkedBytes = 0
  #isCorked = false
  /** A write has returned false, and `onDrain` has not been called since. */
  #awaitsDrain = false
  /** The thread has been asked to tell when it has no bytes left, and has not told. */
  #isAsking = false
  #hasWrittenSinceAsked = false
  #isEnded = false
  #isClosed = false
  #isCloseTold = false
  #error: Error | undefined = undefined

  constructor(link: ConnectionLink, number: number, kind: TransportKind, peer: TransportPeer) {
    this.kind = kind
    this.peer = peer
    this.#link = link
    this.#number = number
  }

  get bufferedBytes(): number {
    if (this.#isClosed) return 0
    const heldBytes = this.#link.progress.heldBytes(this.#number)
    return heldBytes + (this.#awaitsDrain ? this.#bytesOnTheWay() : this.#corkedBytes)
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
    this.#isPaused = false
    if (this.#unread.length > 0) this.#send(ToThread.Resume)
    this.#catchUpLater()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnded || this.#isClosed) return false
    if (bytes.length > 0) {
      this.#writtenBytes = (this.#writtenBytes + bytes.length) | 0
      this.#hasWrittenSinceAsked = true
      if (this.#isCorked) this.#corkedBytes += bytes.length
      this.#send(ToThread.Write, bytes)
    }
    const bufferedBytes = this.#link.progress.heldBytes(this.#number) + this.#bytesOnTheWay()
    if (!this.#awaitsDrain && bufferedBytes < HANDED_OVER_WRITE_BUFFER_BYTES) return true
    this.#awaitsDrain = true
    this.#askDrained()
    return false
  }

  cork(): void {
    if (this.#isClosed) return
    this.#isCorked = true
    this.#send(ToThread.Cork)
  }

  uncork(): void {
    if (this.#isClosed) return
    this.#isCorked = false
    this.#corkedBytes = 0
    this.#send(ToThread.Uncork)
  }

  pause(): void {
    if (this.#isPaused || this.#isEnded) return
    this.#isPaused = true
    if (!this.#isClosed) this.#send(ToThread.Pause)
  }

  resume(): void {
    if (!this.#isPaused || this.#receiver === undefined) return
    this.#isPaused = false
    if (!this.#isClosed) this.#send(ToThread.Resume)
    this.#catchUpLater()
  }

  end(): void {
    this.#stop(ToThread.End)
  }

  destroy(): void {
    if (!this.#isClosed) this.#link.dropWaiting(this.#number)
    this.#stop(ToThread.Destroy)
  }

  /** Bytes have come from the peer. */
  received(chunk: Uint8Array): void {
    if (this.#isEnded) return
    if (!this.#isPaused && this.#unread.length === 0) {
      this.#receiver?.onData(chunk)
      return
    }
    if (this.#receiver === undefined && this.#unread.length === 0) this.#send(ToThread.Pause)
    this.#unread.push(chunk)
  }

  /** The thread has told that everything written before it was asked is taken. */
  drained(): void {
    this.#isAsking = false
    if (this.#hasWrittenSinceAsked) {
      this.#askDrained()
      return
    }
    this.#awaitsDrain = false
    if (!this.#isEnded) this.#receiver?.onDrain()
  }

  /** Nothing comes any more, and nothing may be sent. What came before an error is lost, as it is in a socket. */
  closed(error: Error | undefined): void {
    this.#isClosed = true
    this.#error = error
    if (error !== undefined) this.#unread = []
    this.#tellClose()
  }

  #stop(kind: number): void {
    const isFirst = !this.#isEnded
    this.#isEnded = true
    this.#unread = []
    if (this.#isClosed) this.#catchUpLater()
    else if (isFirst || kind === ToThread.Destroy) this.#send(kind)
  }

  #catchUpLater(): void {
    if (this.#unread.length > 0 || this.#isClosed) this.#link.turns.soon(() => this.#catchUp())
  }

  /** Hands over what came while nobody read, and the close if it has come. */
  #catchUp(): void {
    while (!this.#isPaused && !this.#isEnded) {
      const [chunk] = this.#unread
      if (chunk === undefined) break
      this.#receiver?.onData(chunk)
      this.#unread.shift()
    }
    this.#tellClose()
  }

  #tellClose(): void {
    if (!this.#isClosed || this.#isCloseTold || this.#unread.length > 0 || this.#receiver === undefined) return
    this.#isCloseTold = true
    this.#receiver.onClose(this.#error)
  }

  #bytesOnTheWay(): number {
    return (this.#writtenBytes - this.#link.progress.handledBytes(this.#number)) | 0
  }

  #askDrained(): void {
    if (this.#isAsking || this.#isClosed) return
    this.#isAsking = true
    this.#hasWrittenSinceAsked = false
    this.#send(ToThread.TellDrained)
  }

  #send(kind: number, payload: Uint8Array = NO_PAYLOAD): void {
    this.#link.send(kind, this.#number, payload)
  }
}
