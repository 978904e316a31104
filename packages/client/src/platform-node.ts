import { connectTransport, type Transport } from '@godwit/transport/connect'
import type { Clock } from './clock.ts'
import type { TransportTarget } from './options.ts'
import { makeSystemClock } from './system-clock.ts'
import { webSocketMessageBytesMax } from './web-socket-message-bytes.ts'

export { randomBytes } from './random-bytes.ts'

/** What `#platform` is in Node; `platform-browser.ts` is its equal in browsers. */
export function connectPlatformTransport(target: TransportTarget): Promise<Transport> {
  const { url, subprotocol, headers, tls, signal } = target
  return connectTransport({ url, subprotocol, headers, tls, signal, maxMessageBytes: webSocketMessageBytesMax(target) })
}

export const systemClock: Clock = makeSystemClock((callback) => {
  setImmediate(callback)
})
