import { connect as connectTcp } from 'node:net'
import type { ConnectOptions } from './connect-options.ts'
import { hostOf, opened, SOCKET_OPTIONS } from './opening-socket.ts'
import { NO_ADDRESS, peerAddressOf, transportPeer } from './peer-address.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Transport } from './transport.ts'

/** Connects to a broker, for clients and tests. Rejects with the operating system's, TLS's or HTTP's error. */
export async function connectTransport(options: ConnectOptions): Promise<Transport> {
  options.signal?.throwIfAborted()
  if (options.url.startsWith('unix:')) return connectUnix(options, options.url.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''))
  const url = new URL(options.url)
  switch (url.protocol) {
    case 'mqtt:':
    case 'tcp:':
      return connectPlain(options, url)
    case 'mqtts:':
    case 'tls:':
      return (await whileWanted(options, import('./connect-secure.ts'))).connectSecure(options, url)
    case 'ws:':
    case 'wss:':
      return (await whileWanted(options, import('./connect-node-web-socket.ts'))).connectNodeWebSocket(options, url)
    default:
      throw new TypeError(`cannot connect to ${options.url}: the scheme must be mqtt, tcp, mqtts, tls, ws, wss or unix`)
  }
}

function connectUnix({ signal }: ConnectOptions, path: string): Promise<Transport> {
  const socket = connectTcp({ path })
  const make = (): Transport => new SocketTransport('unix', transportPeer(NO_ADDRESS, undefined), socket)
  return opened(socket, 'connect', () => socket.destroy(), signal, make)
}

function connectPlain({ signal }: ConnectOptions, url: URL): Promise<Transport> {
  const socket = connectTcp({ host: hostOf(url), port: Number(url.port || 1883), ...SOCKET_OPTIONS })
  const make = (): Transport => new SocketTransport('tcp', transportPeer(peerAddressOf(socket), undefined), socket)
  return opened(socket, 'connect', () => socket.destroy(), signal, make)
}

/** TLS and HTTP take as long to load as all the rest: who needs neither should not wait for them. */
async function whileWanted<Module>({ signal }: ConnectOptions, loading: Promise<Module>): Promise<Module> {
  const loaded = await loading
  signal?.throwIfAborted()
  return loaded
}
