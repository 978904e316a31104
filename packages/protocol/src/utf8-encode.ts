// Above this length one call into TextEncoder costs less than the loop.
const SHORT_MAX = 64

const encoder = new TextEncoder()

/**
 * Writes `text` into `target`, which has room for three bytes for each of its code units.
 *
 * @returns where the text ends
 * @throws {RangeError} for surrogates ([5.0 MQTT-1.5.4-1]) and U+0000 ([5.0 MQTT-1.5.4-2])
 */
export function encodeUtf8(text: string, target: Uint8Array, offset: number): number {
  if (text.length <= SHORT_MAX) {
    let index = 0
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit === 0 || unit > 0x7f) break
      target[offset + index] = unit
    }
    if (index === text.length) return offset + index
  }
  if (!text.isWellFormed()) throw new RangeError('A string with surrogates cannot be encoded as UTF-8')
  if (text.includes('\0')) throw new RangeError('A string with U+0000 cannot be encoded')
  return offset + encoder.encodeInto(text, target.subarray(offset)).written
}
