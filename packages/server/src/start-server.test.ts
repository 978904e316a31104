import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { ListenError } from '@godwit/transport'
import { connectAsync } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import { configurationSchema } from './configuration-schema.ts'
import type { Configuration } from './configuration.ts'
import { hashPassword } from './password-hash.ts'
import type { Server } from './server.ts'
import { startServer } from './start-server.ts'
import { upgrade } from './upgrade.test.support.ts'

interface Keys {
  readonly http?: object
  readonly [key: string]: unknown
}

function configure({ http, ...others }: Keys = {}): Configuration {
  return configurationSchema.parse({
    listeners: [{ kind: 'tcp', port: 0 }],
    http: { port: 0, ...http },
    memory: true,
    ...others
  })
}

async function start(keys?: Keys): Promise<Server> {
  const server = await startServer(configure(keys))
  onTestFinished(() => server.close())
  return server
}

/** The URL of a server that begins so. */
function url(server: Server, scheme: string): string {
  const found = server.urls.find((each) => each.startsWith(`${scheme}:`))
  if (found === undefined) throw new Error(`nothing at ${scheme} among ${server.urls.join(', ')}`)
  return found
}

const healthUrl = (server: Server, path = ''): string => `${url(server, 'http')}${path}`

async function rawHttp(server: Server, text: string): Promise<string> {
  const { hostname, port } = new URL(url(server, 'http'))
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.write(text)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

async function unusedPort(): Promise<number> {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const address = free.address()
  await new Promise((resolve) => free.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('HTTP', () => {
  test('/health says that all is well, in which version, and since when', async () => {
    const server = await start()
    const response = await fetch(healthUrl(server))
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      'application/json',
      'no-store'
    ])
    expect(await response.json()).toEqual({ status: 'ok', version: server.health.version, uptimeSeconds: 0, alarms: [] })
    expect(server.health.version).toMatch(/^\d+\.\d+\.\d+/)
  })

  test.each(['/live', '/ready'])('/health%s answers 200', async (path) => {
    const response = await fetch(healthUrl(await start(), path))
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  test.each([
    ['/', 'GET'],
    ['/healthy', 'GET'],
    ['/mqtt', 'GET'],
    ['/health/ready/more', 'GET'],
    ['/health', 'POST']
  ])('%s with %s is 404, shortly and plainly', async (path, method) => {
    const response = await fetch(new URL(path, healthUrl(await start())), { method })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      404,
      'text/plain; charset=UTF-8',
      'Not found\n'
    ])
  })

  test('headers past 8 KiB are refused with 431, what is not HTTP with 400', async () => {
    const server = await start()
    const long = `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(8 * 1024)}\r\n\r\n`
    expect(await rawHttp(server, long)).toMatch(/^HTTP\/1\.1 431 /)
    expect(await rawHttp(server, '\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('can be switched off, and so can WebSocket', async () => {
    expect((await start({ http: { enabled: false } })).urls).toEqual([expect.stringMatching(/^mqtt:/)])
    const server = await start({ http: { webSocket: false } })
    expect(server.urls.filter((each) => each.startsWith('ws:'))).toEqual([])
    expect(await upgrade(new URL('/mqtt', healthUrl(server)).href)).toBe(404)
  })
})

describe('WebSocket on the HTTP port', () => {
  test.each([4, 5] as const)('carries MQTT, protocol level %i', async (protocolVersion) => {
    const server = await start({ http: { webSocketPath: '/elsewhere' } })
    expect(url(server, 'ws')).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/elsewhere$/)
    const client = await connectAsync(url(server, 'ws'), { protocolVersion, reconnectPeriod: 0 })
    expect(server.broker.counts.clients).toBe(1)
    await client.endAsync()
  })

  test.each([
    [0, ['marker']],
    [10, ['$SYS/broker/version', 'marker']]
  ])('with a sysIntervalSeconds of %i, a client finds %j', async (sysIntervalSeconds, expected) => {
    const server = await start({ sysIntervalSeconds })
    const client = await connectAsync(url(server, 'mqtt'), { reconnectPeriod: 0 })
    const topics: string[] = []
    const { promise: isMarked, resolve } = Promise.withResolvers<boolean>()
    client.on('message', (topic) => {
      topics.push(topic)
      if (topic === 'marker') resolve(true)
    })
    await client.subscribeAsync(['$SYS/broker/version', 'marker'])
    await client.publishAsync('marker', '')
    await isMarked
    expect(topics).toEqual(expected)
    await client.endAsync()
  })

  const user = { name: 'ann', passwordHash: '$scrypt$1$1$1$c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA' }
  test.each([
    ['programs, which send no origin', {}, undefined, 101],
    ['pages of this machine, without configured access', {}, 'http://localhost:5173', 101],
    ['pages of others, without configured access', {}, 'https://example.org', 403],
    ['pages of nobody, without configured access', {}, 'null', 403],
    ['pages of others, if everybody may connect', { access: { anonymous: true } }, 'https://example.org', 101],
    ['pages of others, if there are users', { access: { users: [user] } }, 'https://example.org', 101],
    ['pages that are allowed', { http: { allowedOrigins: ['https://example.org'] } }, 'https://example.org', 101],
    ['pages that are not allowed', { http: { allowedOrigins: ['https://example.org'] } }, 'http://localhost', 403],
    ['no pages at all', { http: { allowedOrigins: [] }, access: { anonymous: true } }, 'https://example.org', 403]
  ])('%s', async (_, keys, origin, status) => {
    expect(await upgrade(url(await start(keys), 'ws'), origin)).toBe(status)
  })

  test('a listener of its own lets no pages in without configured access', async () => {
    const listeners = [{ kind: 'websocket', port: 0 }]
    expect(await upgrade(url(await start({ listeners }), 'ws'), 'http://localhost')).toBe(403)
    const access = { anonymous: true }
    expect(await upgrade(url(await start({ listeners, access }), 'ws'), 'http://localhost')).toBe(101)
  })
})

describe('starting', () => {
  test('a port in use is a ListenError, and frees the ports that were bound before', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    const [mqttPort, freePort] = [await unusedPort(), await unusedPort()]
    const listeners = [{ kind: 'tcp', port: mqttPort }]
    const failed = startServer(configure({ listeners, http: { port } }))
    await expect(failed).rejects.toThrow(ListenError)
    await expect(failed).rejects.toThrow(`cannot listen on http://127.0.0.1:${port}: the port is in use by another program`)
    await start({ listeners })
    const others = startServer(configure({ listeners: [{ kind: 'tcp', port }], http: { port: freePort } }))
    await expect(others).rejects.toThrow(`cannot listen on mqtt://127.0.0.1:${port}: the port is in use by another program`)
    await start({ http: { port: freePort } })
  })

  test('strangers are not let in by default', async () => {
    await expect(startServer(configure({ http: { host: '::' } }))).rejects.toThrow(ConfigurationError)
  })
})

test('a connection that was reset before it was accepted is not heard of: nobody knows where it came from', async () => {
  const server = await start()
  const { hostname, port } = new URL(url(server, 'ws'))
  const request = ['GET /mqtt HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const fields = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: mqtt', '', '']
  const resets = `const socket = require('net').connect(${port}, '${hostname}')
    socket.write(${JSON.stringify([...request, ...fields].join('\r\n'))}, () => socket.resetAndDestroy())`
  const heardOf = once(server.broker.events, 'connectionRefused')
  // Nothing is accepted meanwhile.
  execFileSync(process.execPath, ['-e', resets])
  await upgrade(url(server, 'ws'))
  expect(await heardOf).toMatchObject([{ peer: { address: hostname } }])
})

describe('closing', () => {
  test('is alive but not ready meanwhile, and takes no new clients', async () => {
    const server = await start()
    const { hostname, port } = new URL(url(server, 'mqtt'))
    const socket: Socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    // CONNECT of a 3.1.1 client that will not close its side: the broker waits for it.
    socket.write(Buffer.from('100c00044d515454040200000000', 'hex'))
    await once(socket, 'data')
    const closing = server.close()
    const [ready, live, whole] = await Promise.all(['/ready', '/live', ''].map((path) => fetch(healthUrl(server, path))))
    expect([ready?.status, live?.status, whole?.status]).toEqual([503, 200, 200])
    expect(await ready?.json()).toEqual({ status: 'stopping' })
    expect(await upgrade(url(server, 'ws'))).toBe(503)
    socket.end()
    await closing
    await expect(fetch(healthUrl(server))).rejects.toThrow('fetch failed')
  })

  test('twice is once', async () => {
    const server = await start()
    expect(server.close()).toBe(server.close())
  })
})

describe('reloading', () => {
  test('takes other users, and names what needs a restart', async () => {
    const [secret, other] = await Promise.all(['secret', 'other'].map((password) => hashPassword(Buffer.from(password))))
    const access = (passwordHash: string | undefined) => ({ users: [{ name: 'ann', passwordHash }] })
    const server = await start({ access: access(secret) })
    const connects = (password: string) =>
      connectAsync(url(server, 'mqtt'), { username: 'ann', password, reconnectPeriod: 0 }).then((client) => client.endAsync())

    await connects('secret')
    const unchanged = { http: { port: 0 }, log: { level: 'debug' } }
    expect(server.reload(configure({ access: access(other), ...unchanged }))).toEqual([])
    await expect(connects('secret')).rejects.toThrow('Bad username or password')
    await connects('other')
    expect(server.reload(configure({ access: access(other), memory: false, limits: { clientsMax: 1 } }))).toEqual([
      'memory',
      'limits'
    ])
  })

  test('refuses to let strangers in by default, and changes nothing', async () => {
    const server = await start({ listeners: [{ kind: 'tcp', host: '0.0.0.0', port: 0 }], access: { anonymous: true } })
    expect(() => server.reload(configure())).toThrow('without configured access Godwit listens on loopback only')
    const loopback = await start({ access: { anonymous: false } })
    expect(() => loopback.reload(configure())).toThrow('access is not configured any more: that needs a restart')
  })
})
