import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { connectAsync } from 'mqtt'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { configurationSchema } from './configuration-schema.ts'
import type { Configuration } from './configuration.ts'
import type { Server } from './server.ts'
import { startServer } from './start-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'godwit-io-threads-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const [certificateFile, keyFile] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
const hasCertificate = makeCertificate('first')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** False: there is no openssl command. */
function makeCertificate(name: string): boolean {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
  try {
    execFileSync('openssl', ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, '-out', certificateFile], {
      stdio: 'pipe'
    })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

function configure(): Configuration {
  const tls = { port: 0, certificateFile, keyFile }
  const secure = hasCertificate
    ? [
        { kind: 'tls', ...tls },
        { kind: 'secure-websocket', ...tls }
      ]
    : []
  const listeners = [{ kind: 'tcp', port: 0 }, { kind: 'websocket', port: 0 }, ...secure]
  return configurationSchema.parse({ listeners, http: { port: 0 }, memory: true, ioThreads: 2 })
}

async function start(): Promise<Server> {
  const server = await startServer(configure())
  cleanups.push(() => server.close())
  return server
}

describe('a server with I/O threads', () => {
  test('serves clients of all listeners, with one another', async () => {
    const server = await start()
    const urls = server.urls.filter((url) => !url.startsWith('http'))
    // The last is that of HTTP, which is on the thread that routes.
    expect(urls).toHaveLength(hasCertificate ? 5 : 3)
    const clients = await Promise.all(urls.map((url) => connectAsync(url, { reconnectPeriod: 0, rejectUnauthorized: false })))
    expect(server.broker.counts.clients).toBe(clients.length)
    const received = clients.map(
      (client) =>
        new Promise<string[]>((resolve) => {
          const topics: string[] = []
          client.on('message', (topic) => topics.push(topic) === clients.length && resolve(topics.toSorted()))
        })
    )
    for (const client of clients) await client.subscribeAsync('from/+', { qos: 1 })
    for (const [index, client] of clients.entries()) await client.publishAsync(`from/${index}`, 'x'.repeat(100_000), { qos: 2 })
    const everything = clients.map((_, index) => `from/${index}`)
    expect(await Promise.all(received)).toEqual(clients.map(() => everything))
    for (const client of clients) await client.endAsync()
  })

  test('limits count over all threads', async () => {
    const server = await startServer({ ...configure(), limits: { ...configure().limits, clientsMax: 3 } })
    cleanups.push(() => server.close())
    const url = server.urls[0] ?? ''
    const clients = await Promise.all([1, 2, 3].map(() => connectAsync(url, { reconnectPeriod: 0 })))
    await expect(connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5 })).rejects.toThrow()
    for (const client of clients) await client.endAsync()
  })

  test.skipIf(!hasCertificate)('reads a certificate again', async () => {
    const server = await start()
    const { port } = new URL(server.urls.find((url) => url.startsWith('mqtts:')) ?? '')
    expect(await subjectAt(Number(port))).toBe('first')
    makeCertificate('second')
    server.reload(configure())
    await expect.poll(() => subjectAt(Number(port))).toBe('second')
  })
})

function subjectAt(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { CN: name } = socket.getPeerCertificate().subject
      resolve(Array.isArray(name) ? name[0] : name)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
