import type { MemoryTransport } from '@godwit/transport'
import { expect, test } from 'vitest'
import { SimNetwork, type NetworkShape } from './sim-network.ts'

interface Recorded {
  readonly chunks: string[]
  closed: boolean
}

function record(transport: MemoryTransport): Recorded {
  const recorded: Recorded = { chunks: [], closed: false }
  transport.start({
    onData: (chunk) => recorded.chunks.push(Buffer.from(chunk).toString()),
    onDrain() {},
    onClose: () => {
      recorded.closed = true
    }
  })
  return recorded
}

function settle(network: SimNetwork): void {
  while (network.step());
}

/** What a server gets of two clients that each write two pieces, under a network shape. */
function twoClients(shape: NetworkShape): { readonly streams: string[]; readonly arrivals: string[] } {
  const network = new SimNetwork(shape)
  const arrivals: string[] = []
  const streams = ['', '']
  for (const index of [0, 1]) {
    const [server, client] = network.connect()
    server.start({
      onData: (chunk) => {
        const text = Buffer.from(chunk).toString()
        arrivals.push(text)
        streams[index] += text
      },
      onDrain() {},
      onClose() {}
    })
    client.write(Buffer.from(`${index}-one `))
    client.write(Buffer.from(`${index}-two`))
  }
  settle(network)
  return { streams, arrivals }
}

test('nothing moves but by steps', () => {
  const network = new SimNetwork('whole')
  const [server, client] = network.connect()
  const received = record(server)
  client.write(Buffer.from('hello'))
  expect(received.chunks).toEqual([])
  expect(network.step()).toBe(true)
  expect(received.chunks).toEqual(['hello'])
  expect(network.step()).toBe(false)
})

test('whole: what was written arrives in one chunk, connections in turn', () => {
  expect(twoClients('whole').arrivals).toEqual(['0-one 0-two', '1-one 1-two'])
})

test('bytes: every byte arrives alone, in order', () => {
  const { streams, arrivals } = twoClients('bytes')
  expect(arrivals.every((chunk) => chunk.length === 1)).toBe(true)
  expect(streams).toEqual(['0-one 0-two', '1-one 1-two'])
})

test('bytes: a long stream is not cut into single bytes for ever', () => {
  const network = new SimNetwork('bytes')
  const [server, client] = network.connect()
  const received = record(server)
  client.write(Buffer.alloc(1_000_000, 'x'))
  settle(network)
  expect(received.chunks.join('')).toHaveLength(1_000_000)
  expect(received.chunks.length).toBeLessThan(4000)
})

test('a seed cuts and interleaves, always in the same way, and loses nothing', () => {
  const histories = Array.from({ length: 20 }, (_, seed) => twoClients({ seed }))
  for (const [seed, { streams, arrivals }] of histories.entries()) {
    expect(streams).toEqual(['0-one 0-two', '1-one 1-two'])
    expect(twoClients({ seed }).arrivals).toEqual(arrivals)
  }
  expect(new Set(histories.map(({ arrivals }) => arrivals.join('|'))).size).toBeGreaterThan(5)
})

test('the end of a stream comes after its bytes', () => {
  const network = new SimNetwork('bytes')
  const [server, client] = network.connect()
  const received = record(server)
  record(client)
  client.write(Buffer.from('bye'))
  client.end()
  settle(network)
  expect(received).toEqual({ chunks: ['b', 'y', 'e'], closed: true })
})
