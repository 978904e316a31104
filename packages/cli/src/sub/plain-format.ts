import { oneLine, payloadText, type Screen } from './payload-text.ts'
import type { ShownMessage } from './shown-message.ts'

/** As mosquitto_sub prints: the payload, byte for byte, and with `-v` the topic before it. Only a terminal gets it fit for a terminal. */
export function plainFormat(isVerbose: boolean, newline: string, screen: Screen): (message: ShownMessage) => Uint8Array {
  return ({ topic, payload }) => {
    const before = isVerbose ? `${screen.isTerminal ? oneLine(topic) : topic} ` : ''
    if (payload.byteLength === 0) return Buffer.from(isVerbose ? `${before}(null)${newline}` : '')
    if (screen.isTerminal) return Buffer.from(`${before}${payloadText(payload, screen)}${newline}`)
    return Buffer.concat([Buffer.from(before), payload, Buffer.from(newline)])
  }
}
