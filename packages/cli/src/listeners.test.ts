import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { type IClientOptions, connectAsync } from 'mqtt'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasOpenssl, makeCertificate } from './certificates.test.support.ts'
import { type Godwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const { directory } = bench

/** CONNECT, 3.1.1, without Keep Alive, ClientID empty; and what accepts it. */
const CONNECT = Buffer.from('100c00044d515454040200000000', 'hex')
const CONNACK = Buffer.from('20020000', 'hex')

/** Serves with a configuration file of listeners, and without HTTP. */
function serve(listeners: string, ...args: readonly string[]): Promise<Godwit> {
  const file = bench.file('listeners.yaml', `memory: true\nhttp: { enabled: false }\n${listeners}\n`)
  return bench.serve('--config', file, ...args)
}

async function answer(socket: Socket, ...bytes: readonly (Buffer | string)[]): Promise<Buffer> {
  bench.cleanup(() => socket.destroy())
  for (const each of bytes) socket.write(each)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A connection with unread bytes may be reset rather than closed.
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('data', resolve).once('close', resolve))
  return Buffer.concat(chunks)
}

test('several of a kind, in the order of the file', async () => {
  const godwit = await serve(
    'listeners: [{ kind: tcp, port: 0 }, { kind: websocket, port: 0, path: /ws }, { kind: tcp, port: 0, host: "::1" }]'
  )
  const urls = [...godwit.stdout.matchAll(/(?:mqtt|ws):\/\/\S+/g)].map(([url]) => url)
  expect(urls.map((url) => url.replace(/:\d+(?=\/|$)/, ''))).toEqual(['mqtt://127.0.0.1', 'ws://127.0.0.1/ws', 'mqtt://[::1]'])
  for (const url of urls) await (await connectAsync(url, { reconnectPeriod: 0 })).endAsync()
})

test('--host and --port change the TCP listener of the file; --unix-socket adds one', async () => {
  const path = join(directory, 'flag.sock')
  const flags = ['--host', 'localhost', '--port', '0', '--unix-socket', 'flag.sock']
  const godwit = await serve('listeners: [{ kind: websocket, port: 0 }, { kind: tcp, host: 192.0.2.1, port: 1 }]', ...flags)
  expect(godwit.stdout).toMatch(new RegExp(`ws://127.0.0.1:\\d+/mqtt\\n +mqtt://localhost:\\d+\\n +unix:${path}\\n`))
  expect(await answer(connect(path), CONNECT)).toEqual(CONNACK)
})

test('a Unix socket, with its permissions; it is gone afterwards', async () => {
  const godwit = await serve("listeners: [{ kind: unix, path: ./godwit.sock, mode: '600' }]")
  const path = join(directory, 'godwit.sock')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await answer(connect(path), CONNECT)).toEqual(CONNACK)
  expect(await godwit.stop()).toEqual([0, null])
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
})

describe('PROXY protocol', () => {
  const listeners = (trusted: string) =>
    `access: { anonymous: true }\nlisteners: [{ kind: tcp, port: 0, proxyProtocol: { trustedProxies: [${trusted}] } }]`

  test('from a trusted proxy: the client has the address that the header tells', async () => {
    const godwit = await serve(listeners('127.0.0.0/8'))
    const header = 'PROXY TCP4 203.0.113.7 192.0.2.1 50000 1883\r\n'
    expect(await answer(connect(godwit.port('mqtt'), '127.0.0.1'), header, CONNECT)).toEqual(CONNACK)
    expect(await godwit.printed('stderr', /client connected .*\n/)).toContain(' peer=203.0.113.7 ')
  })

  test.each([
    ['from elsewhere', '10.0.0.0/8', 'not a trusted proxy'],
    ['without a header', '127.0.0.1', 'PROXY']
  ])('%s: the connection is closed, and the log says why', async (_, trusted, reason) => {
    const godwit = await serve(listeners(trusted))
    expect(await answer(connect(godwit.port('mqtt'), '127.0.0.1'), CONNECT)).toEqual(Buffer.alloc(0))
    const line = await godwit.printed('stderr', /connection failed before MQTT .*\n/)
    expect(line).toContain(' peer=127.0.0.1 ')
    expect(line).toContain(reason)
  })
})

describe.skipIf(!hasOpenssl())('TLS (needs openssl)', () => {
  beforeAll(() => {
    makeCertificate(directory, 'authority')
    makeCertificate(directory, 'strangers')
    makeCertificate(directory, 'server', 'authority')
    makeCertificate(directory, 'renewed', 'authority')
    makeCertificate(directory, 'device-1', 'authority')
    makeCertificate(directory, 'device-2', 'strangers')
  })

  const read = (name: string) => readFileSync(join(directory, name))
  const certificateOf = (name: string) => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) })
  const files = 'certificateFile: server.pem, keyFile: server.key'

  async function connects(godwit: Godwit, scheme: string, options: IClientOptions = {}): Promise<void> {
    const connected = await connectAsync(godwit.url(scheme), { ca: read('authority.pem'), ...options }, false)
    await connected.endAsync()
  }

  test.each([
    ['mqtts', `{ kind: tls, port: 0, ${files} }`],
    ['wss', `{ kind: secure-websocket, port: 0, path: /secure, ${files}, minimumTlsVersion: TLSv1.3 }`]
  ])('%s', async (scheme, listener) => {
    const godwit = await serve(`listeners: [${listener}]`)
    await connects(godwit, scheme)
    await connects(godwit, scheme, { protocolVersion: 5 })
  })

  test('with flags alone', async () => {
    const flags = ['--tls-port', '0', '--tls-cert', 'server.pem', '--tls-key', 'server.key']
    const godwit = await bench.serve('--memory', '--port', '0', '--http-port', '0', ...flags)
    await connects(godwit, 'mqtts')
  })

  test.each(['tls', 'secure-websocket'])('%s that requires certificates takes those of its authority alone', async (kind) => {
    const required = `caFile: authority.pem, clientCertificates: required, host: 0.0.0.0`
    const godwit = await serve(`listeners: [{ kind: ${kind}, port: 0, ${files}, ${required} }]`)
    const scheme = kind === 'tls' ? 'mqtts' : 'wss'
    const at = { host: '127.0.0.1', hostname: '127.0.0.1' }
    await connects(godwit, scheme, { ...certificateOf('device-1'), ...at })
    await expect(connects(godwit, scheme, at)).rejects.toThrow(/./)
    await expect(connects(godwit, scheme, { ...certificateOf('device-2'), ...at })).rejects.toThrow(/./)
    await godwit.printed('stderr', /reason="the client presented no certificate"/)
    await godwit.printed('stderr', /reason="the client's certificate is refused: /)
  })

  test('SIGHUP reads the certificate again; one that is no good is not used', async () => {
    const [pem, key] = ['current.pem', 'current.key']
    const use = (name: string): void => {
      bench.file(pem, read(`${name}.pem`).toString())
      bench.file(key, read(`${name}.key`).toString())
    }
    use('server')
    const godwit = await serve(`listeners: [{ kind: tls, port: 0, certificateFile: ${pem}, keyFile: ${key} }]`)
    const presented = async (): Promise<unknown> => {
      const socket = connectTls({ port: godwit.port('mqtts'), host: '127.0.0.1', ca: read('authority.pem') })
      await once(socket, 'secureConnect')
      const { subject } = socket.getPeerCertificate()
      socket.destroy()
      return subject.CN
    }
    expect(await presented()).toBe('server')
    use('renewed')
    godwit.child.kill('SIGHUP')
    await godwit.printed('stderr', /INFO {2}certificate read again listener=mqtts:.*\n/)
    expect(await presented()).toBe('renewed')
    bench.file(pem, 'hello')
    godwit.child.kill('SIGHUP')
    await godwit.printed(
      'stderr',
      /ERROR the certificate is no good; the one in use stays listener=mqtts:.* reason=".*not a PEM certificate.*\n/
    )
    expect(await presented()).toBe('renewed')
  })
})
