import type { PeerAddress } from '../peer-address.ts'
import type { Transport, TransportReceiver } from '../transport.ts'
import { SLOW_CHECK_MS } from '../transport-limits.ts'
import { ByteRingReader, ByteRingWriter } from './byte-ring.ts'
import {
  type ConnectionError,
  encodeJson,
  errorToSend,
  type FailedConnection,
  NO_PAYLOAD,
  type OpenedConnection,
  Progress,
  type SharedMemory,
  ToEngine,
  ToThread
} from './hand-over.ts'
import { EVENT_LOOP_TURNS, type Turns } from './turns.ts'

export interface ThreadEndOptions {
  /** Gets the engine to call `read` of its end. */
  readonly wakeEngine: () => void
  /** The ring to the engine is full: returns when the engine has made room. Default: the thread stands still until then. */
  readonly waitForRoom?: () => void
  readonly turns?: Turns
}

/**
 * The thread's end of the hand-over: gives the engine what its connections bring, and does to them what the engine says.
 * When the engine does not keep up the thread stands still: it reads no socket, and its peers are held back.
 */
export class ThreadEnd {
  readonly #reader: ByteRingReader
  readonly #writer: ByteRingWriter
  readonly #progress: Progress
  readonly #turns: Turns
  readonly #waitForRoom: () => void
  readonly #connections: (CarriedConnection | undefined)[] = []
  readonly #freeNumbers: number[] = []
  #isPublishScheduled = false
  /** Those that the operating system has not taken everything of. TLS gives it away by the end of the turn. */
  #written: CarriedConnection[] = []
  /** Those of slow peers: what they hold shrinks without an event, and is looked at now and then. */
  #slow: CarriedConnection[] = []

  constructor(memory: SharedMemory, { wakeEngine, waitForRoom, turns = EVENT_LOOP_TURNS }: ThreadEndOptions) {
    this.#reader = new ByteRingReader(memory.toThread, () => this.send(ToEngine.Room, 0, NO_PAYLOAD))
    this.#writer = new ByteRingWriter(memory.toEngine, wakeEngine)
    this.#progress = new Progress(memory)
    this.#turns = turns
    this.#waitForRoom = waitForRoom ?? (() => this.#writer.waitForRoom())
  }

  /** Hands a connection to the engine, which will decide what becomes of it. */
  accept(listener: number, transport: Transport): void {
    const number = this.#freeNumbers.pop() ?? this.#connections.length
    if (number >= this.#progress.connectionsMax) {
      transport.destroy()
      return
    }
    const connection = new CarriedConnection(this, number, transport)
    this.#connections[number] = connection
    this.#progress.begin(number)
    const opened: OpenedConnection = { listener, kind: transport.kind, peer: transport.peer }
    this.send(ToEngine.Opened, number, encodeJson(opened))
    transport.start(connection)
  }

  /** Reports a connection that has failed before it was ready. */
  fail(listener: number, error: Error, peer: PeerAddress): void {
    const failed: FailedConnection = { listener, peer, ...errorToSend(error) }
    this.send(ToEngine.Failed, 0, encodeJson(failed))
  }

  /** Does what the engine has said; to be called when it wakes this thread. */
  readonly read = (): void => {
    this.#reader.read(this.#handle)
    // Sockets have their turn before what has come meanwhile.
    if (!this.#reader.sleep()) this.#turns.later(this.read)
  }

  send(kind: number, connection: number, payload: Uint8Array): void {
    const { payloadBytesMax } = this.#writer
    for (let from = 0; from === 0 || from < payload.length; from += payloadBytesMax) {
      const piece = payload.length <= payloadBytesMax ? payload : payload.subarray(from, from + payloadBytesMax)
      while (!this.#writer.append(kind, connection, piece)) this.#waitForRoom()
    }
    if (this.#isPublishScheduled) return
    this.#isPublishScheduled = true
    this.#turns.later(this.publish)
  }

  /** Shows the engine what has been sent: at the end of the turn, when all sockets that had something were read. */
  readonly publish = (): void => {
    this.#isPublishScheduled = false
    this.#writer.publish()
  }

  closed(connection: CarriedConnection, error: Error | undefined): void {
    const sent: ConnectionError | undefined = error && errorToSend(error)
    this.send(ToEngine.Closed, connection.number, sent === undefined ? NO_PAYLOAD : encodeJson(sent))
    this.#connections[connection.number] = undefined
  }

  /** Tells the engine how much of what it wrote the operating system has not taken. */
  tellHeld(connection: CarriedConnection): number {
    const heldBytes = connection.transport.bufferedBytes
    this.#progress.hold(connection.number, heldBytes)
    return heldBytes
  }

  readonly #handle = (kind: number, number: number, payload: Buffer): void => {
    if (kind === ToThread.Release) {
      this.#freeNumbers.push(number)
      return
    }
    // The engine has not heard of its close yet.
    const connection = this.#connections[number]
    if (connection === undefined) return
    const { transport } = connection
    switch (kind) {
      case ToThread.Write:
        transport.write(payload)
        this.#progress.handled(number, payload.length)
        if (this.tellHeld(connection) > 0) this.#watch(connection)
        break
      case ToThread.Cork:
        transport.cork()
        break
      case ToThread.Uncork:
        transport.uncork()
        if (this.tellHeld(connection) > 0) this.#watch(connection)
        break
      case ToThread.Pause:
        transport.pause()
        break
      case ToThread.Resume:
        transport.resume()
        break
      case ToThread.End:
        transport.end()
        break
      case ToThread.Destroy:
        transport.destroy()
        break
      case ToThread.TellDrained:
        connection.tellDrained(this.tellHeld(connection))
        break
    }
  }

  #watch(connection: CarriedConnection): void {
    if (connection.isWatched) return
    connection.isWatched = true
    if (this.#written.push(connection) === 1) this.#turns.later(this.#checkWritten)
  }

  readonly #checkWritten = (): void => {
    const slow = this.#stillHolding(this.#written)
    this.#written = []
    if (slow.length === 0) return
    if (this.#slow.length === 0) this.#turns.after(SLOW_CHECK_MS, this.#checkSlow)
    this.#slow.push(...slow)
  }

  readonly #checkSlow = (): void => {
    this.#slow = this.#stillHolding(this.#slow)
    if (this.#slow.length > 0) this.#turns.after(SLOW_CHECK_MS, this.#checkSlow)
  }

  #stillHolding(connections: readonly CarriedConnection[]): CarriedConnection[] {
    return connections.filter((connection) => {
      connection.isWatched = !connection.isClosed && this.tellHeld(connection) > 0
      if (!connection.isWatched) connection.drained()
      return connection.isWatched
    })
  }
}

/** A connection of this thread, as its transport sees it. */
class CarriedConnection implements TransportReceiver {
  readonly number: number
  readonly transport: Transport
  readonly #end: ThreadEnd
  /** In one of the lists of those that hold bytes. */
  isWatched = false
  isClosed = false
  #mustTellDrained = false

  constructor(end: ThreadEnd, number: number, transport: Transport) {
    this.#end = end
    this.number = number
    this.transport = transport
  }

  onData(chunk: Uint8Array): void {
    this.#end.send(ToEngine.Data, this.number, chunk)
  }

  onDrain(): void {
    this.#end.tellHeld(this)
    this.drained()
  }

  onClose(error: Error | undefined): void {
    this.isClosed = true
    this.#end.closed(this, error)
  }

  tellDrained(heldBytes: number): void {
    this.#mustTellDrained = true
    if (heldBytes === 0) this.drained()
  }

  /** Everything written has been taken. */
  drained(): void {
    if (!this.#mustTellDrained || this.isClosed) return
    this.#mustTellDrained = false
    this.#end.send(ToEngine.Drained, this.number, NO_PAYLOAD)
  }
}
