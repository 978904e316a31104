import { Misuse } from '../misuse.ts'

/** Of the specification: a packet, and so a payload, cannot be longer ([5.0 2.1.4]). */
const PAYLOAD_BYTES_MAX = 268_435_455

/**
 * The pieces of a stream, without the byte that ends each. What follows the last one is a piece if there is anything.
 *
 * @throws {Misuse} for a piece that no message can hold
 */
export async function* separated(input: AsyncIterable<Buffer>, separator: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let length = 0
  let count = 0
  for await (const chunk of input) {
    let from = 0
    for (let at = chunk.indexOf(separator); at !== -1; at = chunk.indexOf(separator, from)) {
      count++
      const end = chunk.subarray(from, at)
      yield parts.length === 0 ? end : Buffer.concat([...parts, end])
      parts = []
      length = 0
      from = at + 1
    }
    if (from === chunk.length) continue
    parts.push(chunk.subarray(from))
    length += chunk.length - from
    if (length <= PAYLOAD_BYTES_MAX) continue
    throw new Misuse(`message ${count + 1} of standard input is longer than ${PAYLOAD_BYTES_MAX} bytes`)
  }
  if (length > 0) yield Buffer.concat(parts)
}
