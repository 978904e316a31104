import { damaged } from './outbox-failure.ts'

const CAPACITY = 4_096

/** Puts values one after another into bytes that grow as needed, and are given away in the end. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(CAPACITY)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    const at = this.#take(1)
    this.#bytes[at] = value
  }

  uint32(value: number): void {
    const at = this.#take(4)
    this.#bytes.writeUInt32BE(value, at)
  }

  float64(value: number): void {
    const at = this.#take(8)
    this.#bytes.writeDoubleBE(value, at)
  }

  /** A whole number from 0 to 2⁵³ - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80)
    this.byte(rest)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.byteLength)
    this.#bytes.set(bytes, at)
  }

  /** Bytes behind their length. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.byteLength)
    this.raw(bytes)
  }

  /** A string in UTF-8 behind the length of that. */
  text(text: string): void {
    const size = Buffer.byteLength(text)
    this.varint(size)
    const at = this.#take(size)
    this.#bytes.write(text, at)
  }

  /** All of it, of which the writer keeps nothing. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#bytes.buffer, 0, this.#length)
    this.#bytes = Buffer.allocUnsafeSlow(0)
    this.#length = 0
    return bytes
  }

  /** Where the next so many bytes go. */
  #take(size: number): number {
    const at = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, at)
      this.#bytes = grown
    }
    return at
  }
}

/** Reads back what a `ByteWriter` wrote. Throws a `OutboxFailure` where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#pass(1))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#pass(4))
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#pass(8))
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

  /** A view. */
  bytes(): Uint8Array {
    const start = this.#pass(this.varint())
    return this.#view(start, this.#at)
  }

  text(): string {
    const start = this.#pass(this.varint())
    return this.#bytes.toString('utf8', start, this.#at)
  }

  /** A view of what is left. */
  rest(): Uint8Array {
    return this.#view(this.#pass(this.#bytes.length - this.#at), this.#bytes.length)
  }

  #view(start: number, end: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start)
  }

  #pass(size: number): number {
    const start = this.#at
    if (start + size > this.#bytes.length) throw damaged('a record ends too early')
    this.#at += size
    return start
  }
}
