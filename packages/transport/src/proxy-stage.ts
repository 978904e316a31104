import { BlockList, isIP, type Socket } from 'node:net'
import { peerAddressOf } from './peer-address.ts'
import { parseProxyHeader, type ProxyHeader } from './proxy-header.ts'

/** The proxies that may speak for others; undefined: all. Throws an Error that names a malformed entry. */
export function parseTrustedProxies(entries: readonly string[]): BlockList | undefined {
  if (entries.length === 0) return undefined
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/')
    const version = isIP(address)
    const family = version === 4 ? 'ipv4' : 'ipv6'
    if (version === 0 || rest.length > 0) throw new Error(`trusted proxy '${entry}' is not an IP address or address/prefix`)
    if (prefix === undefined) {
      list.addAddress(address, family)
      continue
    }
    const bits = version === 4 ? 32 : 128
    const isPrefix = /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits
    if (!isPrefix) throw new Error(`trusted proxy '${entry}': the prefix is not 0 to ${bits}`)
    list.addSubnet(address, Number(prefix), family)
  }
  return list
}

export function isTrustedProxy(trusted: BlockList | undefined, socket: Socket): boolean {
  if (trusted === undefined) return true
  const { address } = peerAddressOf(socket)
  return trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Takes the header from the front of the connection and leaves the rest in the socket, paused, for whoever reads next.
 * What it holds is bounded by the parser, which refuses a header that is too long before it is complete.
 */
export function readProxyHeader(socket: Socket, done: (header: ProxyHeader) => void, failed: (error: Error) => void): void {
  let received: Buffer = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    let header: ProxyHeader | undefined
    try {
      header = parseProxyHeader(received)
    } catch (error) {
      socket.off('data', onData)
      failed(error instanceof Error ? error : new Error(String(error)))
      return
    }
    if (header === undefined) return
    socket.off('data', onData)
    socket.pause()
    if (received.length > header.length) socket.unshift(received.subarray(header.length))
    done(header)
  }
  socket.on('data', onData)
}
