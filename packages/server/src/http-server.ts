import { createServer, type RequestListener, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ListenError, type Transport, webSocketUpgrade, type WebSocketUpgradeHandler } from '@godwit/transport'
import type { HttpConfiguration } from './configuration.ts'
import { isLoopbackOrigin } from './exposure.ts'
import type { Health } from './health.ts'

/** What strangers may take: requests here are small and answered at once. */
const HEADERS_BYTES_MAX = 8 * 1024
const HEADERS_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
const TIMEOUTS_CHECKED_EVERY_MS = 1000
const IDLE_TIMEOUT_MS = 5000
const REQUESTS_PER_CONNECTION_MAX = 1000

export interface HttpServerOptions {
  readonly configuration: HttpConfiguration
  /** Whether only pages of this machine may connect, should the configuration not name origins. */
  readonly onlyLoopbackOrigins: boolean
  readonly maxMessageBytes: number
  /** Network connections, with those that have become MQTT's. */
  readonly connectionsMax: number
  readonly health: Health
  readonly accept: (transport: Transport) => void
  readonly onError: (error: Error, peer: { readonly address: string }) => void
}

/** The HTTP port: health for whoever watches, and MQTT over WebSocket. */
export class HttpServer {
  /** `http://127.0.0.1:8083`, with the port that was bound. */
  readonly url: string
  /** Where clients connect; undefined: WebSocket is switched off. */
  readonly webSocketUrl: string | undefined
  readonly #server: Server

  constructor(server: Server, url: string, webSocketPath: string | undefined) {
    this.#server = server
    this.url = url
    this.webSocketUrl = webSocketPath === undefined ? undefined : `${url.replace('http', 'ws')}${webSocketPath}`
  }

  /** Ends the listener and the HTTP connections; MQTT's belong to the broker. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

/** @throws ListenError */
export async function listenHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, webSocket, webSocketPath } = options.configuration
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUTS_CHECKED_EVERY_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS
    },
    answerWith(() => import('./http-application.ts').then(({ httpApplication }) => httpApplication(options.health)))
  )
  server.on('connection', (socket) => {
    // Its peer reset it while it waited to be accepted: nobody can say any more where it came from.
    if (socket.remoteAddress === undefined) socket.destroy()
  })
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX
  server.maxConnections = options.connectionsMax
  if (webSocket) server.on('upgrade', upgradeHandler(options))
  await bind(server, host, port, options.onError)
  const address = server.address()
  const boundPort = address !== null && typeof address === 'object' ? address.port : port
  return new HttpServer(server, urlOf(host, boundPort), webSocket ? webSocketPath : undefined)
}

/** Answers with what the first request loads. */
function answerWith(load: () => Promise<RequestListener>): RequestListener {
  let application: Promise<RequestListener> | undefined
  return (request, response) => {
    application ??= load()
    void application.then((answer) => answer(request, response))
  }
}

/** Any page can open a WebSocket to this machine, so without configured access only the machine's own pages may. */
function upgradeHandler(options: HttpServerOptions): WebSocketUpgradeHandler {
  const { configuration, onlyLoopbackOrigins, maxMessageBytes, health, accept, onError } = options
  const { webSocketPath: path, allowedOrigins } = configuration
  const asConfigured = webSocketUpgrade({ path, allowedOrigins, maxMessageBytes, onError }, accept)
  const withoutPages = webSocketUpgrade({ path, allowedOrigins: [], maxMessageBytes, onError }, accept)
  return (request, socket: Duplex, head) => {
    const { origin } = request.headers
    const isForeign = allowedOrigins === undefined && origin !== undefined && !isLoopbackOrigin(origin)
    if (!health.isRunning) refuse(socket)
    else if (onlyLoopbackOrigins && isForeign) withoutPages(request, socket, head)
    else asConfigured(request, socket, head)
  }
}

/** The broker is not there yet, or not any more. */
function refuse(socket: Duplex): void {
  socket.on('error', () => undefined)
  socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
}

function bind(server: Server, host: string, port: number, onError: HttpServerOptions['onError']): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      reject(new ListenError(error.code ?? 'UNKNOWN', urlOf(host, port), refusal(error), { cause: error }))
    }
    server.once('error', refused)
    server.listen({ host, port }, () => {
      server.off('error', refused)
      // Without a listener, one failed accept (no file descriptors left, say) would end the process.
      server.on('error', (error) => onError(error, { address: '' }))
      resolve()
    })
  })
}

function refusal(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use by another program'
    case 'EACCES':
      return 'permission denied: ports below 1024 usually need a privilege'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved'
    default:
      return error.message
  }
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
