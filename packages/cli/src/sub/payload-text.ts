import { isUtf8 } from 'node:buffer'
import { countText } from '../quantities.ts'

/** What a terminal shows of one payload, in bytes: some screens of text. */
const TERMINAL_BYTES_MAX = 10_000
/** And of one that is not text: each byte takes three columns. */
const TERMINAL_BINARY_BYTES_MAX = 1_000

/** Where a payload is shown. */
export interface Screen {
  /** What is too long is cut there, and says so; control characters would act on it. */
  readonly isTerminal: boolean
  /** Marks what is not of the message. */
  readonly note: (text: string) => string
}

/** Whether bytes are text that does nothing to a terminal but fill it. */
function isPlainText(payload: Uint8Array): boolean {
  return isUtf8(payload) && !hasControls(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString())
}

/** A payload for people: text as it is; anything else as hexadecimal digits, with a note. Cut on a terminal alone, and never without a word. */
export function payloadText(payload: Uint8Array, { isTerminal, note }: Screen): string {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const isText = isPlainText(payload)
  const maximum = isText ? TERMINAL_BYTES_MAX : TERMINAL_BINARY_BYTES_MAX
  const end = isTerminal && bytes.length > maximum ? (isText ? characterEnd(bytes, maximum) : maximum) : bytes.length
  const kept = bytes.subarray(0, end)
  const rest = bytes.length - end
  const cut = rest === 0 ? '' : note(` … ${countText(rest, 'more byte')}`)
  if (isText) return `${kept.toString()}${cut}`
  return `${hexadecimal(kept)}${cut}${note(` (binary, ${countText(bytes.length, 'byte')})`)}`
}

/** Text from elsewhere on one line: what would act on a terminal is written as an escape. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

function hexadecimal(bytes: Buffer): string {
  return bytes.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ')
}

/** Line feed, carriage return and tab are text; the other control characters move the cursor, change colours, ring. */
function hasControls(text: string): boolean {
  return /[^\P{Cc}\n\r\t]/u.test(text)
}

/** At most `maximum`, and not within a character of UTF-8. */
function characterEnd(bytes: Buffer, maximum: number): number {
  let end = maximum
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}
