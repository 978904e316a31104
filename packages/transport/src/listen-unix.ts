import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { bind } from './bind.ts'
import { ListenError } from './listen-error.ts'
import type { UnixListenOptions } from './listen-options.ts'
import { ServerListener } from './listener.ts'
import { NO_ADDRESS, transportPeer } from './peer-address.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Listener, Transport } from './transport.ts'
import { BACKLOG } from './transport-limits.ts'

/** The socket file goes when the listener closes (libuv removes it). */
export async function listenOnUnixSocket(options: UnixListenOptions, accept: (transport: Transport) => void): Promise<Listener> {
  const { path, mode, onError } = options
  const url = `unix:${path}`
  const peer = transportPeer(NO_ADDRESS, undefined)
  const server = createServer((socket) => accept(new SocketTransport('unix', peer, socket)))
  const where = { path, backlog: options.backlog ?? BACKLOG }
  try {
    await bind(server, where, url, onError)
  } catch (error) {
    if (!(error instanceof ListenError) || error.code !== 'EADDRINUSE') throw error
    if (!isSocket(path)) throw new ListenError('EADDRINUSE', url, 'the file exists and is not a socket', { cause: error })
    if (!(await isStale(path))) throw error
    unlinkSync(path)
    await bind(server, where, url, onError)
  }
  if (mode !== undefined) {
    try {
      chmodSync(path, mode)
    } catch (cause) {
      server.close()
      throw new ListenError('BAD_OPTION', url, `the mode of the socket cannot be set to 0o${mode.toString(8)}`, { cause })
    }
  }
  return new ServerListener({ kind: 'unix', url, port: 0, server, destroyPending: () => undefined })
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? true
}

/** A socket file outlives the process that crashed; then nobody answers. */
function isStale(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = connect({ path })
  probe.once('connect', () => {
    probe.destroy()
    resolve(false)
  })
  probe.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'))
  return promise
}
