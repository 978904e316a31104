/**
 * Bytes as one reads them in the specification: hexadecimal digits, and text between quotes.
 * `bytes("30 05 0001 'a' 'hi'")` is a PUBLISH of `hi` to `a`.
 */
export function bytes(notation: string): Uint8Array {
  const result: number[] = []
  for (const token of notation.match(/'[^']*'|[^\s']+/g) ?? []) {
    if (token.startsWith("'")) {
      result.push(...new TextEncoder().encode(token.slice(1, -1)))
    } else {
      if (!/^([0-9a-f]{2})+$/i.test(token)) throw new TypeError(`Not bytes: ${token}`)
      for (let at = 0; at < token.length; at += 2) result.push(Number.parseInt(token.slice(at, at + 2), 16))
    }
  }
  return Uint8Array.from(result)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
