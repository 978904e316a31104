import { Buffer, isUtf8 } from 'node:buffer'
import { malformed } from './violations.ts'

/**
 * Decodes a UTF-8 Encoded String ([5.0 1.5.4]) with Node's own means; `utf8-browser.ts` is its equal elsewhere.
 * U+FEFF is kept wherever it stands ([5.0 MQTT-1.5.4-3], [3.1.1 MQTT-1.5.3-3]).
 *
 * @throws {MqttError} Malformed Packet for ill-formed UTF-8, surrogates or U+0000
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const encoded = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0
    if (byte !== 0 && byte <= 0x7f) continue
    // isUtf8 refuses overlong forms and surrogates [5.0 MQTT-1.5.4-1], [3.1.1 MQTT-1.5.3-1].
    if (!isUtf8(encoded)) throw malformed('A string is not well-formed UTF-8')
    // [5.0 MQTT-1.5.4-2], [3.1.1 MQTT-1.5.3-2]: in well-formed UTF-8 a zero byte is always U+0000.
    if (encoded.includes(0)) throw malformed('A string contains U+0000')
    return encoded.toString('utf8')
  }
  return encoded.toString('latin1')
}
