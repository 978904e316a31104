import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { readInto } from './read-into.ts'

/** A socket that a server has accepted, and the client's end of it. */
async function acceptedSocket(): Promise<{ accepted: Socket; client: Socket; close: () => void }> {
  const server = createServer({ pauseOnConnect: true })
  const accepting = new Promise<Socket>((resolve) => server.once('connection', resolve))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  const client = connect(address.port, '127.0.0.1')
  const accepted = await accepting
  return {
    accepted,
    client,
    close() {
      client.destroy()
      accepted.destroy()
      server.close()
    }
  }
}

test('given sockets that a server has accepted, then all are read into one buffer, and the end of each stream is told', async () => {
  const buffers = new Set<ArrayBufferLike>()
  for (const text of ['one', 'another']) {
    const { accepted, client, close } = await acceptedSocket()
    let received = ''
    const isShared = readInto(accepted, (length, buffer) => {
      buffers.add(buffer.buffer)
      received += Buffer.from(buffer.subarray(0, length)).toString('latin1')
      return true
    })
    expect(isShared).toBe(true)
    accepted.resume()
    client.end(text)
    await once(accepted, 'end')
    expect(received).toBe(text)
    close()
  }
  expect(buffers.size).toBe(1)
})

test('given a socket from which something has been read, then it is left to its stream', async () => {
  const { accepted, client, close } = await acceptedSocket()
  accepted.unshift(Buffer.from('read before'))
  expect(readInto(accepted, () => true)).toBe(false)
  accepted.setEncoding('latin1').resume()
  client.end(', read later')
  let received = ''
  for await (const text of accepted) received += String(text)
  expect(received).toBe('read before, read later')
  close()
})
