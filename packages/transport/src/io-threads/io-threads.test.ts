import { afterAll, beforeAll } from 'vitest'
import { describeTransport } from '../transport.test.suite.ts'
import { describeSecureTransports, type Listen, pairOver } from '../transport-pairs.test.support.ts'
import { type IoThreads, startIoThreads } from './io-threads.ts'

let threads: IoThreads
const listen: Listen = (options, accept) => threads.listen(options, accept)

beforeAll(async () => {
  threads = await startIoThreads({ count: 2 })
})

afterAll(() => threads.close())

describeTransport('tcp on an I/O thread', () => pairOver(listen, { kind: 'tcp', port: 0 }))

describeTransport('websocket on an I/O thread', () => pairOver(listen, { kind: 'websocket', port: 0 }))

describeSecureTransports(listen, ' on an I/O thread')
