import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, pubrec } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, publishes, served } from '../client-scenario.test.support.ts'

served('[5.0 MQTT-3.1.2-4] [5.0 MQTT-4.1.0-1] the first connection begins a new session', async ({ opens, isCalled }) => {
  await opens()
  const server = await isCalled()
  await server.receivesConnect({ cleanStart: true })
  await server.accepts()
})

served(
  '[5.0 MQTT-3.1.2-23] [5.0 MQTT-3.1.3-2] [5.0 MQTT-4.1.0-1] later ones go on with it, under the same ClientID',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ clientId: 'device', sessionExpirySeconds: 3600 })
    const packetIdentifier = await publishes(client, first, 'kept', { qos: 1 })
    await first.breaks()
    const second = await isCalledAgain()
    await second.receivesConnect({ cleanStart: false, clientId: 'device' })
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Publish, topicName: 'kept', dup: true, packetIdentifier })
    await second.receivesNothing()
  }
)

served('[5.0 MQTT-3.1.3-2] an Assigned Client Identifier is the name of the session', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ clientId: '' }, { assignedClientIdentifier: 'given' })
  expect([first.connect.clientId, client.clientId]).toEqual(['', 'given'])
  await first.breaks()
  const second = await isCalledAgain()
  await second.receivesConnect({ cleanStart: false, clientId: 'given' })
  await second.accepts({ sessionPresent: true })
})

served(
  '[5.0 MQTT-3.2.2-4] [5.0 MQTT-3.1.2-4] a session that we do not have is none that we take',
  async ({ opens, isCalled, isCalledAgain, isNotCalled }) => {
    const client = await opens()
    const server = await isCalled()
    await server.accepts({ sessionPresent: true })
    await isDisconnected(server, ReasonCode.ProtocolError)
    expect(client.state).toBe('waiting')
    await isNotCalled()
    const again = await isCalledAgain()
    await again.receivesConnect({ cleanStart: true })
    await again.accepts()
  }
)

served(
  '[5.0 MQTT-3.2.2-5] where the server has lost the session, nothing of it is used: what was sent is sent as new',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 3600 })
    const subscription = client.subscribe('#', { qos: 2, acknowledge: 'manual' })
    await first.receives({ type: PacketType.Subscribe })
    await publishes(client, first, 'unacknowledged', { qos: 1 })
    const released = await publishes(client, first, 'released', { qos: 2 })
    await first.sends(pubrec(released))
    await first.receives({ type: PacketType.Pubrel })
    await first.sends(publish('in/1', '', { qos: 1, packetIdentifier: 7 }))
    const { value: held } = await subscription[Symbol.asyncIterator]().next()
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: false })
    await second.receives({ type: PacketType.Subscribe })
    await second.receives({ type: PacketType.Publish, topicName: 'unacknowledged', dup: false })
    // No PUBREL, and no PUBACK for what was the other session's.
    held?.ack()
    await second.receivesNothing()
  }
)

served('[5.0 MQTT-3.1.2-23] the session ends with the client, unless it was to stay', async ({ connects }) => {
  const [client, server] = await connects()
  void client.close({ drainMs: 0 })
  const { properties } = await server.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection })
  expect(properties.sessionExpiryInterval).toBe(0)
  await server.isClosed()
})

served('[5.0 MQTT-3.1.2-23] one that was asked for stays', async ({ connects }) => {
  const [client, server] = await connects({ sessionExpirySeconds: 3600 })
  expect(server.connect.properties.sessionExpiryInterval).toBe(3600)
  void client.close({ drainMs: 0 })
  const { properties } = await server.receives({ type: PacketType.Disconnect })
  expect(properties.sessionExpiryInterval).toBeUndefined()
  await server.isClosed()
})

served('a session that was to end with its connection is not prolonged ([5.0 3.14.2.2.2])', async ({ connects }) => {
  const [client, server] = await connects({ sessionExpirySeconds: 0 })
  void client.close({ drainMs: 0, sessionExpirySeconds: 60 })
  const { properties } = await server.receives({ type: PacketType.Disconnect })
  expect(properties.sessionExpiryInterval).toBeUndefined()
  await server.isClosed()
})
