import { isIP } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { ConnectOptions } from './connect-options.ts'
import type { ConnectTlsOptions } from './connect-tls-options.ts'
import { hostOf, opened, SOCKET_OPTIONS } from './opening-socket.ts'
import { peerAddressOf, transportPeer } from './peer-address.ts'
import { verifiedCertificateOf } from './peer-certificate.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Transport } from './transport.ts'

/** Connects over TLS. */
export function connectSecure({ signal, tls }: ConnectOptions, url: URL): Promise<Transport> {
  const host = hostOf(url)
  const socket = connectTls({ host, port: Number(url.port || 8883), ...SOCKET_OPTIONS, ...tlsOptions(tls, host) })
  const make = (): Transport => {
    return new SocketTransport('tls', transportPeer(peerAddressOf(socket), verifiedCertificateOf(socket)), socket)
  }
  return opened(socket, 'secureConnect', () => socket.destroy(), signal, make)
}

/** As Node wants them. RFC 6066 allows no address as a server name. */
export function tlsOptions(tls: ConnectTlsOptions | undefined, host: string): ConnectionOptions {
  const serverName = tls?.serverName ?? (isIP(host) === 0 ? host : undefined)
  return {
    minVersion: tls?.minimumVersion ?? 'TLSv1.2',
    rejectUnauthorized: tls?.rejectUnauthorized ?? true,
    ...(tls?.verifyHostName === false ? { checkServerIdentity: () => undefined } : {}),
    ...(tls?.alpnProtocols === undefined ? {} : { ALPNProtocols: [...tls.alpnProtocols] }),
    ciphers: tls?.ciphers,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ca: pemOf(tls?.ca),
    cert: pemOf(tls?.certificate),
    key: pemOf(tls?.key),
    passphrase: tls?.passphrase
  }
}

/** As Node's types want it. */
function pemOf(pem: string | Uint8Array | undefined): string | Buffer | undefined {
  return pem instanceof Uint8Array ? Buffer.from(pem.buffer, pem.byteOffset, pem.length) : pem
}
