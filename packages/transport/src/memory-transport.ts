import type { Transport, TransportPeer, TransportReceiver } from './transport.ts'
import { MEMORY_WRITE_BUFFER_BYTES } from './transport-limits.ts'

export interface MemoryTransportOptions {
  /** Runs a task after the current call has returned, tasks in their order. Default: `setImmediate`. */
  readonly schedule?: ((task: () => void) => void) | undefined
  /**
   * The network between the two ends: `wire` has something to deliver, and `wire.deliver` is to be called once for it, later.
   * It is called again when there is more. Default: schedules the delivery of everything.
   */
  readonly carry?: ((wire: MemoryWire) => void) | undefined
  /** Bytes on the wire from which `write` returns false. Default: 65,536. */
  readonly writeBufferBytes?: number | undefined
  /** What the first end sees as its peer, and what the second sees. Default: loopback, port 0. */
  readonly peers?: readonly [TransportPeer, TransportPeer] | undefined
}

/** One direction of the connection: what one end has written and the other has not yet received. */
export interface MemoryWire {
  readonly sender: MemoryTransport
  readonly receiver: MemoryTransport
  readonly waitingBytes: number
  /**
   * Delivers one chunk of at most `bytesMax` (at least 1) bytes, joined from what was written if need be, or else, when no bytes
   * wait, the end of the stream. Returns the number of bytes delivered; 0 too if the receiver does not take any now.
   */
  deliver(bytesMax?: number): number
}

export interface MemoryTransport extends Transport {
  readonly kind: 'memory'
  /**
   * This end loses the connection, as from a broken link: `onClose(error)` follows here, and the other end is not told.
   * What it wrote before stays on the wire. Cut both ends for a reset that both notice.
   */
  cut(error?: Error): void
}

/**
 * Two ends of a connection in memory. Nothing is delivered within the call that caused it, so a broker and its client may
 * run in one thread without re-entrance. Bytes are copied once, when written.
 */
export function memoryTransportPair(options: MemoryTransportOptions = {}): [MemoryTransport, MemoryTransport] {
  const schedule = options.schedule ?? setImmediateTask
  const carry = options.carry ?? ((wire: MemoryWire): void => schedule(() => wire.deliver()))
  const [firstPeer, secondPeer] = options.peers ?? [LOOPBACK, LOOPBACK]
  const first = new End(firstPeer, schedule)
  const second = new End(secondPeer, schedule)
  const writeBufferBytes = options.writeBufferBytes ?? MEMORY_WRITE_BUFFER_BYTES
  const there = new Wire(first, second, carry, writeBufferBytes)
  const back = new Wire(second, first, carry, writeBufferBytes)
  first.connect(there, back)
  second.connect(back, there)
  return [first, second]
}

const OVERWRITTEN = 0xdd
const LOOPBACK: TransportPeer = { address: '127.0.0.1', port: 0, certificate: undefined }

function setImmediateTask(task: () => void): void {
  setImmediate(task)
}

class Wire implements MemoryWire {
  readonly sender: End
  readonly receiver: End
  readonly #carry: (wire: MemoryWire) => void
  readonly #writeBufferBytes: number
  #chunks: Uint8Array[] = []
  #waitingBytes = 0
  #needsDrain = false
  /** The sender will write nothing more: after the waiting bytes the stream ends. */
  #ending = false
  /** `carry` has been called and `deliver` has not: at most one delivery is under way, so the order is kept. */
  #carried = false

  constructor(sender: End, receiver: End, carry: (wire: MemoryWire) => void, writeBufferBytes: number) {
    this.sender = sender
    this.receiver = receiver
    this.#carry = carry
    this.#writeBufferBytes = writeBufferBytes
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  push(bytes: Uint8Array): boolean {
    if (bytes.length > 0) {
      this.#chunks.push(new Uint8Array(bytes))
      this.#waitingBytes += bytes.length
      this.announce()
    }
    this.#needsDrain ||= this.#waitingBytes >= this.#writeBufferBytes
    return !this.#needsDrain
  }

  end(): void {
    this.#ending = true
    this.announce()
  }

  drop(): void {
    this.#chunks = []
    this.#waitingBytes = 0
  }

  announce(): void {
    if (this.#carried || !this.#isDeliverable()) return
    this.#carried = true
    this.#carry(this)
  }

  deliver(bytesMax: number = Infinity): number {
    this.#carried = false
    if (!this.#isDeliverable()) return 0
    if (this.#waitingBytes === 0) {
      this.#ending = false
      this.receiver.close(undefined)
      this.sender.close(undefined)
      return 0
    }
    const chunk = this.#take(Math.min(Math.max(bytesMax, 1), this.#waitingBytes))
    this.receiver.receive(chunk)
    if (this.#needsDrain && this.#waitingBytes === 0) {
      this.#needsDrain = false
      this.sender.drained()
    }
    this.announce()
    return chunk.length
  }

  #isDeliverable(): boolean {
    return (this.#ending || this.#waitingBytes > 0) && !this.sender.isCorked && this.receiver.isReading
  }

  #take(length: number): Uint8Array {
    this.#waitingBytes -= length
    const first = this.#chunks[0]
    if (first?.length === length) {
      this.#chunks.shift()
      return first
    }
    const joined = new Uint8Array(length)
    let filled = 0
    let index = 0
    while (filled < length) {
      const chunk = this.#chunks[index]
      if (chunk === undefined) break
      const part = chunk.subarray(0, length - filled)
      joined.set(part, filled)
      filled += part.length
      if (part.length === chunk.length) index++
      else this.#chunks[index] = chunk.subarray(part.length)
    }
    this.#chunks.splice(0, index)
    return joined
  }
}

class End implements MemoryTransport {
  readonly kind = 'memory'
  readonly peer: TransportPeer
  readonly #schedule: (task: () => void) => void
  #outgoing: Wire | undefined = undefined
  #incoming: Wire | undefined = undefined
  #receiver: TransportReceiver | undefined = undefined
  #corks = 0
  #paused = false
  #ended = false
  #closed = false
  #error: Error | undefined = undefined

  constructor(peer: TransportPeer, schedule: (task: () => void) => void) {
    this.peer = peer
    this.#schedule = schedule
  }

  connect(outgoing: Wire, incoming: Wire): void {
    this.#outgoing = outgoing
    this.#incoming = incoming
  }

  get bufferedBytes(): number {
    return this.#outgoing?.waitingBytes ?? 0
  }

  get isCorked(): boolean {
    return this.#corks > 0
  }

  /** An end that has ended or closed takes everything, to discard it. */
  get isReading(): boolean {
    return this.#ended || (this.#receiver !== undefined && !this.#paused)
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
    if (this.#closed) this.#schedule(() => receiver.onClose(this.#error))
    else this.#incoming?.announce()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#outgoing === undefined) return false
    return this.#outgoing.push(bytes)
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    if (this.#corks > 0) this.#corks--
    this.#outgoing?.announce()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#incoming?.announce()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#corks = 0
    this.#outgoing?.end()
    this.#incoming?.announce()
  }

  destroy(): void {
    if (this.#closed) return
    this.#ended = true
    this.#corks = 0
    this.#outgoing?.drop()
    this.#outgoing?.end()
    this.close(undefined)
  }

  cut(error: Error = connectionReset()): void {
    this.#corks = 0
    this.close(error)
  }

  receive(chunk: Uint8Array): void {
    if (!this.#ended) this.#receiver?.onData(chunk)
    // Whoever still looks at it makes a mistake that a socket would not forgive.
    chunk.fill(OVERWRITTEN)
  }

  drained(): void {
    if (!this.#ended) this.#receiver?.onDrain()
  }

  close(error: Error | undefined): void {
    if (this.#closed) return
    this.#ended = true
    this.#closed = true
    this.#error = error
    this.#incoming?.announce()
    const receiver = this.#receiver
    if (receiver !== undefined) this.#schedule(() => receiver.onClose(error))
  }
}

function connectionReset(): Error {
  return Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' })
}
