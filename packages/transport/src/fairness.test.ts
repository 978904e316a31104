import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { SocketTransport } from './socket-transport.ts'

const READ_BYTES_MAX = 64 * 1024
/** Enough for the receive buffer of the flooded socket to have grown beyond what is read at once. */
const FLOOD_BYTES = 128 * 1024 * 1024
const FLOOD = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1')
  const bytes = Buffer.alloc(1024 * 1024)
  const flood = () => { while (socket.write(bytes)); }
  socket.on('drain', flood).on('error', () => {}).on('close', () => process.exit())
  flood()
`

test('given a client that sends all it can, then no more than one read of it is handled before others have their turn', async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  const flooding = spawn(process.execPath, ['-e', FLOOD, `${address.port}`], { stdio: 'inherit' })

  const mostInTurn = await new Promise<number>((resolve) => {
    let most = 0
    let inTurn = 0
    let total = 0
    server.once('connection', (socket) => {
      const transport = new SocketTransport('tcp', { address: '', port: 0, certificate: undefined }, socket)
      transport.start({
        onData({ length }) {
          if (inTurn === 0) setImmediate(() => (inTurn = 0))
          inTurn += length
          total += length
          most = Math.max(most, inTurn)
          if (total > FLOOD_BYTES) transport.destroy()
        },
        onDrain() {},
        onClose: () => resolve(most)
      })
    })
  })

  expect(mostInTurn).toBeLessThanOrEqual(READ_BYTES_MAX)
  server.close()
  if (flooding.exitCode === null) await once(flooding, 'exit')
})
