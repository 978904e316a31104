import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import { NO_ADDRESS, peerAddressOf, transportPeer } from './peer-address.ts'
import { verifiedCertificateOf } from './peer-certificate.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Transport } from './transport.ts'
import { TCP_KEEP_ALIVE_SECONDS, WEB_SOCKET_MESSAGE_BYTES_MAX } from './transport-limits.ts'
import { WebSocketTransport } from './web-socket-transport.ts'

export interface ConnectOptions {
  /**
   * `mqtt://host:1883` or `tcp:`, `mqtts://host:8883` or `tls:`, `ws://host/mqtt`, `wss://host/mqtt`, `unix:/run/godwit.sock`:
   * what `Listener.url` says. The port may be left out. User and password in it are not used here.
   */
  readonly url: string
  /** Gives up: the promise rejects with the signal's reason. Without one, the operating system's timeout holds. */
  readonly signal?: AbortSignal | undefined
  /** For `mqtts:` and `wss:`. */
  readonly tls?: ConnectTlsOptions | undefined
  /** The WebSocket subprotocol to offer. Default: `mqtt` ([5.0 MQTT-6.0.0-3]). */
  readonly subprotocol?: string | undefined
  /** HTTP headers of the WebSocket upgrade. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A larger WebSocket message closes the connection. Default: 1,048,576. */
  readonly maxMessageBytes?: number | undefined
}

export interface ConnectTlsOptions {
  /** PEM: the authorities to trust instead of the usual ones. */
  readonly ca?: string | Buffer | undefined
  /** PEM: our own certificate and key. */
  readonly certificate?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  readonly passphrase?: string | undefined
  /** The name to ask for and to verify, when it is not the URL's host. */
  readonly serverName?: string | undefined
  /** False accepts any certificate: for tests alone. Default: true. */
  readonly rejectUnauthorized?: boolean | undefined
}

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
      return connectSecure(options, url)
    case 'ws:':
    case 'wss:':
      return connectWebSocket(options, url)
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

function connectSecure({ signal, tls }: ConnectOptions, url: URL): Promise<Transport> {
  const host = hostOf(url)
  const socket = connectTls({ host, port: Number(url.port || 8883), ...SOCKET_OPTIONS, ...tlsOptions(tls, host) })
  const make = (): Transport => {
    return new SocketTransport('tls', transportPeer(peerAddressOf(socket), verifiedCertificateOf(socket)), socket)
  }
  return opened(socket, 'secureConnect', () => socket.destroy(), signal, make)
}

function connectWebSocket(options: ConnectOptions, url: URL): Promise<Transport> {
  const webSocket = new WebSocket(url, options.subprotocol ?? 'mqtt', {
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes ?? WEB_SOCKET_MESSAGE_BYTES_MAX,
    headers: { ...options.headers },
    ...(url.protocol === 'wss:' ? tlsOptions(options.tls, hostOf(url)) : {})
  })
  // `ws` does not show its socket; the HTTP response that comes before `open` does.
  let socket: Socket | undefined
  webSocket.once('upgrade', (response) => (socket = response.socket))
  const make = (): Transport => {
    assert(socket !== undefined)
    const secure = socket instanceof TLSSocket ? socket : undefined
    const peer = transportPeer(peerAddressOf(socket), secure && verifiedCertificateOf(secure))
    return new WebSocketTransport(secure === undefined ? 'websocket' : 'secure-websocket', peer, webSocket, socket)
  }
  return opened(webSocket, 'open', () => webSocket.terminate(), options.signal, make)
}

const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_SECONDS * 1000 } as const

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** RFC 6066 allows no address as a server name. */
function tlsOptions(tls: ConnectTlsOptions | undefined, host: string): ConnectionOptions {
  const serverName = tls?.serverName ?? (isIP(host) === 0 ? host : undefined)
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: tls?.rejectUnauthorized ?? true,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ca: tls?.ca,
    cert: tls?.certificate,
    key: tls?.key,
    passphrase: tls?.passphrase
  }
}

/** The transport is made within the event: later, the first bytes or an error would have come and gone. */
function opened(
  opening: EventEmitter,
  event: 'connect' | 'secureConnect' | 'open',
  abandon: () => void,
  signal: AbortSignal | undefined,
  make: () => Transport
): Promise<Transport> {
  const { promise, resolve, reject } = Promise.withResolvers<Transport>()
  const onAbort = (): void => {
    reject(signal?.reason)
    abandon()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  opening.on('error', (error: Error) => {
    signal?.removeEventListener('abort', onAbort)
    reject(error)
  })
  opening.once(event, () => {
    signal?.removeEventListener('abort', onAbort)
    resolve(make())
  })
  return promise
}
