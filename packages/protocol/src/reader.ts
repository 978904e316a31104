import { decodeUtf8 } from '#utf8'
import type { TopicNameCache } from './topic-name-cache.ts'
import { malformed, protocolError } from './violations.ts'

const EMPTY = new Uint8Array(0)

/**
 * Reads the data representations of [5.0 1.5] from a part of a chunk, never past the part's end. A field that does not
 * fit into its part is a Malformed Packet.
 */
export class Reader {
  #bytes: Uint8Array = EMPTY
  #offset = 0
  #end = 0

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#offset = start
    this.#end = end
  }

  /** Lets go of the chunk. */
  release(): void {
    this.reset(EMPTY, 0, 0)
  }

  /** What it reads from; `offset` counts from the first of these bytes. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#end - this.#offset
  }

  /**
   * Narrows the reader to its next `length` bytes, as for a list of properties.
   *
   * @returns what `leave` takes to go back to the whole
   */
  enter(length: number): number {
    const outerEnd = this.#end
    this.#end = this.#take(length) + length
    this.#offset = this.#end - length
    return outerEnd
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  twoByteInteger(): number {
    const at = this.#take(2)
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0)
  }

  fourByteInteger(): number {
    const at = this.#take(4)
    const bytes = this.#bytes
    const signed = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    return signed >>> 0
  }

  /** At most four bytes ([5.0 1.5.5]), in the shortest form ([5.0 MQTT-1.5.5-1]). */
  variableByteInteger(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte > 0x7f) continue
      if (byte === 0 && shift > 0) throw malformed('A Variable Byte Integer is not in its shortest form')
      return value
    }
    throw malformed('A Variable Byte Integer is longer than four bytes')
  }

  /** Never 0 ([5.0 MQTT-2.2.1-3], [5.0 MQTT-2.2.1-4], [3.1.1 MQTT-2.3.1-1]). */
  packetIdentifier(): number {
    const packetIdentifier = this.twoByteInteger()
    if (packetIdentifier === 0) throw protocolError('The Packet Identifier is 0')
    return packetIdentifier
  }

  utf8String(): string {
    const length = this.twoByteInteger()
    const start = this.#take(length)
    return length === 0 ? '' : decodeUtf8(this.#bytes, start, start + length)
  }

  topicName(cache: TopicNameCache): string {
    const length = this.twoByteInteger()
    const start = this.#take(length)
    return length === 0 ? '' : cache.decode(this.#bytes, start, start + length)
  }

  /** A copy: it is rare and short, and none of those who keep it has to think of the chunk. */
  binaryData(): Uint8Array {
    const length = this.twoByteInteger()
    const start = this.#take(length)
    const copy = new Uint8Array(length)
    copy.set(this.#bytes.subarray(start, start + length))
    return copy
  }

  skipRest(): void {
    this.#take(this.remaining)
  }

  /** Steps over `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.#offset
    if (length > this.#end - start) throw malformed('The packet ends in the middle of a field')
    this.#offset = start + length
    return start
  }
}
