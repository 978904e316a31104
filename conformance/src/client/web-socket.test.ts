import { connect, type Message, openClient, ProtocolVersion } from '@godwit/client'
import { PacketType } from '@godwit/protocol'
import { fromHex } from '@godwit/testkit'
import { expect, test } from 'vitest'
import { PacketWebSocketServer } from '../web-socket-server.ts'

const SERVERS = [
  { protocolVersion: ProtocolVersion.Mqtt5, connack: fromHex('20 03 00 00 00'), published: fromHex('30 06 00 01 74 00 01 02') },
  { protocolVersion: ProtocolVersion.Mqtt311, connack: fromHex('20 02 00 00'), published: fromHex('30 05 00 01 74 01 02') }
]

for (const { protocolVersion, connack, published } of SERVERS) {
  test('[5.0 MQTT-6.0.0-1] [5.0 MQTT-6.0.0-3] [3.1.1 MQTT-6.0.0-1] [3.1.1 MQTT-6.0.0-3] the client offers the subprotocol mqtt, and sends binary frames', async () => {
    await using server = await PacketWebSocketServer.start()
    await using client = await openClient(server.url, { protocolVersion })
    const connection = await server.isCalled()
    expect(connection.socket.protocol).toBe('mqtt')
    await connection.receives(PacketType.Connect)
    connection.socket.send(connack)
    await client.ready
    void client.publish('t', 'x')
    await connection.receives(PacketType.Publish)
    expect(connection.binary).toEqual([true, true])
  })

  test('[5.0 MQTT-6.0.0-1] [3.1.1 MQTT-6.0.0-1] a text frame ends the connection', async () => {
    await using server = await PacketWebSocketServer.start()
    await using client = await openClient(server.url, { protocolVersion, reconnect: false })
    const connection = await server.isCalled()
    await connection.receives(PacketType.Connect)
    connection.socket.send('\x20\x02\x00\x00')
    await connection.isClosed()
    await expect(client.ready).rejects.toMatchObject({ name: 'ClientError' })
  })

  test('[5.0 MQTT-6.0.0-2] [3.1.1 MQTT-6.0.0-2] frames and packets are cut independently of each other', async () => {
    await using server = await PacketWebSocketServer.start()
    const connected = connect(server.url, { protocolVersion, clientId: 'reader' })
    const connection = await server.isCalled()
    await connection.receives(PacketType.Connect)
    for (const byte of connack) connection.socket.send(Uint8Array.of(byte))
    await using client = await connected
    const messages: Message[] = []
    const all: PromiseWithResolvers<void> = Promise.withResolvers()
    client.subscribe('t', { qos: 0 }, (message) => {
      if (messages.push(message) === 4) all.resolve()
    })
    await connection.receives(PacketType.Subscribe)
    connection.socket.send(published.subarray(0, 3))
    connection.socket.send(Buffer.concat([published.subarray(3), published, published, published.subarray(0, 1)]))
    connection.socket.send(published.subarray(1))
    await all.promise
    expect(messages.map(({ payload }) => [...payload])).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2]
    ])
    connection.socket.terminate()
  })
}
