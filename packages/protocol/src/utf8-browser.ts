import { malformed } from './violations.ts'

// Above this length one call into TextDecoder costs less than building the string here.
const SHORT_MAX = 24

// ignoreBOM means that a leading U+FEFF is text like any other [5.0 MQTT-1.5.4-3], [3.1.1 MQTT-1.5.3-3].
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a UTF-8 Encoded String ([5.0 1.5.4]) with what browsers have; `utf8-node.ts` is its equal in Node.
 * U+FEFF is kept wherever it stands.
 *
 * @throws {MqttError} Malformed Packet for ill-formed UTF-8, surrogates or U+0000
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_MAX) {
    const text = decodeShortAscii(bytes, start, end)
    if (text !== undefined) return text
  }
  const text = decodeStrictly(bytes.subarray(start, end))
  // [5.0 MQTT-1.5.4-2], [3.1.1 MQTT-1.5.3-2]
  if (text.includes('\0')) throw malformed('A string contains U+0000')
  return text
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0
    if (byte === 0 || byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeStrictly(encoded: Uint8Array): string {
  try {
    return decoder.decode(encoded)
  } catch {
    // [5.0 MQTT-1.5.4-1], [3.1.1 MQTT-1.5.3-1]
    throw malformed('A string is not well-formed UTF-8')
  }
}
