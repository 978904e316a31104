import { createServer, type Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { connectTransport } from './connect-transport.ts'
import { nextEvent } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import { openHandles, untilHandles } from './recorder.test.support.ts'

const afterwards = cleanupsAfterEach()

/** Those of the test runner, taken before the first test. */
const HANDLES_AT_REST = openHandles()

/** Accepts and says nothing. */
async function silentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume()
  })
  await nextEvent(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  afterwards(() => server.close())
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

describe('connectTransport', () => {
  test('names the peer', async () => {
    const listener = await listen({ kind: 'tcp', port: 0 }, (transport) => afterwards(() => transport.destroy()))
    afterwards(() => listener.close())
    for (const scheme of ['mqtt', 'tcp']) {
      const transport = await connectTransport({ url: `${scheme}://127.0.0.1:${listener.port}` })
      afterwards(() => transport.destroy())
      expect([transport.kind, transport.peer]).toEqual([
        'tcp',
        { address: '127.0.0.1', port: listener.port, certificate: undefined }
      ])
    }
  })

  test('rejects when nobody listens, whatever the kind', async () => {
    const { server, port } = await silentServer()
    server.close()
    for (const scheme of ['mqtt', 'mqtts', 'ws', 'wss']) {
      await expect(connectTransport({ url: `${scheme}://127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
    await expect(connectTransport({ url: 'unix:/nonexistent/godwit.sock' })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('rejects when the upgrade is refused', async () => {
    const listener = await listen({ kind: 'websocket', port: 0 }, () => undefined)
    afterwards(() => listener.close())
    await expect(connectTransport({ url: `ws://127.0.0.1:${listener.port}/other` })).rejects.toThrow('404')
    await expect(connectTransport({ url: listener.url, subprotocol: 'chat' })).rejects.toThrow('400')
  })

  test.each(['mqtts', 'ws', 'wss'])('gives up %s at the signal, with its reason, and leaves no handle', async (scheme) => {
    await untilHandles(HANDLES_AT_REST)
    const { server, port } = await silentServer()
    const controller = new AbortController()
    const connecting = connectTransport({ url: `${scheme}://127.0.0.1:${port}`, signal: controller.signal })
    await nextEvent(server, 'connection')
    controller.abort(new Error('enough'))
    await expect(connecting).rejects.toThrow('enough')
    await untilHandles(HANDLES_AT_REST + 1)
    expect(openHandles()).toBe(HANDLES_AT_REST + 1)
  })

  test('does not begin after the signal, nor with a scheme that it does not know', async () => {
    await expect(connectTransport({ url: 'mqtt://127.0.0.1', signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow(
      'never'
    )
    await expect(connectTransport({ url: 'http://127.0.0.1' })).rejects.toThrow(
      'the scheme must be mqtt, tcp, mqtts, tls, ws, wss or unix'
    )
  })
})
