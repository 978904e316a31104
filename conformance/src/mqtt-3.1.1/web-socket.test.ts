import { encodePacket, type Packet, PINGREQ } from '@godwit/protocol'
import { connect, fromHex, publish, scenario, type Scenario, subscribe, toHex } from '@godwit/testkit'
import { expect } from 'vitest'
import { WebSocket } from 'ws'

/** Far more turns of the event loop than a loopback connection takes for anything here. */
const TURNS_MAX = 500_000

type Stage = Pick<Scenario, 'broker' | 'settles'>

/** Resolves once something has become true of the real sockets, while the broker's simulated turns go on. */
async function until({ settles }: Pick<Stage, 'settles'>, what: string, isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn++) {
    if (turn === TURNS_MAX) expect.fail(`still waiting: ${what}`)
    await settles()
  }
}

/** An MQTT client of bytes over a WebSocket of the `ws` library. */
class WebSocketClient implements Disposable {
  readonly webSocket: WebSocket
  readonly #stage: Stage
  #received = Buffer.alloc(0)
  #closeCode: number | undefined
  #error: Error | undefined

  constructor(stage: Stage, url: string, protocols: string[]) {
    this.#stage = stage
    this.webSocket = new WebSocket(url, protocols)
    this.webSocket.on('message', (data, isBinary) => {
      if (!isBinary || !Buffer.isBuffer(data)) this.#error = new Error('the server sent something other than a binary frame')
      else this.#received = Buffer.concat([this.#received, data])
    })
    this.webSocket.on('close', (code) => (this.#closeCode = code))
    this.webSocket.on('error', (error) => (this.#error = error))
  }

  async opens(): Promise<void> {
    await until(this.#stage, 'the WebSocket opens', () => this.webSocket.readyState === WebSocket.OPEN)
  }

  async connects(clientId: string): Promise<void> {
    this.sends(connect({ version: 4, clientId }))
    await this.receives('20 02 00 00')
  }

  /** One frame with these packets. */
  sends(...packets: readonly Packet[]): void {
    this.sendsFrame(Buffer.concat(packets.map((packet) => encodePacket(packet, 4))))
  }

  /** @param fin false: more frames of this message follow */
  sendsFrame(bytes: Uint8Array, fin = true): void {
    this.webSocket.send(bytes, { binary: true, fin })
  }

  /** Takes as many bytes as given, in hexadecimal, which have to be these; however they were cut into frames. */
  async receives(hex: string): Promise<void> {
    const { byteLength } = fromHex(hex)
    await until(this.#stage, `${hex} arrives`, () => this.#received.byteLength >= byteLength || this.#error !== undefined)
    if (this.#error !== undefined) throw this.#error
    const received = this.#received.subarray(0, byteLength)
    this.#received = this.#received.subarray(byteLength)
    expect(toHex(received)).toBe(toHex(fromHex(hex)))
  }

  async isClosed(code: number): Promise<void> {
    await until(this.#stage, 'the WebSocket closes', () => this.#closeCode !== undefined)
    expect(this.#closeCode).toBe(code)
    expect(this.#received).toHaveLength(0)
  }

  async isRefused(): Promise<string> {
    await until(this.#stage, 'the upgrade is refused', () => this.#error !== undefined)
    return this.#error?.message ?? ''
  }

  [Symbol.dispose](): void {
    this.webSocket.terminate()
  }
}

async function listens({ broker }: Stage): Promise<string> {
  const { url } = await broker.running.listen({ kind: 'websocket', host: '127.0.0.1', port: 0 })
  return url
}

async function opened(stage: Stage, url: string, protocols: string[] = ['mqtt']): Promise<WebSocketClient> {
  const client = new WebSocketClient(stage, url, protocols)
  await client.opens()
  return client
}

// Real sockets: one network will do.
const networks = ['whole'] as const

scenario(
  '[3.1.1 MQTT-6.0.0-1] MQTT travels in binary frames; a text frame closes the connection',
  { networks },
  async (stage) => {
    const url = await listens(stage)
    using client = await opened(stage, url)
    await client.connects('device')
    client.sends(PINGREQ)
    await client.receives('d0 00')
    client.webSocket.send('\u00c0\0')
    await client.isClosed(1003)
    expect(stage.broker.running.counts.clients).toBe(0)
  }
)

scenario('[3.1.1 MQTT-6.0.0-1] a text frame in place of CONNECT closes the connection', { networks }, async (stage) => {
  const url = await listens(stage)
  using client = await opened(stage, url)
  client.webSocket.send('hello')
  await client.isClosed(1003)
})

scenario('[3.1.1 MQTT-6.0.0-2] one frame may hold several packets', { networks }, async (stage) => {
  const url = await listens(stage)
  using client = await opened(stage, url)
  client.sends(connect({ version: 4, clientId: 'device' }), subscribe(1, ['t']), PINGREQ)
  await client.receives('20 02 00 00 90 03 00 01 00 d0 00')
  client.sends(publish('t', '1'), publish('t', '2'), publish('t', '3'))
  await client.receives('30 04 00 01 74 31 30 04 00 01 74 32 30 04 00 01 74 33')
})

scenario(
  '[3.1.1 MQTT-6.0.0-2] one packet may be spread over many frames, and over continuation frames',
  { networks },
  async (stage) => {
    const url = await listens(stage)
    using client = await opened(stage, url)
    for (const byte of encodePacket(connect({ version: 4, clientId: 'device' }), 4)) client.sendsFrame(Uint8Array.of(byte))
    await client.receives('20 02 00 00')
    client.sendsFrame(new Uint8Array(0))
    client.sendsFrame(fromHex('82 06 00'), false)
    client.sendsFrame(fromHex('01 00 01'), false)
    client.sendsFrame(fromHex('74 00 c0'))
    client.sendsFrame(fromHex('00'))
    await client.receives('90 03 00 01 00 d0 00')
  }
)

scenario('[3.1.1 MQTT-6.0.0-2] packets larger than the frames that they come in arrive whole', { networks }, async (stage) => {
  const url = await listens(stage)
  using client = await opened(stage, url)
  await client.connects('device')
  client.sends(subscribe(1, ['t']))
  await client.receives('90 03 00 01 00')
  const packet = encodePacket(publish('t', 'x'.repeat(100_000)), 4)
  for (let at = 0; at < packet.byteLength; at += 3001) client.sendsFrame(packet.subarray(at, at + 3001))
  await client.receives(toHex(packet))
})

scenario('[3.1.1 MQTT-6.0.0-3] a client that does not offer "mqtt" is not let in', { networks }, async (stage) => {
  const url = await listens(stage)
  for (const protocols of [[], ['chat'], ['MQTT'], ['mqttv5']]) {
    using client = new WebSocketClient(stage, url, protocols)
    expect(await client.isRefused()).toContain('400')
  }
  expect(stage.broker.running.counts.clients).toBe(0)
})

scenario('[3.1.1 MQTT-6.0.0-4] the server selects and returns the subprotocol "mqtt"', { networks }, async (stage) => {
  const url = await listens(stage)
  for (const protocols of [['mqtt'], ['chat', 'mqtt'], ['mqttv3.1', 'mqtt']]) {
    using client = await opened(stage, url, protocols)
    expect(client.webSocket.protocol).toBe('mqtt')
    await client.connects('device')
    client.webSocket.close()
    await client.isClosed(1005)
  }
})

scenario(
  '[3.1.1 6.0] a protocol violation closes the WebSocket, a client by TCP or memory is not touched',
  { networks },
  async (stage) => {
    const url = await listens(stage)
    const other = await stage.connects({ version: 4, clientId: 'other' })
    using client = await opened(stage, url)
    await client.connects('device')
    client.sendsFrame(fromHex('36 05 00 01 74 00 01'))
    await client.isClosed(1000)
    await other.receivesNothing()
    expect([...stage.broker.running.clients()].map(({ clientId }) => clientId)).toEqual(['other'])
  }
)

scenario('[3.1.1 MQTT-3.1.2-8] a WebSocket that breaks off has its will published', { networks }, async (stage) => {
  const url = await listens(stage)
  const watcher = await stage.connects({ version: 4, clientId: 'watcher' })
  await watcher.subscribes('will')
  using client = await opened(stage, url)
  client.sends(connect({ version: 4, clientId: 'device', will: { topicName: 'will', payload: 'gone' } }))
  await client.receives('20 02 00 00')
  client.webSocket.terminate()
  await until(stage, 'the will arrives', () => watcher.inbox.length > 0)
  await watcher.receivesBytes('30 0a 00 04 77 69 6c 6c 67 6f 6e 65')
})
