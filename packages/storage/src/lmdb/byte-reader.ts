import { damaged } from './store-error.ts'

/** Reads back what a ByteWriter wrote. Throws a StoreError where the bytes end too early. */
export class ByteReader {
  #bytes: Buffer
  #at = 0
  #length: number
  /** The bytes are another's, who writes over them: what is to last is copied. */
  readonly #isLent: boolean

  constructor(bytes: Uint8Array, isLent: boolean = false) {
    this.#bytes = bufferOf(bytes)
    this.#length = bytes.byteLength
    this.#isLent = isLent
  }

  /** Goes on with other bytes: only so many from the beginning. */
  begin(bytes: Buffer, length: number): void {
    this.#bytes = bytes
    this.#at = 0
    this.#length = length
  }

  get isAtEnd(): boolean {
    return this.#at === this.#length
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] ?? 0
  }

  uint48(): number {
    return this.#bytes.readUIntBE(this.#advance(6), 6)
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#advance(8))
  }

  varint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw damaged('a number without end')
  }

  /** A view of the bytes being read, unless these are lent. */
  bytes(): Buffer {
    const size = this.varint()
    const start = this.#advance(size)
    if (!this.#isLent) return this.#bytes.subarray(start, start + size)
    const copy = Buffer.allocUnsafe(size)
    this.#bytes.copy(copy, 0, start, start + size)
    return copy
  }

  text(): string {
    const size = this.varint()
    const start = this.#advance(size)
    return this.#bytes.toString('utf8', start, start + size)
  }

  #advance(size: number): number {
    const start = this.#at
    if (start + size > this.#length) throw damaged('a record ends too early')
    this.#at = start + size
    return start
  }
}

/** The same bytes with the methods of a Buffer. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
