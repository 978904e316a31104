import type { StandardCloseEvent, StandardWebSocket } from './standard-web-socket.ts'
import { StandardWebSocketTransport } from './standard-web-socket-transport.ts'
import type { Transport } from './transport.ts'
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from './transport-limits.ts'

export interface ConnectWebSocketOptions {
  /** `ws://host/mqtt` or `wss://host/mqtt`. User, password and fragment in it are not used here. */
  readonly url: string
  /** Gives up: the promise rejects with the signal's reason. Without one, the browser's timeout holds. */
  readonly signal?: AbortSignal | undefined
  /** The WebSocket subprotocol to offer, which the server must select. Default: `mqtt` ([5.0 MQTT-6.0.0-3]). */
  readonly subprotocol?: string | undefined
  /** A larger WebSocket message closes the connection. Default: 1,048,576. */
  readonly maxMessageBytes?: number | undefined
}

/**
 * Connects to a broker with the WebSocket of the platform: in browsers, workers, and wherever else there is one.
 * Rejects with an error of one line, which says what a page is told, and that is little: not the cause, lest pages explore networks.
 */
export async function connectWebSocket(options: ConnectWebSocketOptions): Promise<Transport> {
  const { signal, subprotocol = 'mqtt', maxMessageBytes = WEB_SOCKET_MESSAGE_BYTES_MAX } = options
  signal?.throwIfAborted()
  const url = webSocketUrl(options.url)
  const webSocket = openWebSocket(url, subprotocol)
  webSocket.binaryType = 'arraybuffer'
  const { promise, resolve, reject } = Promise.withResolvers<Transport>()
  const onAbort = (): void => {
    reject(signal?.reason)
    webSocket.close(1000, '')
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  webSocket.addEventListener('open', () => {
    signal?.removeEventListener('abort', onAbort)
    // [5.0 MQTT-6.0.0-4], [3.1.1 MQTT-6.0.0-4]
    if (webSocket.protocol !== subprotocol) {
      reject(new Error(`${place(url)} did not select the WebSocket subprotocol ${subprotocol}: it may not be an MQTT broker`))
      webSocket.close(1000, '')
      return
    }
    // Within the event: later, the first messages would have come and gone.
    resolve(
      new StandardWebSocketTransport(url.protocol === 'wss:' ? 'secure-websocket' : 'websocket', webSocket, maxMessageBytes)
    )
  })
  webSocket.addEventListener('close', (event) => {
    signal?.removeEventListener('abort', onAbort)
    reject(unreachable(url, subprotocol, event))
  })
  return promise
}

function webSocketUrl(text: string): URL {
  const url = new URL(text)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new TypeError(`a browser connects with ws: or wss:, not with ${url.protocol}`)
  }
  url.username = ''
  url.password = ''
  url.hash = ''
  return url
}

/** A browser throws at once where the page may not connect at all: its Content Security Policy, or mixed content. */
function openWebSocket(url: URL, subprotocol: string): StandardWebSocket {
  try {
    return new WebSocket(url.href, subprotocol)
  } catch (cause) {
    throw new Error(`the browser refuses to connect to ${place(url)}${mixedContentHint(url)}`, { cause })
  }
}

function unreachable(url: URL, subprotocol: string, { code, reason }: StandardCloseEvent): Error {
  const said = reason === '' ? `close code ${code}` : `close code ${code}: ${reason}`
  const certificate = url.protocol === 'wss:' ? 'its certificate is not trusted, ' : ''
  const causes = `nobody listens there, ${certificate}it does not accept this path, this page's origin or the subprotocol ${subprotocol}`
  return new Error(
    `cannot connect to ${place(url)} (${said}): a browser does not say why; either ${causes}, or the page may not connect there` +
      mixedContentHint(url)
  )
}

/** Without what may hold a secret: a query can be a signature. */
function place(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}

function mixedContentHint(url: URL): string {
  const page: unknown = Reflect.get(globalThis, 'location')
  const isSecurePage = typeof page === 'object' && page !== null && 'protocol' in page && page.protocol === 'https:'
  return isSecurePage && url.protocol === 'ws:' ? '; a page that was loaded over https: may connect with wss: only' : ''
}
