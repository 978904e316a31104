import { decodeUtf8 } from '#utf8'
import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'
import { hasWildcard } from './topics.ts'

const SLOTS = 8
// Longer names are rare, and would let a publisher make its connection's cache heavy.
const CACHED_LENGTH_MAX = 256

interface CachedTopicName {
  readonly bytes: Uint8Array
  readonly topicName: string
}

/**
 * Decodes the Topic Names of one connection's PUBLISH packets. A publisher mostly repeats a few names: comparing the
 * bytes with those of a name seen before costs a quarter of decoding and validating them anew (`bench/micro/codec.ts`).
 */
export class TopicNameCache {
  readonly #slots: (CachedTopicName | undefined)[] = []

  /**
   * The Topic Name in `bytes` from `start` to `end`, which is not empty.
   *
   * @throws {MqttError} Malformed Packet for a bad string, Topic Name invalid for wildcards
   */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start
    if (length > CACHED_LENGTH_MAX) return decodeTopicName(bytes, start, end)
    // Names of one publisher differ most in length and near their end.
    const slot = (length + (bytes[end - 1] ?? 0) + ((bytes[end - 3] ?? 0) << 1)) & (SLOTS - 1)
    const cached = this.#slots[slot]
    if (cached?.bytes.length === length && equals(cached.bytes, bytes, start)) return cached.topicName
    const topicName = decodeTopicName(bytes, start, end)
    this.#slots[slot] = { bytes: bytes.slice(start, end), topicName }
    return topicName
  }
}

function equals(cached: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < cached.length; index++) {
    if (cached[index] !== bytes[start + index]) return false
  }
  return true
}

function decodeTopicName(bytes: Uint8Array, start: number, end: number): string {
  const topicName = decodeUtf8(bytes, start, end)
  // [5.0 MQTT-3.3.2-2], [3.1.1 MQTT-3.3.2-2]
  if (hasWildcard(topicName)) throw new MqttError(ReasonCode.TopicNameInvalid, 'The Topic Name contains a wildcard')
  return topicName
}
