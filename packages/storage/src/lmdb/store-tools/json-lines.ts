import { isUtf8 } from 'node:buffer'
import { ImportMistake } from './import-mistake.ts'

/** Room for the largest message that MQTT allows, in base64. */
const LINE_BYTES_MAX = 400 * 1_024 * 1_024

const LINE_FEED = 0x0a

export interface JsonLine {
  /** From 1. */
  readonly number: number
  readonly value: unknown
}

/**
 * Takes a stream of bytes apart into lines, each a JSON value; empty lines are passed over.
 *
 * @throws ImportMistake where a line is none
 */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonLine, void, undefined> {
  let number = 0
  for await (const line of splitLines(chunks)) {
    number++
    if (line.length > LINE_BYTES_MAX) throw new ImportMistake(number, `it is longer than ${LINE_BYTES_MAX} bytes`)
    if (!isUtf8(line)) throw new ImportMistake(number, 'it is not UTF-8')
    const text = line.toString()
    if (text.trim() !== '') yield { number, value: parse(number, text) }
  }
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let begun: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield begun.length === 0 ? bytes.subarray(start, end) : Buffer.concat([...begun, bytes.subarray(start, end)])
      begun = []
      length = 0
      start = end + 1
    }
    begun.push(bytes.subarray(start))
    length += bytes.length - start
    if (length > LINE_BYTES_MAX) break
  }
  if (length > 0) yield Buffer.concat(begun)
}

function parse(number: number, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ImportMistake(number, `it is not JSON: ${reason}`, { cause })
  }
}
