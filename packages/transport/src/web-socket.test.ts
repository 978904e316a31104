import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { connectTransport } from './connect-transport.ts'
import { nextEvent, textContaining } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import type { WebSocketListenOptions } from './listen-options.ts'
import type { PeerAddress } from './peer-address.ts'
import { pattern, Recorder, turns } from './recorder.test.support.ts'
import type { Listener, Transport } from './transport.ts'
import { webSocketUpgrade } from './web-socket-upgrade.ts'

const afterwards = cleanupsAfterEach()

interface Listening {
  readonly listener: Listener
  readonly accepted: Promise<Transport>
  readonly reports: { readonly error: Error; readonly peer: PeerAddress }[]
}

async function listening(options: Partial<WebSocketListenOptions> = {}): Promise<Listening> {
  const { promise, resolve } = Promise.withResolvers<Transport>()
  const reports: Listening['reports'] = []
  const onError = (error: Error, peer: PeerAddress): void => void reports.push({ error, peer })
  const listener = await listen({ port: 0, ...options, kind: 'websocket', onError }, (transport) => {
    afterwards(() => transport.destroy())
    resolve(transport)
  })
  afterwards(() => listener.close())
  return { listener, accepted: promise, reports }
}

async function opened(url: string, protocols: string | string[] = 'mqtt', options: ClientOptions = {}): Promise<WebSocket> {
  const webSocket = new WebSocket(url, protocols, options)
  afterwards(() => webSocket.terminate())
  await nextEvent(webSocket, 'open')
  return webSocket
}

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'mqtt'
}

/** The HTTP answer to an upgrade that is refused. */
async function answer(
  port: number,
  path: string,
  headers: Record<string, string>
): Promise<{ status: number | undefined; body: string }> {
  const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent: false })
  request.end()
  const response = await new Promise<IncomingMessage>((resolve) => request.once('response', resolve))
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode, body }
}

describe('the WebSocket upgrade', () => {
  test.each([
    [['mqtt'], 'mqtt'],
    [['mqttv3.1'], 'mqttv3.1'],
    [['mqttv3.1', 'other', 'mqtt'], 'mqtt']
  ])('[5.0 MQTT-6.0.0-4] [3.1.1 MQTT-6.0.0-4] of a client that offers %j selects %s', async (offered, selected) => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url, offered, { perMessageDeflate: true })
    expect(webSocket.protocol).toBe(selected)
    expect(webSocket.extensions).toBe('')
    expect(await accepted).toMatchObject({ kind: 'websocket', peer: { address: '127.0.0.1', certificate: undefined } })
  })

  const { 'Sec-WebSocket-Protocol': _mqtt, ...withoutSubprotocol } = UPGRADE
  const { 'Sec-WebSocket-Key': _key, ...withoutKey } = UPGRADE
  test.each([
    [
      '[5.0 MQTT-6.0.0-3] no subprotocol',
      '/mqtt',
      withoutSubprotocol,
      400,
      'the client must offer the WebSocket subprotocol "mqtt"'
    ],
    [
      'another subprotocol',
      '/mqtt',
      { ...UPGRADE, 'Sec-WebSocket-Protocol': 'chat, mqttx' },
      400,
      'must offer the WebSocket subprotocol "mqtt"'
    ],
    ['another path', '/other', UPGRADE, 404, 'MQTT is at /mqtt'],
    ['a path below', '/mqtt/', UPGRADE, 404, 'MQTT is at /mqtt'],
    ['another protocol to upgrade to', '/mqtt', { ...UPGRADE, Upgrade: 'h2c' }, 400, 'Invalid Upgrade header'],
    ['no key', '/mqtt', withoutKey, 400, 'Missing or invalid Sec-WebSocket-Key header'],
    ['another version', '/mqtt', { ...UPGRADE, 'Sec-WebSocket-Version': '7' }, 400, 'Sec-WebSocket-Version'],
    [
      'a malformed subprotocol list',
      '/mqtt',
      { ...UPGRADE, 'Sec-WebSocket-Protocol': 'mqtt, mqtt' },
      400,
      'Sec-WebSocket-Protocol'
    ],
    [
      'another origin',
      '/mqtt',
      { ...UPGRADE, Origin: 'https://evil.example' },
      403,
      'the origin "https://evil.example" is not allowed'
    ],
    ['no upgrade', '/mqtt', {}, 426, 'must ask for an upgrade']
  ])('with %s is refused and reported', async (_name, path, headers, status, reason) => {
    const { listener, reports } = await listening({ allowedOrigins: ['https://dashboard.example'] })
    const refused = await answer(listener.port, path, headers)
    expect(refused).toMatchObject({ status, body: textContaining(reason) })
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatchObject({
      peer: { address: '127.0.0.1' },
      error: { message: textContaining(String(status)) }
    })
  })

  test('lets in the allowed origins, and programs, which have none', async () => {
    const { listener } = await listening({ allowedOrigins: ['https://Dashboard.example'] })
    await opened(listener.url, 'mqtt', { origin: 'https://dashboard.example' })
    await opened(listener.url)
  })

  test('has the path that was asked for, with any query', async () => {
    const { listener } = await listening({ path: '/ws' })
    expect(listener.url).toBe(`ws://127.0.0.1:${listener.port}/ws`)
    await opened(`${listener.url}?token=1`)
  })

  test('malformed HTTP is answered with 400, closed and reported', async () => {
    const { listener, reports } = await listening()
    const socket = connect(listener.port, '127.0.0.1')
    socket.write(Buffer.from('101000044d5154540400000000000000000000', 'hex'))
    expect(String(await nextEvent(socket, 'data'))).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    await nextEvent(socket, 'close')
    expect(reports.map(({ error }) => error.message)).toEqual([textContaining('malformed HTTP request')])
  })

  test('a request that never ends is closed in time', async () => {
    const { listener, reports } = await listening({ handshakeTimeoutMs: 30 })
    const socket = connect(listener.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write('GET /mqtt HTTP/1.1\r\n')
    await nextEvent(socket, 'close')
    expect(reports.map(({ error }) => error.message)).toEqual(['no WebSocket upgrade within 0.03 seconds'])
  })

  test('shares the port of an HTTP server that the program has', async () => {
    const server = createServer((_request, response) => response.end('health'))
    const { promise: accepted, resolve } = Promise.withResolvers<Transport>()
    const reports: Error[] = []
    const peerAddress = (): PeerAddress => ({ address: '203.0.113.9', port: 7 })
    server.on('upgrade', webSocketUpgrade({ path: '/live', peerAddress, onError: (error) => reports.push(error) }, resolve))
    await nextEvent(server.listen(0, '127.0.0.1'), 'listening')
    afterwards(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    expect(await answer(port, '/health', {})).toEqual({ status: 200, body: 'health' })
    expect(await answer(port, '/mqtt', UPGRADE)).toMatchObject({ status: 404 })
    expect(reports).toHaveLength(1)
    const far = await connectTransport({ url: `ws://127.0.0.1:${port}/live` })
    afterwards(() => far.destroy())
    const near = await accepted
    expect(near.peer).toEqual({ address: '203.0.113.9', port: 7, certificate: undefined })
    far.write(Buffer.from('hello'))
    expect((await Recorder.on(near).untilReceived(5)).toString()).toBe('hello')
  })
})

describe('a WebSocket', () => {
  test('[5.0 MQTT-6.0.0-2] [3.1.1 MQTT-6.0.0-2] carries packets split and joined across frames, and fragmented messages', async () => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url)
    const here = Recorder.on(await accepted)
    const bytes = pattern(600)
    webSocket.send(bytes.subarray(0, 1))
    webSocket.send(bytes.subarray(1, 1))
    webSocket.send(bytes.subarray(1, 200))
    webSocket.send(bytes.subarray(200, 300), { fin: false })
    webSocket.send(bytes.subarray(300, 300), { fin: false })
    webSocket.ping()
    webSocket.send(bytes.subarray(300, 301), { fin: false })
    webSocket.send(bytes.subarray(301, 600), { fin: true })
    expect(await here.untilReceived(600)).toEqual(Buffer.from(bytes))
    expect(here.chunks.every((chunk) => chunk.length > 0)).toBe(true)
  })

  test('takes a frame that arrives byte by byte, right behind the request', async () => {
    const { listener, accepted } = await listening()
    const head = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}\r\n`)
    const request = Buffer.from(`GET /mqtt HTTP/1.1\r\nHost: localhost\r\n${head.join('')}\r\n`)
    // FIN and binary, masked with 3 bytes, the mask, the bytes 7 8 9 under it.
    const frame = Buffer.from([0x82, 0x83, 1, 2, 3, 4, 7 ^ 1, 8 ^ 2, 9 ^ 3])
    const socket = connect({ port: listener.port, host: '127.0.0.1', noDelay: true })
    afterwards(() => socket.destroy())
    socket.write(Buffer.concat([request, frame]))
    for (const byte of frame) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve))
    expect(await Recorder.on(await accepted).untilReceived(6)).toEqual(Buffer.from([7, 8, 9, 7, 8, 9]))
  })

  test('sends each write as one binary message', async () => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url)
    const near = await accepted
    near.start(new Recorder())
    near.write(pattern(300))
    const [data, isBinary] = await nextEvent(webSocket, 'message')
    expect(isBinary).toBe(true)
    expect(data).toEqual(Buffer.from(pattern(300)))
  })

  test('[5.0 MQTT-6.0.0-1] [3.1.1 MQTT-6.0.0-1] closes on a text frame, and hands over nothing from it on', async () => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url)
    const here = Recorder.on(await accepted)
    webSocket.send(Buffer.from('before'))
    webSocket.send('text')
    webSocket.send(Buffer.from('after'))
    const [code, reason] = await nextEvent(webSocket, 'close')
    expect([code, String(reason)]).toEqual([1003, 'MQTT travels in binary frames'])
    expect((await here.untilClosed())?.message).toMatch(/text frame/)
    expect(here.received.toString()).toBe('before')
    await turns(10)
    expect(here.closes).toHaveLength(1)
  })

  test('a message above the bound closes with 1009 and the error', async () => {
    const { listener, accepted } = await listening({ maxMessageBytes: 1_000 })
    const webSocket = await opened(listener.url)
    const here = Recorder.on(await accepted)
    webSocket.send(pattern(1_000))
    webSocket.send(pattern(500), { fin: false })
    webSocket.send(pattern(501), { fin: true })
    expect((await nextEvent(webSocket, 'close'))[0]).toBe(1009)
    expect(await here.untilClosed()).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' })
    expect(here.receivedBytes).toBe(1_000)
  })

  test('a frame that breaks RFC 6455 closes with the error', async () => {
    const { listener, accepted } = await listening()
    const socket = connect(listener.port, '127.0.0.1')
    afterwards(() => socket.destroy())
    const webSocket = new WebSocket(listener.url, 'mqtt', { createConnection: () => socket })
    webSocket.on('error', () => undefined)
    await nextEvent(webSocket, 'open')
    const here = Recorder.on(await accepted)
    socket.write(Buffer.from([0xf2, 0x00]))
    expect(await here.untilClosed()).toMatchObject({ code: 'WS_ERR_UNEXPECTED_RSV_2_3' })
  })

  test('answers a ping with a pong, before start too', async () => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url)
    const near = await accepted
    webSocket.ping('are you there')
    near.start(new Recorder())
    expect(String((await nextEvent(webSocket, 'pong'))[0])).toBe('are you there')
  })

  test('closes with 1000', async () => {
    const { listener, accepted } = await listening()
    const webSocket = await opened(listener.url)
    const near = await accepted
    near.start(new Recorder())
    near.end()
    expect((await nextEvent(webSocket, 'close'))[0]).toBe(1000)
  })

  test.each([
    [1000, undefined],
    [1001, undefined],
    [1008, { message: 'the peer closed the WebSocket with code 1008: go away' }]
  ])('closed by the peer with %i ends with %o', async (code, error) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    afterwards(() => server.close())
    server.on('connection', (webSocket) => webSocket.close(code, 'go away'))
    await nextEvent(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const there = Recorder.on(await connectTransport({ url: `ws://127.0.0.1:${port}` }))
    const closedWith = await there.untilClosed()
    if (error === undefined) expect(closedWith).toBeUndefined()
    else expect(closedWith).toMatchObject(error)
  })

  test('a reset is the error of the close, a lost connection is a close', async () => {
    const { listener, accepted } = await listening()
    const socket = connect(listener.port, '127.0.0.1')
    const webSocket = new WebSocket(listener.url, 'mqtt', { createConnection: () => socket })
    webSocket.on('error', () => undefined)
    await nextEvent(webSocket, 'open')
    const here = Recorder.on(await accepted)
    socket.resetAndDestroy()
    expect(await here.untilClosed()).toMatchObject({ code: 'ECONNRESET' })

    const other = await listening()
    const lost = await opened(other.listener.url)
    const there = Recorder.on(await other.accepted)
    lost.terminate()
    expect(await there.untilClosed()).toBeUndefined()
  })
})
