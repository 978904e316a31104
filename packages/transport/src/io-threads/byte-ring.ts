/** Words of the header, each on a cache line of its own, as the two sides write them at the same time. */
const HEAD = 0
const TAIL = 16
const READER_SLEEPS = 32
const WRITER_WAITS = 48
const HEADER_BYTES = 256
const RECORD_HEADER_BYTES = 8

/** The kind that fills up the end of the buffer: records are not cut in two. */
const PADDING = 0

/** @param capacityBytes a power of two, 64 to 2^25 */
export function makeByteRing(capacityBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + capacityBytes)
}

/**
 * Carries records in order from one thread to one other, through shared memory: one writer, one reader.
 *
 * ```
 *            tail                        head             capacity
 *   ┌─────────┬──────────┬────────┬───────┬─────────────────┐
 *   │ free    │ record   │ record │  ...  │ free            │   record: kind, length │ connection │ payload, to 8 bytes
 *   └─────────┴──────────┴────────┴───────┴─────────────────┘
 * ```
 * Head and tail count bytes since the beginning, modulo 2^32; the writer alone moves the head, the reader alone the tail. Each
 * of them announces that it is about to wait, and looks again, before it does: as all four words are atomic, either it sees
 * what the other has just done, or the other sees that it must be woken.
 */
class ByteRing {
  protected readonly words: Int32Array<SharedArrayBuffer>
  protected readonly bytes: Uint8Array<SharedArrayBuffer>
  protected readonly capacityBytes: number

  constructor(ring: SharedArrayBuffer) {
    this.capacityBytes = ring.byteLength - HEADER_BYTES
    this.words = new Int32Array(ring)
    this.bytes = new Uint8Array(ring, HEADER_BYTES)
  }

  /** Where a count of bytes lies in the buffer. */
  protected at(count: number): number {
    return count & (this.capacityBytes - 1)
  }
}

/** The writing side. What is appended is the reader's from `publish` on. */
export class ByteRingWriter extends ByteRing {
  /** The longest payload of a record: an empty ring always has room for it. */
  readonly payloadBytesMax: number
  readonly #wake: () => void
  #head = 0
  #publishedHead = 0
  /** At most as far as the tail really is. */
  #knownTail = 0

  /** @param wake gets the reader to look, from the event loop of its thread */
  constructor(ring: SharedArrayBuffer, wake: () => void) {
    super(ring)
    this.payloadBytesMax = this.capacityBytes / 4
    this.#wake = wake
  }

  /**
   * Copies a record into the ring; false: there is no room for it.
   * @param kind 1 to 255
   * @param payload at most `payloadBytesMax`
   */
  append(kind: number, connection: number, payload: Uint8Array): boolean {
    const bytes = RECORD_HEADER_BYTES + ((payload.length + 7) & ~7)
    let at = this.at(this.#head)
    const untilEnd = this.capacityBytes - at
    const neededBytes = bytes > untilEnd ? untilEnd + bytes : bytes
    if (neededBytes > this.#freeBytes(neededBytes)) return false
    if (bytes > untilEnd) {
      this.#putHeader(at, PADDING, untilEnd - RECORD_HEADER_BYTES, 0)
      at = 0
    }
    this.#putHeader(at, kind, payload.length, connection)
    if (payload.length > 0) this.bytes.set(payload, at + RECORD_HEADER_BYTES)
    this.#head = (this.#head + neededBytes) | 0
    return true
  }

  /** Shows the reader what has been appended, and wakes it if it sleeps. */
  publish(): void {
    if (this.#head === this.#publishedHead) return
    this.#publishedHead = this.#head
    Atomics.store(this.words, HEAD, this.#head)
    if (Atomics.load(this.words, READER_SLEEPS) === 1 && Atomics.exchange(this.words, READER_SLEEPS, 0) === 1) this.#wake()
  }

  /** Asks the reader to tell when it has made room: what did not fit has to be tried once more after this call. */
  askForRoom(): void {
    this.publish()
    Atomics.store(this.words, WRITER_WAITS, 1)
  }

  /** Stops this thread until the reader has made room. */
  waitForRoom(): void {
    const tail = this.#knownTail
    this.askForRoom()
    Atomics.wait(this.words, TAIL, tail)
  }

  #freeBytes(neededBytes: number): number {
    const free = this.capacityBytes - ((this.#head - this.#knownTail) | 0)
    if (free >= neededBytes) return free
    this.#knownTail = Atomics.load(this.words, TAIL)
    return this.capacityBytes - ((this.#head - this.#knownTail) | 0)
  }

  #putHeader(at: number, kind: number, length: number, connection: number): void {
    const word = (HEADER_BYTES + at) >>> 2
    this.words[word] = (length << 8) | kind
    this.words[word + 1] = connection
  }
}

/** @param payload the receiver's own: a copy, whose bytes nobody else changes */
export type RecordHandler = (kind: number, connection: number, payload: Buffer) => void

/** The reading side. */
export class ByteRingReader extends ByteRing {
  readonly #roomIsMade: () => void
  #tail = 0

  /** @param roomIsMade called within `read` when a writer has asked for room, and may not stand still and wait for it */
  constructor(ring: SharedArrayBuffer, roomIsMade: () => void) {
    super(ring)
    this.#roomIsMade = roomIsMade
  }

  /** Hands over all that there was when the call began. */
  read(handle: RecordHandler): void {
    const head = Atomics.load(this.words, HEAD)
    while (this.#tail !== head) {
      const at = this.at(this.#tail)
      const bytes = Math.min((head - this.#tail) | 0, this.capacityBytes - at)
      // One copy for all of it, so that the writer may go on while the records are handled.
      const copy = Buffer.allocUnsafe(bytes)
      copy.set(this.bytes.subarray(at, at + bytes))
      this.#release(bytes)
      handleRecords(copy, handle)
    }
  }

  /** Announces that `read` will not be called before a wake; false: there is something to read already. */
  sleep(): boolean {
    Atomics.store(this.words, READER_SLEEPS, 1)
    if (Atomics.load(this.words, HEAD) === this.#tail) return true
    // If the writer was faster it has sent a wake, which finds less to read.
    Atomics.store(this.words, READER_SLEEPS, 0)
    return false
  }

  #release(bytes: number): void {
    this.#tail = (this.#tail + bytes) | 0
    Atomics.store(this.words, TAIL, this.#tail)
    if (Atomics.load(this.words, WRITER_WAITS) === 0) return
    Atomics.store(this.words, WRITER_WAITS, 0)
    Atomics.notify(this.words, TAIL)
    this.#roomIsMade()
  }
}

function handleRecords(records: Buffer, handle: RecordHandler): void {
  const words = new Int32Array(records.buffer, records.byteOffset, records.length >>> 2)
  for (let at = 0; at < records.length;) {
    const word = words[at >>> 2] ?? 0
    const kind = word & 0xff
    const payloadAt = at + RECORD_HEADER_BYTES
    const payloadEnd = payloadAt + (word >>> 8)
    if (kind !== PADDING) handle(kind, words[(at >>> 2) + 1] ?? 0, records.subarray(payloadAt, payloadEnd))
    at = (payloadEnd + 7) & ~7
  }
}
