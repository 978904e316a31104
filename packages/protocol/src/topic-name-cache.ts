import { decodeUtf8 } from '#utf8'
import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'
import { hasWildcard } from './topics.ts'

const SLOTS = 32
// Longer names are rare, and would let a publisher make its connection's cache heavy.
const CACHED_LENGTH_MAX = 256

interface CachedTopicName {
  readonly bytes: Uint8Array
  readonly topicName: string
}

/**
 * Decodes the Topic Names of one connection's PUBLISH packets. A publisher mostly repeats a few names: comparing the
 * bytes with those of a name seen before costs a fraction of decoding and validating them anew (`bench/micro/codec.ts`).
 */
export class TopicNameCache {
  readonly #slots: (CachedTopicName | undefined)[] = []
  #latest: CachedTopicName | undefined

  /**
   * The Topic Name in `bytes` from `start` to `end`, which is not empty.
   *
   * @throws {MqttError} Malformed Packet for a bad string, Topic Name invalid for wildcards
   */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const latest = this.#latest
    if (latest !== undefined && equals(latest.bytes, bytes, start, end)) return latest.topicName
    if (end - start > CACHED_LENGTH_MAX) return decodeTopicName(bytes, start, end)
    const slot = hash(bytes, start, end) & (SLOTS - 1)
    let cached = this.#slots[slot]
    if (cached === undefined || !equals(cached.bytes, bytes, start, end)) {
      cached = { bytes: copyOf(bytes, start, end), topicName: decodeTopicName(bytes, start, end) }
      this.#slots[slot] = cached
    }
    this.#latest = cached
    return cached.topicName
  }
}

function equals(cached: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (cached.length !== end - start) return false
  for (let index = 0; index < cached.length; index++) {
    if (cached[index] !== bytes[start + index]) return false
  }
  return true
}

// Not slice(): of a Buffer that would be a view of the chunk.
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start)
  for (let index = 0; index < copy.length; index++) copy[index] = bytes[start + index] ?? 0
  return copy
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let result = 0
  for (let index = start; index < end; index++) result = (Math.imul(result, 31) + (bytes[index] ?? 0)) | 0
  return result ^ (result >>> 5) ^ (result >>> 15)
}

function decodeTopicName(bytes: Uint8Array, start: number, end: number): string {
  const topicName = decodeUtf8(bytes, start, end)
  // [5.0 MQTT-3.3.2-2], [3.1.1 MQTT-3.3.2-2]
  if (hasWildcard(topicName)) throw new MqttError(ReasonCode.TopicNameInvalid, 'The Topic Name contains a wildcard')
  return topicName
}
