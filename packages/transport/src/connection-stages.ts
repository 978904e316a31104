import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContextOptions, type Server as TlsServer, TLSSocket } from 'node:tls'
import type { TlsOptions, WebSocketOptions } from './listen-options.ts'
import { type PeerAddress, transportPeer } from './peer-address.ts'
import { verifiedCertificateOf } from './peer-certificate.ts'
import type { PendingConnections } from './pending-connections.ts'
import { isTrustedProxy, parseTrustedProxies, readProxyHeader } from './proxy-stage.ts'
import { SocketTransport } from './socket-transport.ts'
import { clientCertificateProblem, messageOf } from './tls-stage.ts'
import type { Transport } from './transport.ts'
import { answerAndClose, webSocketUpgrade } from './web-socket-upgrade.ts'

/**
 * What an accepted connection goes through, each stage handing the socket to the next:
 *
 *     accepted ─▷ [PROXY header] ─▷ [TLS handshake] ─▷ [WebSocket upgrade] ─▷ Transport
 *
 * The TLS and HTTP servers here never listen: they are given connections, as Node documents for their `connection` event.
 */
export type Stage = (socket: Socket) => void

export function proxyStage(trustedProxies: readonly string[], pending: PendingConnections, next: Stage): Stage {
  const trusted = parseTrustedProxies(trustedProxies)
  return (socket) => {
    if (!isTrustedProxy(trusted, socket)) {
      pending.fail(socket, new Error('not a trusted proxy: this listener takes connections from proxies alone'))
      return
    }
    pending.waitFor(socket, 'PROXY header')
    readProxyHeader(
      socket,
      (header) => {
        if (header.source !== undefined) pending.setPeer(socket, header.source)
        next(socket)
      },
      (error) => pending.fail(socket, error)
    )
  }
}

export interface TlsStage {
  readonly server: TlsServer
  readonly stage: Stage
}

export function tlsStage(
  context: SecureContextOptions,
  alpnProtocols: string[] | undefined,
  clientCertificates: TlsOptions['clientCertificates'],
  pending: PendingConnections,
  next: Stage
): TlsStage {
  const server = createTlsServer({
    ...context,
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: alpnProtocols }),
    requestCert: clientCertificates !== undefined && clientCertificates !== 'none',
    // `clientCertificateProblem` refuses, with a reason.
    rejectUnauthorized: false
  })
  server.on('secureConnection', (socket) => {
    const problem = clientCertificateProblem(socket, clientCertificates)
    if (problem === undefined) {
      next(socket)
    } else {
      socket.on('error', ignore)
      pending.fail(socket, problem)
      socket.destroy()
    }
  })
  // When the peer has reset the connection there is no address any more; the close of the socket below then makes the report.
  server.on('tlsClientError', (error, socket) =>
    pending.fail(socket, new Error(`TLS handshake failed: ${messageOf(error)}`, { cause: error }))
  )
  return {
    server,
    stage: (socket) => {
      pending.waitFor(socket, 'TLS handshake')
      server.emit('connection', socket)
    }
  }
}

export function webSocketStage(
  options: WebSocketOptions & { readonly onError: (error: Error, peer: PeerAddress) => void },
  pending: PendingConnections,
  accept: (transport: Transport) => void
): Stage {
  const server = createHttpServer()
  const upgrade = webSocketUpgrade({ ...options, peerAddress: (request) => pending.peerOf(request.socket) }, accept)
  server.on('upgrade', (request, socket, head) => {
    upgrade(request, socket, head)
    pending.release(request.socket)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    pending.report(request.socket, new Error('HTTP request without WebSocket upgrade refused with 426'))
    const body = 'MQTT over WebSocket: the request must ask for an upgrade\n'
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain; charset=utf-8' }).end(body)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const isMalformed = error.code?.startsWith('HPE_') === true
    const problem = isMalformed ? new Error(`malformed HTTP request: ${messageOf(error)}`, { cause: error }) : error
    if (socket instanceof Socket) pending.report(socket, problem)
    if (socket.writable) answerAndClose(socket, 400, 'malformed HTTP request')
    else socket.destroy()
  })
  return (socket) => {
    pending.waitFor(socket, 'WebSocket upgrade')
    server.emit('connection', socket)
    // A socket whose PROXY header was read is paused, and holds what came behind the header.
    socket.resume()
  }
}

/** The last stage of TCP and TLS. */
export function transportStage(pending: PendingConnections, accept: (transport: Transport) => void): Stage {
  return (socket) => {
    const certificate = socket instanceof TLSSocket ? verifiedCertificateOf(socket) : undefined
    const peer = transportPeer(pending.release(socket), certificate)
    accept(new SocketTransport(socket instanceof TLSSocket ? 'tls' : 'tcp', peer, socket))
  }
}

function ignore(): void {
  // Refused already, and reported.
}
