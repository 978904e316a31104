import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import type { WebSocketOptions } from './listen-options.ts'
import { type PeerAddress, peerAddressOf, transportPeer } from './peer-address.ts'
import { verifiedCertificateOf } from './peer-certificate.ts'
import type { Transport } from './transport.ts'
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from './transport-limits.ts'
import { WebSocketTransport } from './web-socket-transport.ts'

export const DEFAULT_WEB_SOCKET_PATH = '/mqtt'

/** In order of preference. 3.1 clients send the second, from before OASIS registered the first. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'] as const

export interface WebSocketUpgradeOptions extends WebSocketOptions {
  /** Where the client is, when something in front of the HTTP server knows better. Default: the socket's remote address. */
  readonly peerAddress?: ((request: IncomingMessage) => PeerAddress) | undefined
  /** Told of every upgrade that was refused, after the answer. Default: nobody is told. */
  readonly onError?: ((error: Error, peer: PeerAddress) => void) | undefined
}

/** Takes the arguments of `node:http`'s `'upgrade'` event. */
export type WebSocketUpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Lets a program that has its own HTTP server share the port: `server.on('upgrade', webSocketUpgrade(options, accept))`.
 * What is not an MQTT WebSocket is answered with its HTTP status and closed: 404 another path, 403 an origin that is not
 * allowed, 400 a malformed request or one that does not offer the subprotocol `mqtt` (or `mqttv3.1`). A client that offers none
 * breaks [5.0 MQTT-6.0.0-3], and accepting it would leave us guessing what it speaks.
 */
export function webSocketUpgrade(
  options: WebSocketUpgradeOptions,
  accept: (transport: Transport) => void
): WebSocketUpgradeHandler {
  const path = options.path ?? DEFAULT_WEB_SOCKET_PATH
  const allowedOrigins = options.allowedOrigins && new Set(options.allowedOrigins.map((origin) => origin.toLowerCase()))
  const peerAddress = options.peerAddress ?? ((request: IncomingMessage): PeerAddress => peerAddressOf(request.socket))
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes ?? WEB_SOCKET_MESSAGE_BYTES_MAX,
    // [5.0 MQTT-6.0.0-4]
    handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false
  })

  function refuse(request: IncomingMessage, socket: Duplex, status: number, reason: string): void {
    const peer = peerAddress(request)
    answerAndClose(socket, status, reason)
    options.onError?.(new Error(`WebSocket upgrade refused with ${status}: ${reason}`), peer)
  }

  server.on('wsClientError', (error, socket, request) => refuse(request, socket, 400, error.message))

  return (request, socket, head) => {
    // Between the HTTP parser's handlers and those of the WebSocket nobody else would catch a reset.
    socket.on('error', ignore)
    const origin = request.headers.origin
    if (request.url?.split('?', 1)[0] !== path) {
      refuse(request, socket, 404, `MQTT is at ${path}`)
    } else if (allowedOrigins !== undefined && origin !== undefined && !allowedOrigins.has(origin.toLowerCase())) {
      refuse(request, socket, 403, `the origin ${JSON.stringify(origin)} is not allowed`)
    } else if (!offersSubprotocol(request)) {
      refuse(request, socket, 400, 'the client must offer the WebSocket subprotocol "mqtt"')
    } else {
      const secure = request.socket instanceof TLSSocket ? request.socket : undefined
      const peer = transportPeer(peerAddress(request), secure && verifiedCertificateOf(secure))
      server.handleUpgrade(request, socket, head, (webSocket) => {
        accept(new WebSocketTransport(secure === undefined ? 'websocket' : 'secure-websocket', peer, webSocket, socket))
      })
    }
  }
}

function offersSubprotocol(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? []
  return SUBPROTOCOLS.some((protocol) => offered.includes(protocol))
}

/** For sockets that have left the HTTP server, or whose request it could not read. */
export function answerAndClose(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`
  socket.on('error', ignore)
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nSec-WebSocket-Version: 13, 8\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

function ignore(): void {
  // The connection closes anyway, and the WebSocket's own listener reports what matters to it.
}
