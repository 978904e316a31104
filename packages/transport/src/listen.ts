import { createServer, type Socket } from 'node:net'
import { bind } from './bind.ts'
import { proxyStage, type Stage, tlsStage, transportStage, webSocketStage } from './connection-stages.ts'
import { ListenError } from './listen-error.ts'
import type { CertificateOptions, ListenOptions, PortListenOptions, SecureListenOptions } from './listen-options.ts'
import { listenOnUnixSocket } from './listen-unix.ts'
import { type SecureListener, SecureServerListener, ServerListener } from './listener.ts'
import { type PeerAddress, peerAddressOf, transportPeer, urlHost } from './peer-address.ts'
import { PendingConnections } from './pending-connections.ts'
import { SocketTransport } from './socket-transport.ts'
import { secureContextOptions } from './tls-stage.ts'
import type { Listener, Transport } from './transport.ts'
import { BACKLOG, HANDSHAKE_TIMEOUT_MS, TCP_KEEP_ALIVE_SECONDS } from './transport-limits.ts'
import { DEFAULT_WEB_SOCKET_PATH } from './web-socket-upgrade.ts'

type Accept = (transport: Transport) => void

export const DEFAULT_HOST = '127.0.0.1'
const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', websocket: 'ws', 'secure-websocket': 'wss' } as const

/**
 * Opens a listener and gives `accept` each connection once it is ready to carry MQTT (TLS established, WebSocket open). `accept`
 * must see to `transport.start`. Rejects with a ListenError when the address, the certificate or an option is no good.
 */
export function listen(options: SecureListenOptions, accept: Accept): Promise<SecureListener>
export function listen(options: ListenOptions, accept: Accept): Promise<Listener>
export async function listen(options: ListenOptions, accept: Accept): Promise<Listener> {
  return options.kind === 'unix' ? listenOnUnixSocket(options, accept) : listenOnNetwork(options, accept)
}

async function listenOnNetwork(options: PortListenOptions, accept: Accept): Promise<Listener> {
  const isWebSocket = options.kind === 'websocket' || options.kind === 'secure-websocket'
  const urlAt = (port: number): string => listenerUrl(options, port)
  const onError = options.onError ?? ignore
  const pending = new PendingConnections(options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS, onError)

  let stage: Stage = isWebSocket ? webSocketStage({ ...options, onError }, pending, accept) : transportStage(pending, accept)
  let update: ((certificate: CertificateOptions) => void) | undefined
  if (options.kind === 'tls' || options.kind === 'secure-websocket') {
    const context = secureContextOptions(urlAt(options.port), options)
    const tls = tlsStage(context, isWebSocket ? ['http/1.1'] : undefined, options.clientCertificates, pending, stage)
    stage = tls.stage
    update = (certificate) => {
      const { clientCertificates, minimumTlsVersion } = options
      tls.server.setSecureContext(secureContextOptions(urlAt(port), { ...certificate, clientCertificates, minimumTlsVersion }))
    }
  }
  const trustedProxies = options.proxyProtocol?.trustedProxies
  if (trustedProxies !== undefined) stage = proxied(trustedProxies, urlAt(options.port), pending, stage)

  const keepAliveSeconds = options.keepAliveSeconds ?? TCP_KEEP_ALIVE_SECONDS
  const server = createServer({ noDelay: true, keepAlive: keepAliveSeconds > 0, keepAliveInitialDelay: keepAliveSeconds * 1000 })
  const isReadyAtOnce = options.kind === 'tcp' && trustedProxies === undefined
  const begin = isReadyAtOnce ? (socket: Socket) => accept(tcpTransport(socket)) : pendingFirst(pending, stage)
  server.on('connection', (socket) => {
    // Its peer reset it while it waited to be accepted: nobody can say any more where it came from.
    if (socket.remoteAddress === undefined) socket.destroy()
    else begin(socket)
  })
  const { host = DEFAULT_HOST, reusePort = false, backlog = BACKLOG } = options
  await bind(server, { host, port: options.port, backlog, reusePort }, urlAt(options.port), onError)

  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : options.port
  const bound = { kind: options.kind, url: urlAt(port), port, server, destroyPending: (): void => pending.destroyAll() }
  return update === undefined ? new ServerListener(bound) : new SecureServerListener(bound, update)
}

/** The URL of a listener that is bound to a port. */
export function listenerUrl(options: PortListenOptions, port: number): string {
  const isWebSocket = options.kind === 'websocket' || options.kind === 'secure-websocket'
  const path = isWebSocket ? (options.path ?? DEFAULT_WEB_SOCKET_PATH) : ''
  return `${SCHEMES[options.kind]}://${urlHost(options.host ?? DEFAULT_HOST, port)}${path}`
}

/** Plain TCP has no stages to go through: a storm of connections is met at once. */
function tcpTransport(socket: Socket): Transport {
  return new SocketTransport('tcp', transportPeer(peerAddressOf(socket), undefined), socket)
}

function pendingFirst(pending: PendingConnections, stage: Stage): Stage {
  return (socket: Socket) => {
    pending.add(socket)
    stage(socket)
  }
}

function proxied(trustedProxies: readonly string[], url: string, pending: PendingConnections, next: Stage): Stage {
  try {
    return proxyStage(trustedProxies, pending, next)
  } catch (cause) {
    throw new ListenError('BAD_OPTION', url, cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function ignore(_error: Error, _peer: PeerAddress): void {
  // The program did not ask to be told.
}
