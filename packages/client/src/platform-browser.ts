import { connectWebSocket, type Transport } from '@godwit/transport/browser'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { EndOfTask } from './end-of-task.ts'
import type { TransportTarget } from './options.ts'
import { makeSystemClock } from './system-clock.ts'
import { webSocketMessageBytesMax } from './web-socket-message-bytes.ts'

export { randomBytes } from './random-bytes.ts'

/**
 * What `#platform` is in browsers; `platform-node.ts` is its equal in Node.
 *
 * @throws {ClientError} `invalid-argument` for what a browser cannot do: other transports, HTTP headers, certificates of one's own
 */
export async function connectPlatformTransport(target: TransportTarget): Promise<Transport> {
  const { url, subprotocol, signal } = target
  const scheme = url.slice(0, url.indexOf(':') + 1).toLowerCase()
  if (scheme !== 'ws:' && scheme !== 'wss:') {
    throw new ClientError(
      'invalid-argument',
      `a browser connects with ws: or wss:, not with ${scheme === '' ? 'no scheme' : scheme}`
    )
  }
  if (target.headers !== undefined) {
    throw new ClientError('invalid-argument', 'a browser sets the HTTP headers of a WebSocket itself: leave `headers` out')
  }
  if (target.tls !== undefined) {
    throw new ClientError('invalid-argument', 'a browser checks certificates by its own rules: leave `tls` out')
  }
  return connectWebSocket({ url, subprotocol, signal, maxMessageBytes: webSocketMessageBytesMax(target) })
}

const endOfTask = new EndOfTask()

export const systemClock: Clock = makeSystemClock((callback) => endOfTask.defer(callback))
