import { Buffer } from 'node:buffer'

/** What waits to be written goes out at once from here on. */
const BATCH_BYTES = 64 * 1024
/** What may wait before writers are held back. */
const WAITING_BYTES_MAX = 1024 * 1024

interface Waiting {
  readonly bytes: Uint8Array
  readonly onWritten: (() => void) | undefined
}

/**
 * Writes to a stream whose reader may be slow, or go away (`| head`): several pieces together, since each write costs a system call, and
 * with word of when each has been taken by the operating system.
 */
export class StandardOutput {
  /** Resolves when nobody reads any more, or writing fails: with `error`. */
  readonly closed: Promise<Error | undefined>
  readonly #stream: NodeJS.WritableStream
  readonly #closed = Promise.withResolvers<Error | undefined>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #isWriting = false
  #isClosed = false
  #error: Error | undefined = undefined
  #turn: NodeJS.Immediate | undefined = undefined
  #room: PromiseWithResolvers<void> | undefined = undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    this.closed = this.#closed.promise
    stream.on('error', (error: NodeJS.ErrnoException) => this.#close(error.code === 'EPIPE' ? undefined : error))
  }

  /** Why nothing can be written any more, if it is more than a reader that has gone. */
  get error(): Error | undefined {
    return this.#error
  }

  /**
   * Resolves when there is room for more; undefined: there is.
   *
   * @param onWritten called once the operating system has it; never if writing fails
   */
  write(bytes: Uint8Array, onWritten?: () => void): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    this.#waiting.push({ bytes, onWritten })
    this.#waitingBytes += bytes.byteLength
    if (this.#waitingBytes >= BATCH_BYTES) this.#flush()
    else this.#turn ??= setImmediate(() => this.#flush())
    if (this.#waitingBytes < WAITING_BYTES_MAX) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Resolves when all is written, or nothing can be written any more. */
  async end(): Promise<void> {
    while (!this.#isClosed && this.#waitingBytes > 0) {
      this.#room ??= Promise.withResolvers()
      const { promise } = this.#room
      this.#flush()
      await promise
    }
  }

  #flush(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    if (this.#isWriting || this.#isClosed || this.#waiting.length === 0) return
    const batch = this.#waiting
    this.#waiting = []
    this.#isWriting = true
    const bytes = Buffer.concat(batch.map((each) => each.bytes))
    this.#stream.write(bytes, (error) => {
      this.#isWriting = false
      // The event `error` tells.
      if (error !== null && error !== undefined) return
      this.#waitingBytes -= bytes.byteLength
      for (const { onWritten } of batch) onWritten?.()
      this.#giveRoom()
      this.#flush()
    })
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#error = error
    this.#waiting = []
    clearImmediate(this.#turn)
    this.#closed.resolve(error)
    this.#giveRoom()
  }

  #giveRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
