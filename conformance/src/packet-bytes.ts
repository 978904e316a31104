import { fromHex, toHex } from '@godwit/testkit'

const TOKEN = /\s+|'[^']*'|\[|\]|[0-9a-f]{2}/giy

/**
 * A packet written as its grammar: bytes in hexadecimal, text in quotes, and brackets around what a length of one byte
 * stands before, be it the Remaining Length or a Property Length: `30 [0001 't' [01 01]] 00`.
 */
export function packetBytes(notation: string): Uint8Array {
  const groups: number[][] = [[]]
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < notation.length) {
    const [token] = TOKEN.exec(notation) ?? []
    if (token === undefined) throw new TypeError(`not a packet: ${notation}`)
    if (token === '[') groups.push([])
    else if (token === ']') closeGroup(groups, notation)
    else groups.at(-1)?.push(...(token.startsWith("'") ? Buffer.from(token.slice(1, -1)) : fromHex(token)))
  }
  const [bytes = []] = groups
  if (groups.length > 1) throw new TypeError(`a bracket is not closed: ${notation}`)
  return Uint8Array.from(bytes)
}

function closeGroup(groups: number[][], notation: string): void {
  const group = groups.pop() ?? []
  if (groups.length === 0 || group.length > 127) throw new TypeError(`a bracket too many, or too much in it: ${notation}`)
  groups.at(-1)?.push(group.length, ...group)
}

/** The same in hexadecimal, to be put together with other packets. */
export function packetHex(notation: string): string {
  return toHex(packetBytes(notation))
}
