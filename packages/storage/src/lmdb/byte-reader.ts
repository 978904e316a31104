import { damaged } from './store-error.ts'

/** Reads back what a ByteWriter wrote. Throws a StoreError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bufferOf(bytes)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** How much has been read. */
  get position(): number {
    return this.#at
  }

  /** How much there is to be read. */
  get end(): number {
    return this.#bytes.length
  }

  /** All that there is to be read. */
  get source(): Buffer {
    return this.#bytes
  }

  moveTo(position: number): void {
    this.#at = position
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
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let scale = 0x80; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw damaged('a number without end')
  }

  /** A view of the bytes being read. */
  bytes(): Buffer {
    const size = this.varint()
    const start = this.#advance(size)
    return this.#bytes.subarray(start, start + size)
  }

  /** Passes over so many bytes, and tells where in `source` they begin. */
  pass(size: number): number {
    return this.#advance(size)
  }

  /** @param known what it may well be: then nothing is made anew */
  text(known: string = ''): string {
    const size = this.varint()
    const start = this.#advance(size)
    return this.#isAscii(known, start, size) ? known : this.#bytes.toString('utf8', start, start + size)
  }

  #isAscii(text: string, start: number, size: number): boolean {
    if (text.length !== size) return false
    for (let index = 0; index < size; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f || code !== this.#bytes[start + index]) return false
    }
    return true
  }

  #advance(size: number): number {
    const start = this.#at
    if (start + size > this.#bytes.length) throw damaged('a record ends too early')
    this.#at = start + size
    return start
  }
}

/** The same bytes with the methods of a Buffer. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
