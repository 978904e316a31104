import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { makeTestCertificates } from '../certificates.test.support.ts'
import { cleanupsAfterEach } from '../cleanup.test.support.ts'
import { connectTransport } from '../connect-transport.ts'
import type { ListenOptions } from '../listen-options.ts'
import { pattern, Recorder } from '../recorder.test.support.ts'
import type { Listener, Transport } from '../transport.ts'
import { type IoThreads, startIoThreads } from './io-threads.ts'

const certificates = makeTestCertificates()
const afterwards = cleanupsAfterEach()

interface Pool {
  readonly threads: IoThreads
  readonly workers: readonly Worker[]
  readonly lost: Error[]
}

async function pool(count: number): Promise<Pool> {
  const workers: Worker[] = []
  const lost: Error[] = []
  const remember = (worker: Worker): void => void workers.push(worker)
  process.on('worker', remember)
  afterwards(() => process.off('worker', remember))
  const threads = await startIoThreads({ count, onThreadLost: (error) => lost.push(error) })
  afterwards(() => threads.close())
  return { threads, workers, lost }
}

/** A listener whose connections send back what they receive. */
async function echoes(threads: IoThreads, options: ListenOptions = { kind: 'tcp', port: 0 }): Promise<EchoListener> {
  const accepted: Transport[] = []
  const closes: (Error | undefined)[] = []
  const listener = await threads.listen(options, (transport) => {
    accepted.push(transport)
    transport.start({
      onData: (chunk) => void (transport.write(chunk) || transport.pause()),
      onDrain: () => transport.resume(),
      onClose: (error) => closes.push(error)
    })
  })
  return { listener, accepted, closes }
}

interface EchoListener {
  readonly listener: Listener
  readonly accepted: Transport[]
  readonly closes: (Error | undefined)[]
}

async function dial({ port }: Listener): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  afterwards(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function isEchoed(socket: Socket, text: string): Promise<boolean> {
  socket.write(text)
  return (await nextText(socket)) === text
}

function nextText(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    socket.once('close', () => reject(new Error('the connection is closed')))
  })
}

describe('threads', () => {
  test.each([0, -1, 1.5, 65, Number.NaN])('%d of them are refused', async (count) => {
    await expect(startIoThreads({ count })).rejects.toThrow(`there may be 1 to 64 I/O threads, not ${count}`)
  })

  test.each(['darwin', 'win32'] as const)('where they cannot share a port (%s) there is one, which works', async (platform) => {
    const threads = await startIoThreads({ count: 4 }, platform)
    afterwards(() => threads.close())
    expect(threads.count).toBe(1)
    const { listener } = await echoes(threads)
    expect(await isEchoed(await dial(listener), 'hello')).toBe(true)
  })

  test('share the port that the first one was given, and the connections', async () => {
    const { threads } = await pool(3)
    const { listener, accepted } = await echoes(threads)
    const sockets = await Promise.all(Array.from({ length: 60 }, () => dial(listener)))
    const answers = await Promise.all(sockets.map((socket, index) => isEchoed(socket, `hello ${index}`)))
    expect(answers.every(Boolean)).toBe(true)
    expect(new Set(accepted.map(({ peer }) => peer.port))).toEqual(new Set(sockets.map(({ localPort }) => localPort)))
  })

  test('carry many connections at once, each with its own bytes', async () => {
    const { threads } = await pool(2)
    const { listener, accepted, closes } = await echoes(threads)
    const bytes = 50_000
    const clients = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const transport = await connectTransport({ url: listener.url })
        const recorder = Recorder.on(transport)
        for (let at = 0; at < bytes; at += 5_000) transport.write(pattern(5_000, at + index))
        const received = await recorder.untilReceived(bytes)
        transport.end()
        await recorder.untilClosed()
        return received.equals(pattern(bytes, index))
      })
    )
    expect(clients.every(Boolean)).toBe(true)
    await expect.poll(() => closes).toEqual(accepted.map(() => undefined))
  })

  test('a Unix socket stays on the calling thread', async () => {
    const { threads } = await pool(1)
    const { listener } = await echoes(threads, { kind: 'unix', path: join(tmpdir(), `godwit-io-${process.pid}`) })
    afterwards(() => listener.close())
    const transport = await connectTransport({ url: listener.url })
    afterwards(() => transport.destroy())
    const recorder = Recorder.on(transport)
    transport.write(pattern(10))
    await recorder.untilReceived(10)
  })

  test('end a connection in order with everything that is in flight', async () => {
    const { threads } = await pool(2)
    const { promise, resolve } = Promise.withResolvers<Transport>()
    const listener = await threads.listen({ kind: 'tcp', port: 0 }, resolve)
    const far = await connectTransport({ url: listener.url })
    const there = Recorder.on(far)
    const near = await promise
    const here = Recorder.on(near)
    const bytes = pattern(5_000_000)
    near.write(bytes)
    near.end()
    await listener.close()
    await here.untilClosed()
    expect(here.closes).toEqual([undefined])
    await there.untilClosed()
    expect(there.received.equals(bytes)).toBe(true)
    await threads.close()
  })

  test('when they are stopped, what is still open closes with an error', async () => {
    const { threads, lost } = await pool(1)
    const { listener, closes } = await echoes(threads)
    const socket = await dial(listener)
    await isEchoed(socket, 'hello')
    await threads.close()
    expect(closes).toEqual([expect.objectContaining({ message: 'the I/O thread of the connection was stopped' })])
    expect(lost).toEqual([])
    await expect(threads.listen({ kind: 'tcp', port: 0 }, () => undefined)).rejects.toThrow('the I/O threads are closed')
  })
})

describe('a peer', () => {
  test('that ends its side closes the connection, behind what it sent', async () => {
    const { threads } = await pool(1)
    const { promise, resolve } = Promise.withResolvers<Transport>()
    const listener = await threads.listen({ kind: 'tcp', port: 0 }, resolve)
    const socket = await dial(listener)
    socket.end('goodbye')
    const here = Recorder.on(await promise)
    expect(await here.untilClosed()).toBeUndefined()
    expect(here.received.toString()).toBe('goodbye')
  })

  test('that resets the connection is the error of its close, with the code', async () => {
    const { threads } = await pool(1)
    const { listener, closes } = await echoes(threads)
    const socket = await dial(listener)
    await isEchoed(socket, 'hello')
    socket.resetAndDestroy()
    await expect.poll(() => closes).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
  })
})

describe('listening', () => {
  test('a port in use is refused, even if its owner would share it', async () => {
    const first = await pool(2)
    const second = await pool(2)
    const { listener } = await echoes(first.threads)
    const { port } = listener
    const refused = second.threads.listen({ kind: 'tcp', port }, () => undefined)
    await expect(refused).rejects.toMatchObject({ name: 'ListenError', code: 'EADDRINUSE' })
    await expect(refused).rejects.toThrow(`cannot listen on mqtt://127.0.0.1:${port}: the port is in use by another program`)
    const socket = await dial(listener)
    expect(await isEchoed(socket, 'still mine')).toBe(true)
  })

  test('a listener that is closed frees its port, and keeps its connections', async () => {
    const { threads } = await pool(2)
    const { listener } = await echoes(threads)
    const socket = await dial(listener)
    await isEchoed(socket, 'before')
    await listener.close()
    const other = createServer().listen(listener.port, '127.0.0.1')
    afterwards(() => other.close())
    await once(other, 'listening')
    expect(await isEchoed(socket, 'after')).toBe(true)
  })

  test('a connection that fails before it is ready is reported', async () => {
    const { threads } = await pool(1)
    const { promise, resolve } = Promise.withResolvers<{ error: Error; address: string }>()
    const onError = (error: Error, { address }: { address: string }): void => resolve({ error, address })
    const listener = await threads.listen({ kind: 'websocket', port: 0, handshakeTimeoutMs: 30, onError }, () => undefined)
    await dial(listener)
    const { error, address } = await promise
    expect([error.message, address]).toEqual(['no WebSocket upgrade within 0.03 seconds', '127.0.0.1'])
  })

  test('PROXY protocol tells the engine who the peer is', async () => {
    const { threads } = await pool(1)
    const { listener, accepted } = await echoes(threads, { kind: 'tcp', port: 0, proxyProtocol: { trustedProxies: [] } })
    const socket = await dial(listener)
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 1883\r\nhello')
    expect(await nextText(socket)).toBe('hello')
    expect(accepted.map(({ peer }) => [peer.address, peer.port])).toEqual([['192.0.2.7', 4711]])
  })
})

describe('a thread that ends', () => {
  test('takes its connections with it, and is followed by another that listens', async () => {
    const { threads, workers, lost } = await pool(1)
    const { listener, closes } = await echoes(threads)
    const socket = await dial(listener)
    await isEchoed(socket, 'hello')
    await workers[0]?.terminate()
    await expect.poll(() => lost.length).toBe(1)
    expect(closes).toEqual([expect.objectContaining({ message: 'the I/O thread of the connection ended' })])
    if (!socket.closed) await once(socket, 'close')
    await expect.poll(async () => isServed(listener), { timeout: 5_000 }).toBe(true)
    expect(workers).toHaveLength(2)
  })

  test('leaves the connections of the others alone', async () => {
    const { threads, workers, lost } = await pool(2)
    const { listener } = await echoes(threads)
    const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(listener)))
    await Promise.all(sockets.map((socket) => isEchoed(socket, 'hello')))
    await workers[0]?.terminate()
    await expect.poll(() => lost.length).toBe(1)
    await expect.poll(() => sockets.some(({ closed }) => closed)).toBe(true)
    const survivors = sockets.filter(({ closed, readyState }) => !closed && readyState === 'open')
    expect(survivors.length).toBeGreaterThan(0)
    expect(survivors.length).toBeLessThan(sockets.length)
    const echoed = await Promise.all(survivors.map((socket) => isEchoed(socket, 'still here')))
    expect(echoed.every(Boolean)).toBe(true)
  })
})

async function isServed(listener: Listener): Promise<boolean> {
  const socket = connect(listener.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return await isEchoed(socket, 'hello')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

describe('TLS', () => {
  if (certificates === undefined) {
    test.skip('needs the openssl command', () => undefined)
    return
  }
  const { server, renewed, authority, client } = certificates
  const secured = { kind: 'tls', port: 0, ...server } as const

  test('a certificate of the client is told to the engine', async () => {
    const { threads } = await pool(2)
    const options = { ...secured, ca: authority.certificate, clientCertificates: 'required' } as const
    const { listener, accepted } = await echoes(threads, options)
    const tls = { ca: authority.certificate, certificate: client.certificate, key: client.key }
    const transport = await connectTransport({ url: listener.url, tls })
    afterwards(() => transport.destroy())
    await expect.poll(() => accepted.length).toBe(1)
    expect(accepted[0]?.peer.certificate).toMatchObject({ commonName: 'device-1', issuer: 'CN=Authority,O=Godwit' })
  })

  test('another certificate is served by all threads, and by one that starts later', async () => {
    const { threads, workers, lost } = await pool(2)
    const listener = await threads.listen(secured, (transport) => transport.destroy())
    expect(await names(listener, 12)).toEqual(new Set(['localhost']))
    listener.updateCertificate(renewed)
    await expect.poll(() => names(listener, 12)).toEqual(new Set(['renewed.localhost']))
    await workers[0]?.terminate()
    await expect.poll(() => lost.length).toBe(1)
    await expect.poll(() => workers.length).toBe(3)
    await expect.poll(() => names(listener, 12), { timeout: 5_000 }).toEqual(new Set(['renewed.localhost']))
    expect(() => listener.updateCertificate({ ...renewed, key: server.key })).toThrow(
      'the key does not belong to the certificate'
    )
    expect(await names(listener, 4)).toEqual(new Set(['renewed.localhost']))
  })

  test('a session begun on one thread is resumed on any', async () => {
    const { threads } = await pool(2)
    const { listener } = await echoes(threads, secured)
    const options = { port: listener.port, host: '127.0.0.1', ca: authority.certificate, maxVersion: 'TLSv1.2' } as const
    const first = connectTls(options)
    afterwards(() => first.destroy())
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve))
    for (let count = 0; count < 12; count++) {
      const socket = connectTls({ ...options, session })
      await once(socket, 'secureConnect')
      expect(socket.isSessionReused()).toBe(true)
      socket.destroy()
    }
  })

  /** The common names that a listener shows to so many clients. */
  async function names({ port }: Listener, clients: number): Promise<Set<unknown>> {
    const found = new Set<unknown>()
    for (let count = 0; count < clients; count++) {
      const socket = connectTls({ port, host: '127.0.0.1', ca: authority.certificate, checkServerIdentity: () => undefined })
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve))
      found.add(socket.getPeerCertificate().subject?.CN)
      socket.destroy()
    }
    return found
  }
})
