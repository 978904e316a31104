import type { PeerAddress } from '../peer-address.ts'
import type { Transport } from '../transport.ts'
import { ByteRingReader, ByteRingWriter } from './byte-ring.ts'
import {
  decodeClosed,
  decodeFailed,
  decodeOpened,
  type FailedConnection,
  NO_PAYLOAD,
  type OpenedConnection,
  Progress,
  sentError,
  type SharedMemory,
  ToEngine,
  ToThread
} from './hand-over.ts'
import { HandedOverTransport } from './handed-over-transport.ts'
import { EVENT_LOOP_TURNS, type Turns } from './turns.ts'

/** What is told of the connections of a listener. */
export interface ListenerEvents {
  readonly accept: (transport: Transport) => void
  readonly onError: ((error: Error, peer: PeerAddress) => void) | undefined
}

interface WaitingRecord {
  readonly kind: number
  readonly connection: number
  readonly payload: Uint8Array
}

/**
 * The engine's end of the hand-over with one thread. The engine never stands still: what the ring has no room for waits
 * here, in order, and counts as buffered by its connection.
 */
export class EngineEnd {
  readonly progress: Progress
  readonly turns: Turns
  readonly #reader: ByteRingReader
  readonly #writer: ByteRingWriter
  readonly #listenerOf: (listener: number) => ListenerEvents | undefined
  readonly #transports: (HandedOverTransport | undefined)[] = []
  #waiting: WaitingRecord[] = []
  #isPublishScheduled = false
  #isLost = false

  /**
   * @param wakeThread gets the thread to call `read` of its end
   * @param listenerOf undefined: it is closed, and what it accepted meanwhile is closed too
   */
  constructor(
    memory: SharedMemory,
    wakeThread: () => void,
    listenerOf: (listener: number) => ListenerEvents | undefined,
    turns: Turns = EVENT_LOOP_TURNS
  ) {
    this.#reader = new ByteRingReader(memory.toEngine, () => undefined)
    this.#writer = new ByteRingWriter(memory.toThread, wakeThread)
    this.progress = new Progress(memory)
    this.#listenerOf = listenerOf
    this.turns = turns
  }

  /** Whether records wait for room in the ring. */
  get isFull(): boolean {
    return this.#waiting.length > 0
  }

  /** Takes what the thread has handed over; to be called when it wakes the engine. */
  readonly read = (): void => {
    if (this.#isLost) return
    this.#reader.read(this.#handle)
    // What the engine has to say to this batch goes before the next one.
    if (!this.#reader.sleep()) this.turns.later(this.read)
  }

  /** Hands over a record; a long payload in pieces. The payload is copied. */
  send(kind: number, connection: number, payload: Uint8Array): void {
    if (this.#isLost) return
    const { payloadBytesMax } = this.#writer
    for (let from = 0; from === 0 || from < payload.length; from += payloadBytesMax) {
      const piece = payload.length <= payloadBytesMax ? payload : payload.subarray(from, from + payloadBytesMax)
      if (!this.isFull && this.#writer.append(kind, connection, piece)) continue
      this.#waiting.push({ kind, connection, payload: Buffer.from(piece) })
      if (this.#waiting.length === 1) this.#sendWaiting()
    }
    if (this.#isPublishScheduled) return
    this.#isPublishScheduled = true
    this.turns.soon(this.#publish)
  }

  /** Forgets the bytes of a connection that wait here: they are not to be sent any more. */
  dropWaiting(connection: number): void {
    if (!this.isFull) return
    this.#waiting = this.#waiting.filter((record) => record.connection !== connection || record.kind === ToThread.Release)
  }

  /** The thread is gone, and its connections with it. */
  lose(error: Error): void {
    this.#isLost = true
    this.#waiting = []
    for (const transport of this.#transports.splice(0)) transport?.closed(error)
  }

  /** When what has been written in one go is all there: at the end of the flush of a turn. */
  readonly #publish = (): void => {
    this.#isPublishScheduled = false
    this.#writer.publish()
  }

  readonly #handle = (kind: number, number: number, payload: Buffer): void => {
    switch (kind) {
      case ToEngine.Data:
        this.#transports[number]?.received(payload)
        break
      case ToEngine.Opened:
        this.#open(number, decodeOpened(payload))
        break
      case ToEngine.Drained:
        this.#transports[number]?.drained()
        break
      case ToEngine.Closed:
        this.#close(number, decodeClosed(payload))
        break
      case ToEngine.Failed:
        this.#fail(decodeFailed(payload))
        break
      case ToEngine.Room:
        this.#sendWaiting()
        break
    }
  }

  #open(number: number, { listener, kind, peer }: OpenedConnection): void {
    const transport = new HandedOverTransport(this, number, kind, peer)
    this.#transports[number] = transport
    const events = this.#listenerOf(listener)
    if (events === undefined) transport.destroy()
    else events.accept(transport)
  }

  #close(number: number, error: Error | undefined): void {
    const transport = this.#transports[number]
    this.#transports[number] = undefined
    // From here on the transport sends nothing, so this is the last that the thread hears of it.
    transport?.closed(error)
    this.send(ToThread.Release, number, NO_PAYLOAD)
  }

  #fail({ listener, peer, ...error }: FailedConnection): void {
    this.#listenerOf(listener)?.onError?.(sentError(error), peer)
  }

  /** As far as there is room; the thread will tell when there is more. */
  #sendWaiting(): void {
    this.#appendWaiting()
    if (this.isFull) {
      this.#writer.askForRoom()
      // The thread may have made room before it could see that it was asked.
      this.#appendWaiting()
    }
    this.#writer.publish()
  }

  #appendWaiting(): void {
    const rest = this.#waiting.findIndex(({ kind, connection, payload }) => !this.#writer.append(kind, connection, payload))
    this.#waiting = rest === -1 ? [] : this.#waiting.slice(rest)
  }
}
