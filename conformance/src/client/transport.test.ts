import { once } from 'node:events'
import { createServer } from 'node:net'
import { connect, ProtocolVersion } from '@godwit/client'
import { encodePacket, PacketDecoder, PacketType } from '@godwit/protocol'
import { fromHex } from '@godwit/testkit'
import { expect, test } from 'vitest'

const SERVERS = [
  {
    protocolVersion: ProtocolVersion.Mqtt5,
    connack: '20 03 00 00 00',
    suback: '90 04 fd e9 00 00',
    unsuback: 'b0 04 fd ea 00 00'
  },
  { protocolVersion: ProtocolVersion.Mqtt311, connack: '20 02 00 00', suback: '90 03 fd e9 00', unsuback: 'b0 02 fd ea' }
]

for (const { protocolVersion, connack, suback, unsuback } of SERVERS) {
  test('[5.0 MQTT-4.2.0-1] [3.1.1 MQTT-7.1.2-1] a TCP connection carries any amount both ways, in order', async () => {
    const server = createServer((socket) => {
      const broker = new PacketDecoder({ receiver: 'server', maximumPacketSize: Infinity })
      socket.on('data', (chunk) => {
        broker.push(chunk)
        for (let packet = broker.next(); packet !== undefined; packet = broker.next()) {
          if (packet.type === PacketType.Connect) socket.write(fromHex(connack))
          if (packet.type === PacketType.Subscribe) socket.write(fromHex(suback))
          if (packet.type === PacketType.Unsubscribe) socket.write(fromHex(unsuback))
          if (packet.type === PacketType.Disconnect) socket.end()
          // What is published comes back.
          if (packet.type === PacketType.Publish) {
            const { topicName, payload, dup, qos, retain, packetIdentifier } = packet
            const properties = {}
            socket.write(
              encodePacket(
                { type: PacketType.Publish, topicName, payload, dup, qos, retain, packetIdentifier, properties },
                protocolVersion
              )
            )
          }
        }
        broker.keep()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server does not listen')
    await using client = await connect(`mqtt://127.0.0.1:${address.port}`, { protocolVersion })
    const subscription = client.subscribe('t/#', { qos: 0, bufferMaximum: 10 })
    const sizes = Array.from({ length: 300 }, (_, index) => index * 97)
    for (const size of sizes) void client.publish(`t/${size}`, new Uint8Array(size))
    const received: string[] = []
    for await (const { topic, payload } of subscription) {
      received.push(`${topic} ${payload.byteLength}`)
      if (received.length === sizes.length) break
    }
    expect(received).toEqual(sizes.map((size) => `t/${size} ${size}`))
    await client.close({ drainMs: 0 })
    server.close()
  })
}
