import type { Socket } from 'node:net'
import type { PeerCertificate, TransportPeer } from './transport.ts'

/** Where a connection comes from. */
export interface PeerAddress {
  /** IP address without brackets; empty for a Unix socket. */
  readonly address: string
  /** 0 for a Unix socket. */
  readonly port: number
}

/** An accept error has no peer. */
export const NO_ADDRESS: PeerAddress = { address: '', port: 0 }

/** The other end as the operating system names it. */
export function peerAddressOf(socket: Socket): PeerAddress {
  return { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
}

/** IPv4 as IPv4 even on a dual-stack listener, so that access rules and logs know one form of it. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}

export function transportPeer(at: PeerAddress, certificate: PeerCertificate | undefined): TransportPeer {
  return { address: at.address, port: at.port, certificate }
}

/** Host and port as they stand in a URL. */
export function urlHost(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
