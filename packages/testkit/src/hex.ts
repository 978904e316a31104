/** Bytes written in hexadecimal, with or without blanks between them: `'10 0c 00 04 4d515454'`. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s/g, '')
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new RangeError(`not bytes in hexadecimal: ${hex}`)
  return Buffer.from(digits, 'hex')
}

/** Bytes in hexadecimal, with a blank between them. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte).join(' ')
}

export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
