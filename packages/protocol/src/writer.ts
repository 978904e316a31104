import { encodeUtf8 } from './utf8-encode.ts'

/** The largest Remaining Length: four bytes of seven bits each ([5.0 1.5.5]). */
export const VARIABLE_BYTE_INTEGER_MAX = 268_435_455

const SCRATCH_SIZE = 1024
const SCRATCH_KEPT_MAX = 65_536
const SLAB_SIZE = 4096
const SLAB_PACKET_MAX = 512
const EMPTY = new Uint8Array(0)

/** The bytes that `value` takes as a Variable Byte Integer. */
export function variableByteIntegerLength(value: number): 1 | 2 | 3 | 4 {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4
}

/**
 * Writes `value` as a Variable Byte Integer in its shortest form ([5.0 MQTT-1.5.5-1]).
 *
 * @returns where it ends
 */
export function writeVariableByteInteger(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  let rest = value
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

/** Writes `value`, which fits, and returns where it ends. */
export function writeTwoByteInteger(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 8
  target[offset + 1] = value
  return offset + 2
}

/** Writes `value`, which fits, and returns where it ends. */
export function writeFourByteInteger(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
  return offset + 4
}

/**
 * Writes the data representations of [5.0 1.5] into a scratch area that it reuses; `packet` makes a packet of them.
 * Values that the representation cannot hold are the caller's mistake: a RangeError.
 */
export class Writer {
  #scratch = new Uint8Array(SCRATCH_SIZE)
  #length = 0
  #slab: Uint8Array = EMPTY
  #slabUsed = 0

  /** The bytes written since `clear`. */
  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
    if (this.#scratch.length > SCRATCH_KEPT_MAX) this.#scratch = new Uint8Array(SCRATCH_SIZE)
  }

  /** Takes back what was written beyond `length`. */
  truncate(length: number): void {
    this.#length = length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#scratch[this.#length++] = value
  }

  twoByteInteger(value: number, name: string): void {
    checkInteger(value, 0, 0xffff, name)
    this.#reserve(2)
    this.#length = writeTwoByteInteger(this.#scratch, this.#length, value)
  }

  fourByteInteger(value: number, name: string): void {
    checkInteger(value, 0, 0xffff_ffff, name)
    this.#reserve(4)
    this.#length = writeFourByteInteger(this.#scratch, this.#length, value)
  }

  variableByteInteger(value: number, name: string): void {
    checkInteger(value, 0, VARIABLE_BYTE_INTEGER_MAX, name)
    this.#reserve(4)
    this.#length = writeVariableByteInteger(this.#scratch, this.#length, value)
  }

  packetIdentifier(value: number): void {
    checkInteger(value, 1, 0xffff, 'packetIdentifier')
    this.twoByteInteger(value, 'packetIdentifier')
  }

  utf8String(text: string, name: string): void {
    if (text.length > 0xffff) throw tooLong(name)
    this.#reserve(2 + text.length * 3)
    const start = this.#length + 2
    const end = encodeUtf8(text, this.#scratch, start)
    if (end - start > 0xffff) throw tooLong(name)
    this.twoByteInteger(end - start, name)
    this.#length = end
  }

  binaryData(bytes: Uint8Array, name: string): void {
    if (bytes.length > 0xffff) throw tooLong(name)
    this.twoByteInteger(bytes.length, name)
    this.#reserve(bytes.length)
    this.#scratch.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /**
   * Begins a part that is preceded by its length as a Variable Byte Integer.
   *
   * @returns what `endPart` takes
   */
  beginPart(): number {
    this.byte(0)
    return this.#length
  }

  endPart(start: number): void {
    const partLength = this.#length - start
    if (partLength > VARIABLE_BYTE_INTEGER_MAX) throw new RangeError('The properties are longer than 268,435,455 bytes')
    const shift = variableByteIntegerLength(partLength) - 1
    if (shift > 0) {
      this.#reserve(shift)
      this.#scratch.copyWithin(start + shift, start, this.#length)
      this.#length += shift
    }
    writeVariableByteInteger(this.#scratch, start - 1, partLength)
  }

  /** The packet of a first byte, what was written, and a payload that need not pass through the scratch area. */
  packet(firstByte: number, payload: Uint8Array = EMPTY): Uint8Array {
    const remainingLength = this.#length + payload.length
    if (remainingLength > VARIABLE_BYTE_INTEGER_MAX) throw new RangeError('The packet is longer than 268,435,455 bytes')
    const bytes = this.#allocate(1 + variableByteIntegerLength(remainingLength) + remainingLength)
    bytes[0] = firstByte
    const bodyAt = writeVariableByteInteger(bytes, 1, remainingLength)
    bytes.set(this.#scratch.subarray(0, this.#length), bodyAt)
    bytes.set(payload, bodyAt + this.#length)
    return bytes
  }

  // A Uint8Array of its own costs some 300 ns, a view of a slab a tenth of that (`bench/micro/codec.ts`).
  #allocate(length: number): Uint8Array {
    if (length > SLAB_PACKET_MAX) return new Uint8Array(length)
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_SIZE)
      this.#slabUsed = 0
    }
    const start = this.#slabUsed
    this.#slabUsed += length
    return this.#slab.subarray(start, start + length)
  }

  #reserve(length: number): void {
    const needed = this.#length + length
    if (needed <= this.#scratch.length) return
    const grown = new Uint8Array(Math.max(needed, this.#scratch.length * 2))
    grown.set(this.#scratch.subarray(0, this.#length))
    this.#scratch = grown
  }
}

/** @throws {RangeError} unless `value` is an integer from `minimum` to `maximum` */
export function checkInteger(value: number, minimum: number, maximum: number, name: string): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return
  throw new RangeError(`${name} must be an integer from ${minimum} to ${maximum}, not ${value}`)
}

function tooLong(name: string): RangeError {
  return new RangeError(`${name} is longer than 65,535 bytes`)
}
