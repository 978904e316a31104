import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from './listen.ts'
import { memoryTransportPair } from './memory-transport.ts'
import { describeTransport } from './transport.test.suite.ts'
import { describeSecureTransports, pairOver } from './transport-pairs.test.support.ts'

describeTransport('memory', () => {
  const [near, far] = memoryTransportPair()
  return Promise.resolve({ near, far, close: () => Promise.resolve() })
})

describeTransport('tcp', () => pairOver(listen, { kind: 'tcp', port: 0 }))

describeTransport('websocket', () => pairOver(listen, { kind: 'websocket', port: 0 }))

describeTransport('unix', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-unix-'))
  const pair = await pairOver(listen, { kind: 'unix', path: join(directory, 'socket') })
  const close = async (): Promise<void> => {
    await pair.close()
    rmSync(directory, { recursive: true })
  }
  return { ...pair, close }
})

describeSecureTransports(listen)
