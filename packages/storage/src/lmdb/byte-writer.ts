const CAPACITY_MIN = 256
const CAPACITY_KEPT = 1_024 * 1_024

/** Writes values one after another into bytes of its own, which grow as needed. */
export class ByteWriter {
  #bytes: Buffer<ArrayBuffer>
  #length = 0

  /** @param room bytes to write over; more are taken as they are needed */
  constructor(room?: ArrayBuffer) {
    this.#bytes = room === undefined ? Buffer.allocUnsafeSlow(CAPACITY_MIN) : Buffer.from(room)
  }

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
  }

  /** Six bytes, the highest first, so that bytes sort as the numbers do: below 2⁴⁸. */
  uint48(value: number): void {
    this.#reserve(6)
    this.#length = this.#bytes.writeUIntBE(value, this.#length, 6)
  }

  /** Any number, as it is: fractions and Infinity too. */
  float64(value: number): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleBE(value, this.#length)
  }

  /** A whole number from 0 to 2⁵³ - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    const bytes = this.#bytes
    let at = this.#length
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
    bytes[at++] = rest
    this.#length = at
  }

  /** Bytes without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.byteLength
  }

  /** Bytes with their length before them. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.byteLength)
    this.raw(bytes)
  }

  /** A string in UTF-8, with the length of that before it. */
  text(text: string): void {
    // A code unit takes at most three bytes: a string this short has a length of one byte, filled in when it is known.
    if (text.length <= 42) {
      this.#reserve(1 + text.length * 3)
      const written = this.#bytes.write(text, this.#length + 1)
      this.#bytes[this.#length] = written
      this.#length += 1 + written
      return
    }
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.#reserve(size)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** Leaves room for a 32-bit number that is known later; returns where. */
  room(): number {
    this.uint32(0)
    return this.#length - 4
  }

  /** Fills the room left at a place with the number of bytes written since, and returns it. */
  fillWithLength(room: number): number {
    const length = this.#length - room - 4
    this.#bytes.writeUInt32BE(length, room)
    return length
  }

  /** A copy of what was written, to keep. */
  copy(): Buffer<ArrayBuffer> {
    const copy = Buffer.allocUnsafeSlow(this.#length)
    this.#bytes.copy(copy, 0, 0, this.#length)
    return copy
  }

  /** What was written, until something else is. */
  get view(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Begins anew, and keeps no more than some room. */
  clear(): void {
    this.#length = 0
    if (this.#bytes.length > CAPACITY_KEPT) this.#bytes = Buffer.allocUnsafeSlow(CAPACITY_MIN)
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
