import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { encodePacket, type Packet } from '@godwit/protocol'
import { connect, fromHex, publish, puback, scenario, type Scenario, subscribe, toHex } from '@godwit/testkit'
import { expect } from 'vitest'

/** Far more turns of the event loop than a loopback connection takes for anything here. */
const TURNS_MAX = 500_000

/** What a TCP client has received, up to its end. */
class Received {
  bytes = Buffer.alloc(0)
  isEnded = false

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.bytes = Buffer.concat([this.bytes, chunk])))
    socket.on('end', () => (this.isEnded = true))
  }

  async until({ settles }: Pick<Scenario, 'settles'>, hex: string): Promise<void> {
    const wanted = fromHex(hex)
    for (let turn = 0; this.bytes.byteLength < wanted.byteLength; turn++) {
      if (turn === TURNS_MAX) expect.fail(`received ${toHex(this.bytes)}, still waiting for ${hex}`)
      await settles()
    }
    expect(toHex(this.bytes.subarray(0, wanted.byteLength))).toBe(toHex(wanted))
    this.bytes = this.bytes.subarray(wanted.byteLength)
  }
}

function encoded(...packets: readonly Packet[]): Uint8Array {
  return Buffer.concat(packets.map((packet) => encodePacket(packet, 4)))
}

scenario(
  '[3.1.1 MQTT-7.1.1-1] [3.1.1 MQTT-7.0.0-2] the server speaks plain MQTT over TCP, which is ordered, lossless and goes both ways',
  { networks: ['whole'] },
  async ({ broker, settles }) => {
    const { port } = await broker.running.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
    const socket = connectTcp(port, '127.0.0.1')
    await once(socket, 'connect')
    const received = new Received(socket)
    socket.write(encoded(connect({ version: 4, clientId: 'device' })))
    await received.until({ settles }, '20 02 00 00')
    socket.write(encoded(subscribe(1, [['t', { qos: 1 }]])))
    await received.until({ settles }, '90 03 00 01 01')
    const payloads = Array.from({ length: 50 }, (_, index) => `${index}`.repeat(1000))
    socket.write(encoded(...payloads.map((payload) => publish('t', payload))))
    await received.until({ settles }, toHex(encoded(...payloads.map((payload) => publish('t', payload)))))
    socket.write(encoded(publish('t', 'm', { qos: 1, packetIdentifier: 7 })))
    await received.until({ settles }, '32 06 00 01 74 00 01 6d 40 02 00 07')
    socket.write(encoded(puback(1)))
    socket.write(fromHex('c0 00'))
    await received.until({ settles }, 'd0 00')
    socket.write(fromHex('e0 00'))
    for (let turn = 0; !received.isEnded; turn++) {
      if (turn === TURNS_MAX) expect.fail('the server did not close')
      await settles()
    }
    expect(received.bytes).toHaveLength(0)
    socket.destroy()
  }
)
