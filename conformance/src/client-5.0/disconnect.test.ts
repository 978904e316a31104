import { PacketType, ReasonCode } from '@godwit/protocol'
import { disconnect, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-3.14.4-1] [5.0 MQTT-3.14.4-2] DISCONNECT is the last, and then the connection is closed',
  async ({ connects }) => {
    const [client, server] = await connects()
    client.subscribe('#', {}, (message) => void client.publish('echo', message.payload, { qos: 1 }))
    await server.grants()
    void client.publish('before', '')
    void client.close({ drainMs: 0 })
    void client.publish('behind', '')
    await server.receives({ type: PacketType.Publish, topicName: 'before' })
    await server.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection })
    await server.isClosed()
  }
)

served('[5.0 MQTT-3.14.4-1] nothing follows, whatever comes meanwhile', async ({ connects, settles }) => {
  const [client, server] = await connects()
  client.subscribe('#', {}, () => void client.publish('echo', '', { qos: 1 }))
  await server.grants()
  server.sendsLater(publish('t', '', { qos: 1, packetIdentifier: 1 }))
  void client.close({ drainMs: 0 })
  await settles()
  const types = server.inbox.map(({ type }) => type)
  expect(types.indexOf(PacketType.Disconnect)).toBe(types.length - 1)
  await server.receivesAll(() => [])
  await server.isClosed()
})

served('[5.0 MQTT-3.14.2-1] a DISCONNECT has the code that was asked for', async ({ connects }) => {
  const [client, server] = await connects()
  void client.close({ drainMs: 0, publishWill: true })
  await isDisconnected(server, ReasonCode.DisconnectWithWillMessage)
})

served('[5.0 MQTT-3.14.2-1] a DISCONNECT with a code that there is not ends the connection', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes('e0 01 03')
  await isDisconnected(server, ReasonCode.ProtocolError)
})

served(
  '[5.0 MQTT-3.14.4-1] [5.0 MQTT-4.13.2-1] a client that is disconnected says nothing more',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects()
    const received: string[] = []
    client.subscribe('#', {}, ({ topic }) => received.push(topic))
    await first.grants()
    // What stands behind a DISCONNECT is not read.
    await first.closes(disconnect(ReasonCode.ServerShuttingDown), publish('t', '', { qos: 1, packetIdentifier: 1 }))
    await first.receivesNothing()
    expect(received).toEqual([])
    await (await isCalledAgain()).accepts({ sessionPresent: true })
  }
)
