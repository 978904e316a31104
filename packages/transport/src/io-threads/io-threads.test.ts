import { afterAll, beforeAll, describe, test } from 'vitest'
import { makeTestCertificates } from '../certificates.test.support.ts'
import { connectTransport, type ConnectOptions } from '../connect-transport.ts'
import type { ListenOptions } from '../listen-options.ts'
import type { Transport } from '../transport.ts'
import { describeTransport, type TransportPair } from '../transport.test.suite.ts'
import { type IoThreads, startIoThreads } from './io-threads.ts'

const certificates = makeTestCertificates()
let threads: IoThreads

beforeAll(async () => {
  threads = await startIoThreads({ count: 2 })
})

afterAll(() => threads.close())

async function pairOver(options: ListenOptions, connecting: Omit<ConnectOptions, 'url'> = {}): Promise<TransportPair> {
  const { promise: accepted, resolve } = Promise.withResolvers<Transport>()
  const listener = await threads.listen(options, resolve)
  const far = await connectTransport({ url: listener.url, ...connecting })
  return { near: await accepted, far, close: () => listener.close() }
}

describeTransport('tcp on an I/O thread', () => pairOver({ kind: 'tcp', port: 0 }))

describeTransport('websocket on an I/O thread', () => pairOver({ kind: 'websocket', port: 0 }))

describe('with certificates', () => {
  if (certificates === undefined) {
    test.skip('needs the openssl command', () => undefined)
    return
  }
  const { server, authority } = certificates
  const connecting = { tls: { ca: authority.certificate } }
  describeTransport('tls on an I/O thread', () => pairOver({ kind: 'tls', port: 0, ...server }, connecting))
  const secureWebSocket = { kind: 'secure-websocket', port: 0, ...server } as const
  describeTransport('secure-websocket on an I/O thread', () => pairOver(secureWebSocket, connecting))
})
