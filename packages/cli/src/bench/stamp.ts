import { Buffer } from 'node:buffer'

/** What a payload begins with; a smaller one cannot be verified. */
export const STAMP_BYTES = 28

const HASHED_WORDS = 6
const FILLERS = 256

/**
 * What every payload begins with, in little-endian words; a filler that follows from the publisher takes the rest.
 *
 * ```
 *   0        4           8              16             24      28
 *   ┌────────┬───────────┬──────────────┬──────────────┬───────┬─ ─ ─ ─
 *   │ run    │ publisher │ sequence     │ sent at, ms  │ hash  │ filler
 *   └────────┴───────────┴──────────────┴──────────────┴───────┴─ ─ ─ ─
 *    uint32   uint32      float64        float64        of the words before
 * ```
 */
export class StampWriter {
  readonly #payload: Buffer
  readonly #words = new Uint32Array(HASHED_WORDS)
  readonly #numbers = new Float64Array(this.#words.buffer)

  constructor(run: number, publisher: number, payloadBytes: number) {
    this.#payload = Buffer.alloc(payloadBytes)
    this.#words[0] = run
    this.#words[1] = publisher
    fillerOf(payloadBytes).copy(this.#payload, STAMP_BYTES, publisher % FILLERS)
  }

  /** The payload of a message: the same bytes are used for the next. */
  write(sequence: number, sentAtMs: number): Uint8Array {
    this.#numbers[1] = sequence
    this.#numbers[2] = sentAtMs
    for (let index = 0; index < HASHED_WORDS; index++) this.#payload.writeUInt32LE(this.#words[index] ?? 0, index * 4)
    this.#payload.writeUInt32LE(hashOf(this.#words), HASHED_WORDS * 4)
    return this.#payload
  }
}

/** `ours`: `publisher`, `sequence` and `sentAtMs` are what was sent. `foreign`: of another run. `damaged`: it is not what anyone sent. */
export type StampVerdict = 'ours' | 'foreign' | 'damaged'

/** Reads payloads of one run, all of one size. */
export class StampReader {
  readonly #run: number
  readonly #payloadBytes: number
  readonly #filler: Buffer
  readonly #words = new Uint32Array(HASHED_WORDS)
  readonly #numbers = new Float64Array(this.#words.buffer)

  constructor(run: number, payloadBytes: number) {
    this.#run = run
    this.#payloadBytes = payloadBytes
    this.#filler = fillerOf(payloadBytes)
  }

  get publisher(): number {
    return this.#words[1] ?? 0
  }

  get sequence(): number {
    return this.#numbers[1] ?? 0
  }

  get sentAtMs(): number {
    return this.#numbers[2] ?? 0
  }

  read(payload: Uint8Array): StampVerdict {
    const words = this.#words
    if (payload.byteLength < STAMP_BYTES) return 'damaged'
    for (let index = 0; index < HASHED_WORDS; index++) words[index] = uint32At(payload, index * 4)
    if (hashOf(words) !== uint32At(payload, HASHED_WORDS * 4)) return 'damaged'
    if (words[0] !== this.#run) return 'foreign'
    const { byteLength } = payload
    if (byteLength !== this.#payloadBytes) return 'damaged'
    const start = this.publisher % FILLERS
    const isWhole = this.#filler.compare(payload, STAMP_BYTES, byteLength, start, start + byteLength - STAMP_BYTES) === 0
    return isWhole ? 'ours' : 'damaged'
  }
}

function uint32At(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)) >>>
    0
  )
}

/** Each bit of the words changes about half of the bits of the result. */
function hashOf(words: Uint32Array): number {
  let hash = 0x9e37_79b9
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85eb_ca6b)
    hash ^= hash >>> 15
  }
  return Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35) >>> 0
}

/** Bytes that look random, of which a publisher's payload begins where its number says. */
function fillerOf(payloadBytes: number): Buffer {
  const filler = Buffer.alloc(payloadBytes - STAMP_BYTES + FILLERS)
  let state = 0x2545_f491
  for (let index = 0; index < filler.byteLength; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    filler[index] = state & 0xff
  }
  return filler
}
