import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { cleanupsAfterEach } from './cleanup.test.support.ts'
import { connectTransport } from './connect-transport.ts'
import { nextEvent, textContaining, textMatching } from './expectations.test.support.ts'
import { listen } from './listen.ts'
import type { ListenOptions } from './listen-options.ts'
import { Recorder, turns } from './recorder.test.support.ts'
import type { Listener, Transport } from './transport.ts'
import { LINGER_MS } from './transport-limits.ts'

const afterwards = cleanupsAfterEach()

async function listening(options: ListenOptions): Promise<{ listener: Listener; accepted: Promise<Transport> }> {
  const { promise, resolve } = Promise.withResolvers<Transport>()
  const listener = await listen(options, (transport) => {
    afterwards(() => transport.destroy())
    resolve(transport)
  })
  afterwards(() => listener.close())
  return { listener, accepted: promise }
}

function refusal(options: ListenOptions): Promise<unknown> {
  return listen(options, () => undefined).then(
    (listener) => listener.close(),
    (error: unknown) => error
  )
}

describe('listen on TCP', () => {
  test('tells the port that the operating system chose, and the peer', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0 })
    expect(listener).toMatchObject({ kind: 'tcp', url: `mqtt://127.0.0.1:${listener.port}` })
    expect(listener.port).toBeGreaterThan(0)
    const socket = connect(listener.port, '127.0.0.1')
    afterwards(() => socket.destroy())
    const { peer, kind } = await accepted
    expect({ peer, kind }).toEqual({
      peer: { address: '127.0.0.1', port: socket.localPort, certificate: undefined },
      kind: 'tcp'
    })
  })

  test('tells IPv4 peers of a dual-stack listener in IPv4', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', host: '::', port: 0 })
    expect(listener.url).toBe(`mqtt://[::]:${listener.port}`)
    const socket = connect(listener.port, '127.0.0.1')
    afterwards(() => socket.destroy())
    expect((await accepted).peer.address).toBe('127.0.0.1')
  })

  test.each(['tcp', 'websocket'] as const)(
    'given a %s peer that reset its connection before it was accepted, then there is no transport without an address, nor a report',
    async (kind) => {
      const reports: Error[] = []
      const { listener, accepted } = await listening({ kind, port: 0, onError: (error) => reports.push(error) })
      const resets = `const socket = require('net').connect(${listener.port}, '127.0.0.1', () => socket.resetAndDestroy())`
      // Nothing is accepted meanwhile.
      execFileSync(process.execPath, ['-e', resets])
      const far = await connectTransport({ url: listener.url })
      afterwards(() => far.destroy())
      expect((await accepted).peer.address).toBe('127.0.0.1')
      expect(reports).toEqual([])
    }
  )

  test('close frees the port, keeps connections that are handed over, and may be called again', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0 })
    const far = await connectTransport({ url: listener.url })
    afterwards(() => far.destroy())
    const near = await accepted
    await listener.close()
    await listener.close()
    await (await listening({ kind: 'tcp', port: listener.port })).listener.close()
    const there = Recorder.on(far)
    near.write(Buffer.from('still here'))
    expect((await there.untilReceived(10)).toString()).toBe('still here')
    await expect(connectTransport({ url: listener.url })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('close ends connections that are not handed over yet, without a report', async () => {
    const reports: Error[] = []
    const options = { kind: 'websocket', port: 0, onError: (error: Error) => reports.push(error) } as const
    const { listener } = await listening(options)
    const socket = connect(listener.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    await nextEvent(socket, 'connect')
    await new Promise((resolve) => socket.write('GET /mqtt HTTP/1.1\r\n', resolve))
    await turns(20)
    await listener.close()
    await nextEvent(socket, 'close')
    expect(reports).toEqual([])
  })

  test('a reset is the error of the close, not of the process', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0 })
    const socket = connect(listener.port, '127.0.0.1')
    const here = Recorder.on(await accepted)
    socket.resetAndDestroy()
    expect(await here.untilClosed()).toMatchObject({ code: 'ECONNRESET' })
    await turns(10)
    expect(here.closes).toHaveLength(1)
  })

  test('writing to a peer that is gone is the error of the close', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0 })
    const socket = connect(listener.port, '127.0.0.1')
    const near = await accepted
    const here = Recorder.on(near)
    near.pause()
    socket.resetAndDestroy()
    await nextEvent(socket, 'close')
    for (let written = 0; written < 50 && here.closes.length === 0; written++) {
      near.write(Buffer.alloc(1_000))
      await turns(2)
    }
    expect(await here.untilClosed()).toMatchObject({ code: textMatching(/EPIPE|ECONNRESET/) })
  })

  test('end does not wait for ever for a peer that never closes', async () => {
    const { listener, accepted } = await listening({ kind: 'tcp', port: 0 })
    const socket = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
    afterwards(() => socket.destroy())
    const near = await accepted
    const here = Recorder.on(near)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    afterwards(() => vi.useRealTimers())
    near.write(Buffer.from('bye'))
    near.end()
    expect(String(await nextEvent(socket, 'data'))).toBe('bye')
    while (vi.getTimerCount() === 0) await turns(1)
    vi.advanceTimersByTime(LINGER_MS - 1)
    await turns(20)
    expect(here.closes).toEqual([])
    vi.advanceTimersByTime(1)
    expect(await here.untilClosed()).toBeUndefined()
  })

  test.each([
    [
      { kind: 'tcp', host: '192.0.2.77', port: 0 },
      'EADDRNOTAVAIL',
      'cannot listen on mqtt://192.0.2.77:0: this machine has no such address'
    ],
    [{ kind: 'tcp', port: 70_000 }, 'ERR_SOCKET_BAD_PORT', 'cannot listen on mqtt://127.0.0.1:70000: the port is not 0 to 65535'],
    [
      { kind: 'websocket', host: 'nowhere.invalid', port: 0, path: '/x' },
      textMatching(/ENOTFOUND|EAI_AGAIN/),
      'cannot listen on ws://nowhere.invalid:0/x: the host name cannot be resolved'
    ]
  ] satisfies [ListenOptions, unknown, string][])('%o rejects with one clear line', async (options, code, message) => {
    expect(await refusal(options)).toMatchObject({ name: 'ListenError', code, message })
  })

  test('a port in use rejects with one clear line', async () => {
    const { listener } = await listening({ kind: 'tcp', port: 0 })
    expect(await refusal({ kind: 'websocket', port: listener.port })).toMatchObject({
      code: 'EADDRINUSE',
      url: `ws://127.0.0.1:${listener.port}/mqtt`,
      message: `cannot listen on ws://127.0.0.1:${listener.port}/mqtt: the port is in use by another program`
    })
  })
})

describe('listen on a Unix socket', () => {
  function socketPath(): string {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-unix-'))
    afterwards(() => rmSync(directory, { recursive: true, force: true }))
    return join(directory, 'godwit.sock')
  }

  test('has a URL, a mode and no port, and removes its file on close', async () => {
    const path = socketPath()
    const { listener, accepted } = await listening({ kind: 'unix', path, mode: 0o640 })
    expect(listener).toMatchObject({ kind: 'unix', url: `unix:${path}`, port: 0 })
    expect(statSync(path).mode & 0o777).toBe(0o640)
    const far = await connectTransport({ url: `unix://${path}` })
    afterwards(() => far.destroy())
    expect((await accepted).peer).toEqual({ address: '', port: 0, certificate: undefined })
    await listener.close()
    expect(existsSync(path)).toBe(false)
  })

  test('replaces the file that a crashed process left', async () => {
    const path = socketPath()
    const crashed = createServer()
    await nextEvent(crashed.listen(`${path}.moved`), 'listening')
    renameSync(`${path}.moved`, path)
    crashed.close()
    expect(statSync(path).isSocket()).toBe(true)
    const { listener, accepted } = await listening({ kind: 'unix', path })
    const far = await connectTransport({ url: listener.url })
    afterwards(() => far.destroy())
    await accepted
  })

  test('leaves the socket of a living process alone', async () => {
    const path = socketPath()
    const { listener } = await listening({ kind: 'unix', path })
    expect(await refusal({ kind: 'unix', path })).toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on unix:${path}: the socket ${path} is in use by another program`
    })
    const far = await connectTransport({ url: listener.url })
    far.destroy()
  })

  test('leaves another kind of file alone', async () => {
    const path = socketPath()
    writeFileSync(path, 'precious')
    expect(await refusal({ kind: 'unix', path })).toMatchObject({
      code: 'EADDRINUSE',
      message: textContaining('is not a socket')
    })
    expect(existsSync(path)).toBe(true)
  })

  test('names a directory that does not exist, and a path that is too long', async () => {
    expect(await refusal({ kind: 'unix', path: '/nonexistent/godwit.sock' })).toMatchObject({
      message: 'cannot listen on unix:/nonexistent/godwit.sock: the directory /nonexistent does not exist'
    })
    const path = `${socketPath()}${'x'.repeat(200)}`
    expect(await refusal({ kind: 'unix', path })).toMatchObject({
      message: textMatching(/does not accept the path, which has \d+ bytes/)
    })
  })
})
