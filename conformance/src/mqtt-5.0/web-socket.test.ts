import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { encodePacket, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, fromHex, publish, type Scenario, scenario, subscribe, toHex } from '@godwit/testkit'
import { expect } from 'vitest'
import { WebSocket } from 'ws'

const CONNECT = encodePacket(connect({ clientId: 'browser' }), ProtocolVersion.Mqtt5)
const PINGREQ = 'c0 00'

/** A listener on loopback, of the scenario's broker, and what stops it. */
async function listens({ broker }: Scenario): Promise<{ readonly url: string; readonly stops: () => Promise<void> }> {
  const listener = await broker.running.listen({ kind: 'websocket', host: '127.0.0.1', port: 0 })
  return { url: listener.url, stops: async () => await listener.close() }
}

/** A WebSocket whose bytes are collected; the broker's time is the scenario's, so every wait lets it settle. */
class Browser {
  readonly socket: WebSocket
  readonly #settles: () => Promise<void>
  readonly messages: { readonly isBinary: boolean }[] = []
  #received = Buffer.alloc(0)
  closeCode = 0

  constructor(url: string, protocols: string[], settles: () => Promise<void>) {
    this.#settles = settles
    this.socket = new WebSocket(url, protocols)
    this.socket.on('message', (data, isBinary) => {
      this.messages.push({ isBinary })
      if (Buffer.isBuffer(data)) this.#received = Buffer.concat([this.#received, data])
    })
    this.socket.on('close', (code) => (this.closeCode = code))
  }

  async opens(): Promise<void> {
    await once(this.socket, 'open')
  }

  async receives(hex: string): Promise<void> {
    const expected = fromHex(hex)
    while (this.#received.byteLength < expected.byteLength && this.socket.readyState === WebSocket.OPEN) await this.#settles()
    expect(toHex(this.#received.subarray(0, expected.byteLength))).toBe(toHex(expected))
    this.#received = this.#received.subarray(expected.byteLength)
  }

  /** Takes the CONNACK, whatever it says of limits. */
  async isAccepted(): Promise<void> {
    while (this.#received.byteLength < 2 && this.socket.readyState === WebSocket.OPEN) await this.#settles()
    const length = 2 + (this.#received[1] ?? 0)
    expect(toHex(this.#received.subarray(0, 1))).toBe('20')
    expect(this.#received[3]).toBe(0)
    this.#received = this.#received.subarray(length)
  }

  async isClosed(): Promise<void> {
    while (this.socket.readyState !== WebSocket.CLOSED) await this.#settles()
  }

  async closes(): Promise<void> {
    this.socket.close()
    await this.isClosed()
  }
}

const ONCE = { networks: ['whole'] } as const

scenario(
  '[5.0 MQTT-6.0.0-1] [5.0 MQTT-6.0.0-4] MQTT over WebSocket: subprotocol mqtt, binary frames both ways',
  ONCE,
  async (scene) => {
    const { url, stops } = await listens(scene)
    const browser = new Browser(url, ['other', 'mqtt'], scene.settles)
    await browser.opens()
    expect(browser.socket.protocol).toBe('mqtt')
    browser.socket.send(CONNECT)
    await browser.isAccepted()
    browser.socket.send(encodePacket(subscribe(1, ['t']), ProtocolVersion.Mqtt5))
    await browser.receives('90 04 00 01 00 00')
    const publisher = await scene.connects()
    await publisher.publishes('t', 'a')
    await browser.receives('30 05 00 01 74 00 61')
    expect(browser.messages.every(({ isBinary }) => isBinary)).toBe(true)
    await browser.closes()
    await stops()
  }
)

scenario('[5.0 MQTT-6.0.0-1] a text frame ends the connection, and is not looked at', ONCE, async (scene) => {
  const { url, stops } = await listens(scene)
  const watcher = await scene.connects()
  await watcher.subscribes('#')
  const browser = new Browser(url, ['mqtt'], scene.settles)
  await browser.opens()
  browser.socket.send(CONNECT)
  await browser.isAccepted()
  browser.socket.send(Buffer.from(encodePacket(publish('t', 'x'), ProtocolVersion.Mqtt5)).toString('latin1'))
  await browser.isClosed()
  expect(browser.closeCode).toBe(1003)
  await watcher.receivesNothing()
  await stops()
})

scenario('[5.0 MQTT-6.0.0-2] packets may be split over frames, and joined in one, in any way', ONCE, async (scene) => {
  const { url, stops } = await listens(scene)
  const watcher = await scene.connects()
  await watcher.subscribes('t', { qos: 1 })
  const browser = new Browser(url, ['mqtt'], scene.settles)
  await browser.opens()
  for (const byte of CONNECT) browser.socket.send(Uint8Array.of(byte))
  await browser.isAccepted()
  const stream = Buffer.concat(
    [1, 2, 3].map((packetIdentifier) =>
      encodePacket(publish('t', `${packetIdentifier}`, { qos: 1, packetIdentifier }), ProtocolVersion.Mqtt5)
    )
  )
  browser.socket.send(stream)
  for (const at of [1, 2, 5, 11, stream.byteLength - 1]) {
    browser.socket.send(stream.subarray(0, at))
    browser.socket.send(new Uint8Array(0))
    browser.socket.send(Buffer.concat([stream.subarray(at), fromHex(PINGREQ)]))
  }
  const acknowledgements = '40 02 00 01 40 02 00 02 40 02 00 03'
  await browser.receives(acknowledgements)
  for (let round = 0; round < 5; round++) await browser.receives(`${acknowledgements} d0 00`)
  for (let round = 0; round < 6; round++) {
    for (const payload of ['1', '2', '3']) await watcher.receives({ type: PacketType.Publish, payload })
  }
  await browser.closes()
  await stops()
})

scenario('[5.0 MQTT-6.0.0-2] a packet may come in the fragments of one message', ONCE, async (scene) => {
  const { url, stops } = await listens(scene)
  const browser = new Browser(url, ['mqtt'], scene.settles)
  await browser.opens()
  browser.socket.send(CONNECT.subarray(0, 5), { fin: false, binary: true })
  browser.socket.send(CONNECT.subarray(5), { fin: true, binary: true })
  await browser.isAccepted()
  await browser.closes()
  await stops()
})

scenario('[5.0 MQTT-6.0.0-3] a client that does not offer the subprotocol mqtt is refused', ONCE, async (scene) => {
  const { url, stops } = await listens(scene)
  for (const protocols of [[], ['other'], ['MQTT']]) {
    const { socket } = new Browser(url, protocols, scene.settles)
    const [error] = await once(socket, 'error').catch((reason: unknown) => [reason])
    expect(String(error)).toContain('400')
  }
  await stops()
})

scenario('[5.0 MQTT-3.1.2-8] a WebSocket that closes without DISCONNECT leaves its will behind', ONCE, async (scene) => {
  const { url, stops } = await listens(scene)
  const watcher = await scene.connects()
  await watcher.subscribes('will')
  const browser = new Browser(url, ['mqtt'], scene.settles)
  await browser.opens()
  const packet = connect({ clientId: 'browser', will: { topicName: 'will', payload: 'gone' } })
  browser.socket.send(encodePacket(packet, ProtocolVersion.Mqtt5))
  await browser.isAccepted()
  await browser.closes()
  while (watcher.inbox.length === 0) await scene.settles()
  await watcher.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone' })
  await stops()
})

scenario('[5.0 MQTT-4.2.0-1] TCP carries the bytes in order and without loss, both ways', ONCE, async ({ broker, settles }) => {
  const listener = await broker.running.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
  const socket = connectSocket(listener.port, '127.0.0.1')
  let received = Buffer.alloc(0)
  socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])))
  await once(socket, 'connect')
  socket.write(CONNECT)
  socket.write(encodePacket(subscribe(1, ['t']), ProtocolVersion.Mqtt5))
  const sent: Uint8Array[] = []
  for (let message = 0; message < 500; message++) {
    sent.push(encodePacket(publish('t', `${message}`.repeat(100)), ProtocolVersion.Mqtt5))
  }
  socket.write(Buffer.concat(sent))
  const expected = Buffer.concat(sent)
  while (received.byteLength < expected.byteLength && !socket.closed) await settles()
  while (!received.subarray(-expected.byteLength).equals(expected) && !socket.closed) await settles()
  expect(received.subarray(-expected.byteLength).equals(expected)).toBe(true)
  socket.destroy()
  await once(socket, 'close')
  await listener.close()
})
