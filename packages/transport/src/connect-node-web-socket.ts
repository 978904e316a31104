import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import type { ConnectOptions } from './connect-options.ts'
import { tlsOptions } from './connect-secure.ts'
import { hostOf, opened } from './opening-socket.ts'
import { peerAddressOf, transportPeer } from './peer-address.ts'
import { verifiedCertificateOf } from './peer-certificate.ts'
import type { Transport } from './transport.ts'
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from './transport-limits.ts'
import { WebSocketTransport } from './web-socket-transport.ts'

/** Connects over WebSocket in Node, where the HTTP upgrade may have headers, and TLS options. */
export function connectNodeWebSocket(options: ConnectOptions, url: URL): Promise<Transport> {
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
