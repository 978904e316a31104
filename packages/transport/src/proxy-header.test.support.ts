/** A version 2 header around a body of addresses and TLVs. */
export function proxyV2(versionAndCommand: number, familyAndTransport: number, body: Buffer): Buffer {
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1')
  fixed[12] = versionAndCommand
  fixed[13] = familyAndTransport
  fixed.writeUInt16BE(body.length, 14)
  return Buffer.concat([fixed, body])
}

export function tlv(type: number, value: string): Buffer {
  const head = Buffer.from([type, 0, 0])
  head.writeUInt16BE(value.length, 1)
  return Buffer.concat([head, Buffer.from(value)])
}
