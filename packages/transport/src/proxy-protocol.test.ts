import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { makeTestCertificates } from './certificates.test.support.ts'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { nextEvent } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import type { ListenOptions } from './listen-options.ts'
import type { PeerAddress } from './peer-address.ts'
import { proxyV2 } from './proxy-header.test.support.ts'
import { Recorder } from './recorder.test.support.ts'
import type { Listener, Transport } from './transport.ts'

const certificates = makeTestCertificates()
const V1 = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 56324 1883\r\n')
const V2 = proxyV2(0x21, 0x11, Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x07, 0x5b]))
const SOURCE = { address: '192.0.2.1', port: 56324 }
const proxyProtocol = { trustedProxies: ['10.0.0.0/8', '127.0.0.1', '::1'] }

interface Report {
  readonly error: Error
  readonly peer: PeerAddress
}

const afterwards = cleanupsAfterEach()

async function listening(
  options: ListenOptions
): Promise<{ listener: Listener; accepted: Promise<Transport>; reported: Promise<Report> }> {
  const accepted = Promise.withResolvers<Transport>()
  const reported = Promise.withResolvers<Report>()
  const onError = (error: Error, peer: PeerAddress): void => reported.resolve({ error, peer })
  const listener = await listen({ ...options, onError }, (transport) => {
    afterwards(() => transport.destroy())
    accepted.resolve(transport)
  })
  afterwards(() => listener.close())
  return { listener, accepted: accepted.promise, reported: reported.promise }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  afterwards(() => socket.destroy())
  await nextEvent(socket, 'connect')
  return socket
}

describe('a listener behind a proxy', () => {
  test.each([
    ['v1', V1],
    ['v2', V2]
  ])('names the client that a %s header tells, and passes on what follows', async (_version, header) => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    socket.write(Buffer.concat([header, Buffer.from('first')]))
    const transport = await accepted
    expect(transport.peer).toEqual({ ...SOURCE, certificate: undefined })
    const recorder = Recorder.on(transport)
    socket.write(' second')
    expect((await recorder.untilReceived(12)).toString()).toBe('first second')
    transport.write(Buffer.from('answer'))
    expect(String(await nextEvent(socket, 'data'))).toBe('answer')
  })

  test('takes a header that comes byte by byte', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    for (const byte of Buffer.concat([V2, Buffer.from('after')])) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve))
    }
    const transport = await accepted
    expect(transport.peer).toMatchObject(SOURCE)
    expect((await Recorder.on(transport).untilReceived(5)).toString()).toBe('after')
  })

  test('takes the proxy itself for the peer when it speaks for itself', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    socket.write(proxyV2(0x20, 0, Buffer.alloc(0)))
    expect((await accepted).peer).toMatchObject({ address: '127.0.0.1', port: socket.localPort })
  })

  test('reads the header before the HTTP request of a WebSocket', async () => {
    const { listener, accepted } = await listening({ kind: 'websocket', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    socket.write(V1)
    const webSocket = new WebSocket(listener.url, 'mqtt', { createConnection: () => socket })
    webSocket.on('open', () => webSocket.send(Buffer.from('hello')))
    const transport = await accepted
    expect(transport.peer).toMatchObject(SOURCE)
    expect((await Recorder.on(transport).untilReceived(5)).toString()).toBe('hello')
  })

  test.skipIf(certificates === undefined).each(['tls', 'secure-websocket'] as const)(
    'reads the header before TLS (%s)',
    async (kind) => {
      if (certificates === undefined) return
      const { server, authority } = certificates
      const { listener, accepted } = await listening({ kind, port: 0, proxyProtocol, ...server })
      const socket = await connected(listener.port)
      socket.write(V2)
      const secure = connectTls({ socket, ca: authority.certificate, servername: 'localhost' })
      afterwards(() => secure.destroy())
      if (kind === 'tls') {
        secure.write('hello')
      } else {
        const webSocket = new WebSocket(listener.url, 'mqtt', { createConnection: () => secure })
        webSocket.on('open', () => webSocket.send(Buffer.from('hello')))
      }
      const transport = await accepted
      expect(transport.peer).toMatchObject(SOURCE)
      expect(transport.kind).toBe(kind)
      expect((await Recorder.on(transport).untilReceived(5)).toString()).toBe('hello')
    }
  )

  test('reports a TLS failure with the address behind the proxy', async (context) => {
    if (certificates === undefined) return context.skip('needs the openssl command')
    const { listener, reported } = await listening({ kind: 'tls', port: 0, proxyProtocol, ...certificates.server })
    const socket = await connected(listener.port)
    socket.write(Buffer.concat([V2, Buffer.from('this is not TLS at all')]))
    const { error, peer } = await reported
    expect(error.message).toMatch(/^TLS handshake failed: /)
    expect(peer).toEqual(SOURCE)
  })

  test('closes and reports a connection without a header', async () => {
    const { listener, reported } = await listening({ kind: 'tcp', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    const address = { address: '127.0.0.1', port: socket.localPort }
    socket.write(Buffer.from('101000044d515454040000000000', 'hex'))
    const { error, peer } = await reported
    expect(error.message).toMatch(/does not begin with a PROXY header/)
    expect(peer).toEqual(address)
    await closed(socket)
  })

  test('closes and reports a header that does not come in time', async () => {
    const { listener, reported } = await listening({ kind: 'tcp', port: 0, proxyProtocol, handshakeTimeoutMs: 30 })
    const socket = await connected(listener.port)
    socket.write(V1.subarray(0, -1))
    expect((await reported).error.message).toBe('no PROXY header within 0.03 seconds')
    await closed(socket)
  })

  test('closes and reports a header that the peer breaks off', async () => {
    const { listener, reported } = await listening({ kind: 'tcp', port: 0, proxyProtocol })
    const socket = await connected(listener.port)
    socket.end(V1.subarray(0, 20))
    expect((await reported).error.message).toBe('closed by the peer before the PROXY header was complete')
  })

  test('closes and reports a peer that is not a trusted proxy, whatever it sends', async () => {
    const { listener, reported } = await listening({ kind: 'tcp', port: 0, proxyProtocol: { trustedProxies: ['192.0.2.0/24'] } })
    const socket = await connected(listener.port)
    socket.write(V1)
    expect((await reported).error.message).toMatch(/not a trusted proxy/)
    await closed(socket)
  })

  test.each(['10.0.0.0/33', 'proxy.example', '10.0.0.1/8/8', '::/129', '10.0.0.0/', ''])('refuses to trust %j', async (entry) => {
    const listener = listen({ kind: 'tcp', port: 0, proxyProtocol: { trustedProxies: [entry] } }, () => undefined)
    await expect(listener).rejects.toMatchObject({ name: 'ListenError', code: 'BAD_OPTION' })
    await expect(listener).rejects.toThrow(`trusted proxy '${entry}'`)
  })
})

/** By a FIN or a reset: both are a close. */
async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  socket.resume()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}
