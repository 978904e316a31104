import { createServer, type Server } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { type WebSocket as PeerWebSocket, WebSocketServer } from 'ws'
import { connectWebSocket, type ConnectWebSocketOptions } from './browser.ts'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { nextEvent, textContaining } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import { openHandles, pattern, Recorder, turns, untilHandles } from './recorder.test.support.ts'
import { describeTransport } from './transport.test.suite.ts'
import type { Transport } from './transport.ts'
import { HELD_BYTES_MAX, HELD_MESSAGE_OVERHEAD_BYTES } from './transport-limits.ts'

// Node's global WebSocket is the one of browsers: same interface, same freedoms.
describeTransport(
  'the WebSocket of browsers',
  async () => {
    const { promise: accepted, resolve } = Promise.withResolvers<Transport>()
    const listener = await listen({ kind: 'websocket', port: 0 }, resolve)
    const far = await connectWebSocket({ url: listener.url })
    return { near: await accepted, far, close: () => listener.close() }
  },
  { holdingBack: true, dropping: true }
)

const afterwards = cleanupsAfterEach()

/** A server that does what a test wants, also what Godwit's listener would not. */
async function serving(options: { readonly selects?: string | false } = {}): Promise<{ url: string; server: WebSocketServer }> {
  const { selects = 'mqtt' } = options
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => selects })
  afterwards(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await nextEvent(server, 'listening')
  return { url: `ws://127.0.0.1:${portOf(server)}/mqtt`, server }
}

function portOf(server: Pick<WebSocketServer | Server, 'address'>): number {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function connected(options: Partial<ConnectWebSocketOptions> = {}): Promise<{ transport: Transport; peer: PeerWebSocket }> {
  const { url, server } = await serving()
  const accepted = new Promise<PeerWebSocket>((resolve) => server.once('connection', resolve))
  const transport = await connectWebSocket({ url, ...options })
  afterwards(() => transport.destroy())
  return { transport, peer: await accepted }
}

describe('connecting from a browser', () => {
  test('offers the subprotocol that is asked for, and sends neither user nor password', async () => {
    const { url, server } = await serving({ selects: 'mqttv3.1' })
    const requested = nextEvent(server, 'headers')
    const withUser = url.replace('ws://', 'ws://user:password@')
    const transport = await connectWebSocket({ url: `${withUser}#here`, subprotocol: 'mqttv3.1' })
    afterwards(() => transport.destroy())
    const [, request] = await requested
    expect(request).toMatchObject({ url: '/mqtt', headers: { 'sec-websocket-protocol': 'mqttv3.1' } })
    expect(request).not.toHaveProperty('headers.authorization')
    expect([transport.kind, transport.peer]).toEqual(['websocket', { address: '', port: 0, certificate: undefined }])
  })

  test('[5.0 MQTT-6.0.0-4] refuses a server that does not select the subprotocol', async () => {
    const { url } = await serving({ selects: false })
    await expect(connectWebSocket({ url })).rejects.toThrow(/WebSocket subprotocol mqtt|cannot connect/)
  })

  test('says in one line, without secrets, what is known when nobody listens or the upgrade is refused', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end())
    await nextEvent(server.listen(0, '127.0.0.1'), 'listening')
    const url = `ws://user:password@127.0.0.1:${portOf(server)}/mqtt?signature=secret`
    const expected = new RegExp(
      `^cannot connect to ws://127\\.0\\.0\\.1:${portOf(server)}/mqtt \\(close code 1006\\): a browser does not say why; either nobody ` +
        `listens there, it does not accept this path, this page's origin or the subprotocol mqtt, or the page may not connect there$`
    )
    await expect(connectWebSocket({ url })).rejects.toThrow(expected)
    server.close()
    await nextEvent(server, 'close')
    await expect(connectWebSocket({ url })).rejects.toThrow(expected)
  })

  test('tells of certificates with wss:, and of mixed content on a page that came over https:', async () => {
    const { url } = await serving()
    await expect(connectWebSocket({ url: url.replace('ws:', 'wss:') })).rejects.toThrow('its certificate is not trusted')
    afterwards(() => vi.unstubAllGlobals())
    vi.stubGlobal('location', { protocol: 'https:' })
    await expect(connectWebSocket({ url: url.replace('ws:', 'wss:') })).rejects.not.toThrow('loaded over https:')
    vi.stubGlobal('WebSocket', function refusing() {
      throw new DOMException(
        'An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.',
        'SecurityError'
      )
    })
    await expect(connectWebSocket({ url })).rejects.toThrow(
      `the browser refuses to connect to ${url}; a page that was loaded over https: may connect with wss: only`
    )
  })

  test('knows no other scheme', async () => {
    for (const url of ['mqtt://127.0.0.1', 'https://127.0.0.1', 'unix:/run/godwit.sock']) {
      await expect(connectWebSocket({ url })).rejects.toThrow('a browser connects with ws: or wss:, not with')
    }
  })

  test('gives up at the signal, with its reason, and leaves no handle', async () => {
    const server = createServer()
    const sockets = nextEvent(server, 'upgrade')
    await nextEvent(server.listen(0, '127.0.0.1'), 'listening')
    afterwards(() => server.close())
    const handles = openHandles()
    const controller = new AbortController()
    const url = `ws://127.0.0.1:${portOf(server)}/mqtt`
    const connecting = connectWebSocket({ url, signal: controller.signal })
    await sockets
    controller.abort(new Error('enough'))
    await expect(connecting).rejects.toThrow('enough')
    server.closeAllConnections()
    await untilHandles(handles)
    await expect(connectWebSocket({ url, signal: controller.signal })).rejects.toThrow('enough')
  })
})

describe('a connection that a browser cannot hold back', () => {
  test('keeps what comes while paused, and hands it over in order, pausing again where it is told to', async () => {
    const { transport, peer } = await connected()
    const received: number[] = []
    const recorder = new Recorder()
    transport.start({
      onData(chunk): void {
        recorder.onData(chunk)
        received.push(chunk[0] ?? -1)
        if (received.length % 2 === 0) transport.pause()
      },
      onDrain: () => recorder.onDrain(),
      onClose: (error) => recorder.onClose(error)
    })
    transport.pause()
    for (let index = 0; index < 6; index++) peer.send(Uint8Array.of(index))
    peer.close(1000)
    await nextEvent(peer, 'close')
    await turns(5)
    expect(received).toEqual([])
    for (const count of [2, 4, 6]) {
      expect(recorder.closes).toEqual([])
      transport.resume()
      await recorder.untilReceived(count)
      await turns(5)
      expect(received).toEqual([0, 1, 2, 3, 4, 5].slice(0, count))
    }
    expect(await recorder.untilClosed()).toBeUndefined()
  })

  test('is closed when more comes than is kept, after what was kept has been handed over', async () => {
    const { transport, peer } = await connected()
    const recorder = Recorder.on(transport)
    transport.pause()
    await turns(1)
    const chunk = pattern(1024 * 1024 - HELD_MESSAGE_OVERHEAD_BYTES)
    for (let sent = 0; sent < HELD_BYTES_MAX; sent += 1024 * 1024) peer.send(chunk)
    peer.send(Uint8Array.of(1))
    const closed = nextEvent(peer, 'close')
    const reason = `the peer sent more than ${HELD_BYTES_MAX} bytes while reading was paused: a browser cannot hold it back`
    const [code, said] = await closed
    expect([code, String(said)]).toEqual([4008, reason])
    expect([recorder.receivedBytes, recorder.closes]).toEqual([0, []])
    transport.resume()
    expect(await recorder.untilClosed()).toEqual(new Error(reason))
    expect(recorder.receivedBytes).toBe(chunk.length * (HELD_BYTES_MAX / (1024 * 1024)))
  })

  test('counts small messages as more than their bytes', async () => {
    const { transport, peer } = await connected()
    const recorder = Recorder.on(transport)
    transport.pause()
    const messages = Math.floor(HELD_BYTES_MAX / (1 + HELD_MESSAGE_OVERHEAD_BYTES))
    for (let index = 0; index <= messages; index++) peer.send(Uint8Array.of(index & 0xff))
    await nextEvent(peer, 'close')
    transport.resume()
    expect(await recorder.untilClosed()).toMatchObject({ message: textContaining('while reading was paused') })
    expect(recorder.receivedBytes).toBe(messages)
  })
})

describe('what a peer may not do', () => {
  test('[5.0 MQTT-6.0.0-1] send text', async () => {
    const { transport, peer } = await connected()
    const recorder = Recorder.on(transport)
    peer.send('CONNACK')
    expect(await recorder.untilClosed()).toEqual(new Error('the peer sent a WebSocket text frame: MQTT travels in binary frames'))
    expect((await nextEvent(peer, 'close'))[0]).toBe(4003)
  })

  test('send a message above the bound', async () => {
    const { transport, peer } = await connected({ maxMessageBytes: 100 })
    const recorder = Recorder.on(transport)
    peer.send(pattern(100))
    peer.send(pattern(101))
    expect(await recorder.untilClosed()).toEqual(
      new Error('the peer sent a WebSocket message of 101 bytes: at most 100 are accepted')
    )
    expect(recorder.receivedBytes).toBe(100)
    expect((await nextEvent(peer, 'close'))[0]).toBe(4009)
  })

  test.each([
    ['no word', (peer: PeerWebSocket) => peer.terminate(), 'the connection was lost without a WebSocket close frame (1006)'],
    ['a code', (peer: PeerWebSocket) => peer.close(1011), 'the peer closed the WebSocket with code 1011'],
    ['a reason', (peer: PeerWebSocket) => peer.close(4000, 'too late'), 'the peer closed the WebSocket with code 4000: too late']
  ])('close with %s, unheard', async (_name, close, message) => {
    const { transport, peer } = await connected()
    const recorder = Recorder.on(transport)
    close(peer)
    expect(await recorder.untilClosed()).toEqual(new Error(message))
  })
})

describe('what leaves a browser', () => {
  test('corked writes are one message, and large ones are not joined', async () => {
    const { transport, peer } = await connected()
    Recorder.on(transport)
    const sizes: number[] = []
    const done = new Promise((resolve) => {
      peer.on('message', (data: Buffer) => {
        if (sizes.push(data.length) === 4) resolve(sizes)
      })
    })
    transport.cork()
    for (const length of [2, 3, 5, 65_526, 1, 70_000, 4]) transport.write(pattern(length))
    transport.uncork()
    await done
    expect(sizes).toEqual([65_536, 1, 70_000, 4])
  })

  test('bytes in memory that is shared with other threads do too', async () => {
    const { transport, peer } = await connected()
    const received = nextEvent(peer, 'message')
    const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 3)
    shared.set([1, 2, 3])
    transport.write(shared)
    expect((await received)[0]).toEqual(Buffer.from([1, 2, 3]))
  })

  test('what was corked when it was destroyed does not', async () => {
    const { transport, peer } = await connected()
    const recorder = Recorder.on(transport)
    const received: unknown[] = []
    peer.on('message', (data) => received.push(data))
    transport.cork()
    transport.write(pattern(10))
    transport.destroy()
    transport.uncork()
    await nextEvent(peer, 'close')
    expect(received).toEqual([])
    expect([recorder.closes, transport.bufferedBytes]).toEqual([[undefined], 0])
  })
})
