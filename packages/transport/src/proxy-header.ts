import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { type PeerAddress, plainAddress } from './peer-address.ts'
import { PROXY_V1_BYTES_MAX, PROXY_V2_BYTES_MAX } from './transport-limits.ts'

/** A PROXY protocol header (HAProxy's proxy-protocol.txt, versions 1 and 2): who is behind the proxy's connection. */
export interface ProxyHeader {
  /** Bytes of the header; what follows belongs to the client. */
  readonly length: number
  /** Undefined when the proxy speaks for itself (LOCAL, UNKNOWN, UNSPEC): a health check, say. Then the proxy is the peer. */
  readonly source: PeerAddress | undefined
}

const V1_PREFIX = Buffer.from('PROXY ', 'latin1')
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family and transport, length. */
const V2_FIXED_BYTES = 16

/**
 * Reads a header of either version from the first bytes of a connection. Undefined: more bytes are needed, and what is there
 * is a good beginning. Throws an Error that says what is wrong as soon as no header can come of it.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const isVersion2 = bytes[0] === V2_SIGNATURE[0]
  const opening = isVersion2 ? V2_SIGNATURE : V1_PREFIX
  const common = Math.min(bytes.length, opening.length)
  if (bytes.compare(opening, 0, common, 0, common) !== 0) throw new Error('the connection does not begin with a PROXY header')
  return isVersion2 ? parseVersion2(bytes) : parseVersion1(bytes)
}

/** `PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n`, or TCP6, or `PROXY UNKNOWN` with anything up to the end of the line. */
function parseVersion1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, PROXY_V1_BYTES_MAX).indexOf('\r\n')
  if (end === -1) {
    if (bytes.length >= PROXY_V1_BYTES_MAX) throw new Error(`PROXY v1 header without CRLF in ${PROXY_V1_BYTES_MAX} bytes`)
    return undefined
  }
  const length = end + 2
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = bytes.toString('latin1', 0, end).split(' ')
  if (family === 'UNKNOWN') return { length, source: undefined }
  if (family !== 'TCP4' && family !== 'TCP6') throw new Error('PROXY v1 header with a family other than TCP4, TCP6, UNKNOWN')
  if (sourcePort === undefined || destinationPort === undefined || rest.length > 0) {
    throw new Error('PROXY v1 header without exactly two addresses and two ports')
  }
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6
  if (!isAddress(source ?? '') || !isAddress(destination ?? '')) throw new Error(`PROXY v1 header with a bad ${family} address`)
  const port = parsePort(sourcePort)
  if (port === undefined || parsePort(destinationPort) === undefined) throw new Error('PROXY v1 header with a bad port')
  return { length, source: { address: canonical(source ?? ''), port } }
}

function isPlainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%')
}

function parsePort(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

function parseVersion2(bytes: Buffer): ProxyHeader | undefined {
  const versionAndCommand = bytes[12]
  if (versionAndCommand === undefined) return undefined
  if (versionAndCommand >> 4 !== 2) throw new Error(`PROXY v2 header with version ${versionAndCommand >> 4}`)
  const command = versionAndCommand & 0x0f
  if (command > 1) throw new Error(`PROXY v2 header with command ${command}`)
  const family = bytes[13]
  if (family === undefined) return undefined
  const isLocal = command === 0
  const addressBytes = isLocal ? 0 : addressBytesOf(family)
  if (bytes.length < V2_FIXED_BYTES) return undefined
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14)
  if (length > PROXY_V2_BYTES_MAX) throw new Error(`PROXY v2 header of ${length} bytes, above ${PROXY_V2_BYTES_MAX}`)
  const tlvs = V2_FIXED_BYTES + addressBytes
  if (length < tlvs) throw new Error('PROXY v2 header too short for its addresses')
  if (bytes.length < length) return undefined
  if (isLocal) return { length, source: undefined }
  checkTlvs(bytes.subarray(tlvs, length))
  return { length, source: readSource(bytes, family) }
}

/** Family in the high half of the byte, transport in the low half; only streams reach us. */
function addressBytesOf(family: number): number {
  switch (family) {
    case 0x00:
      return 0
    case 0x11:
      return 12
    case 0x21:
      return 36
    case 0x31:
      return 216
    default:
      throw new Error(`PROXY v2 header with family and transport 0x${family.toString(16).padStart(2, '0')}`)
  }
}

function readSource(bytes: Buffer, family: number): PeerAddress | undefined {
  if (family === 0x11) {
    return { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) }
  }
  if (family === 0x21) {
    const groups: string[] = []
    for (let at = 16; at < 32; at += 2) groups.push(bytes.readUInt16BE(at).toString(16))
    return { address: canonical(groups.join(':')), port: bytes.readUInt16BE(48) }
  }
  return family === 0x31 ? { address: '', port: 0 } : undefined
}

/** Type, two bytes of length, value: nothing in them concerns us, but they must fill the header exactly. */
function checkTlvs(tlvs: Buffer): void {
  let at = 0
  while (at < tlvs.length) {
    if (at + 3 > tlvs.length) throw new Error('PROXY v2 header with a TLV cut short')
    at += 3 + tlvs.readUInt16BE(at + 1)
  }
  if (at > tlvs.length) throw new Error('PROXY v2 header with a TLV longer than the header')
}

/** One spelling for each address, as the operating system spells it. */
function canonical(address: string): string {
  return plainAddress(isIPv4(address) ? address : new SocketAddress({ address, family: 'ipv6' }).address)
}
