import { describe, test } from 'vitest'
import { makeTestCertificates } from './certificates.test.support.ts'
import type { ConnectOptions } from './connect-options.ts'
import { connectTransport } from './connect-transport.ts'
import type { ListenOptions } from './listen-options.ts'
import type { Listener, Transport } from './transport.ts'
import { describeTransport, type TransportPair } from './transport.test.suite.ts'

/** Opens a listener, wherever it puts its sockets. */
export type Listen = (options: ListenOptions, accept: (transport: Transport) => void) => Promise<Listener>

/** Both ends of a connection over a listener of its own. */
export async function pairOver(
  listen: Listen,
  options: ListenOptions,
  connecting: Omit<ConnectOptions, 'url'> = {}
): Promise<TransportPair> {
  const { promise: accepted, resolve } = Promise.withResolvers<Transport>()
  const listener = await listen(options, resolve)
  const far = await connectTransport({ url: listener.url, ...connecting })
  return { near: await accepted, far, close: () => listener.close() }
}

/** @param where what to add to the names of the kinds */
export function describeSecureTransports(listen: Listen, where = ''): void {
  describe('with certificates', () => {
    const certificates = makeTestCertificates()
    if (certificates === undefined) {
      test.skip('needs the openssl command', () => undefined)
      return
    }
    const { server, authority } = certificates
    const connecting = { tls: { ca: authority.certificate } }
    for (const kind of ['tls', 'secure-websocket'] as const) {
      describeTransport(`${kind}${where}`, () => pairOver(listen, { kind, port: 0, ...server }, connecting))
    }
  })
}
