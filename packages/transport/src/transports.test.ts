import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { makeTestCertificates } from './certificates.test.support.ts'
import { connectTransport, type ConnectOptions } from './connect-transport.ts'
import { listen } from './listen.ts'
import type { ListenOptions } from './listen-options.ts'
import { memoryTransportPair } from './memory-transport.ts'
import type { Transport } from './transport.ts'
import { describeTransport, type TransportPair } from './transport.test.suite.ts'

const certificates = makeTestCertificates()

async function pairOver(options: ListenOptions, connecting: Omit<ConnectOptions, 'url'> = {}): Promise<TransportPair> {
  const { promise: accepted, resolve } = Promise.withResolvers<Transport>()
  const listener = await listen(options, resolve)
  const far = await connectTransport({ url: listener.url, ...connecting })
  return { near: await accepted, far, close: () => listener.close() }
}

describeTransport('memory', () => {
  const [near, far] = memoryTransportPair()
  return Promise.resolve({ near, far, close: () => Promise.resolve() })
})

describeTransport('tcp', () => pairOver({ kind: 'tcp', port: 0 }))

describeTransport('websocket', () => pairOver({ kind: 'websocket', port: 0 }))

describeTransport('unix', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-unix-'))
  const pair = await pairOver({ kind: 'unix', path: join(directory, 'socket') })
  const close = async (): Promise<void> => {
    await pair.close()
    rmSync(directory, { recursive: true })
  }
  return { ...pair, close }
})

describe('with certificates', () => {
  if (certificates === undefined) {
    test.skip('needs the openssl command', () => undefined)
    return
  }
  const { server, authority } = certificates
  const connecting = { tls: { ca: authority.certificate } }
  describeTransport('tls', () => pairOver({ kind: 'tls', port: 0, ...server }, connecting))
  describeTransport('secure-websocket', () => pairOver({ kind: 'secure-websocket', port: 0, ...server }, connecting))
})
