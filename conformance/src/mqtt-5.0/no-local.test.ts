import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, pubrel, scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.8.3-3] No Local 1: a client does not get its own messages, others do', async ({ connects }) => {
  const client = await connects({ clientId: 'client' })
  await client.subscribes('t', { qos: 2, noLocal: true })
  const other = await connects({ clientId: 'other' })
  await other.subscribes('t', { qos: 2, noLocal: true })
  for (const qos of [0, 1, 2] as const) {
    await client.publishes('t', 'mine', { qos })
    await client.receivesNothing()
    await other.receives({ type: PacketType.Publish, payload: 'mine', qos })
    await other.publishes('t', 'theirs', { qos })
    await client.receives({ type: PacketType.Publish, payload: 'theirs', qos })
    await other.receivesNothing()
  }
})

scenario('[5.0 MQTT-3.8.3-3] No Local 0: a client gets its own messages', async ({ connects }) => {
  const client = await connects()
  await client.subscribes('t', { qos: 1, noLocal: false })
  await client.publishes('t', 'mine', { qos: 1 })
  await client.receives({ type: PacketType.Publish, payload: 'mine', qos: 1 })
})

scenario(
  '[5.0 MQTT-3.8.3-3] where filters overlap, those with No Local count for nothing towards the client’s own messages',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes('t/#', { qos: 2, noLocal: true, identifier: 1 })
    await client.subscribes('t/a', { qos: 1, identifier: 2 })
    const other = await connects()
    await client.publishes('t/a', 'mine', { qos: 2 })
    await client.receives({ type: PacketType.Publish, payload: 'mine', qos: 1, properties: { subscriptionIdentifiers: [2] } })
    await client.publishes('t/b', 'mine', { qos: 2 })
    await client.receivesNothing()
    await other.publishes('t/a', 'theirs', { qos: 2 })
    await client.receives({ type: PacketType.Publish, payload: 'theirs', qos: 2 })
  }
)

scenario('[5.0 MQTT-3.8.3-3] it is the ClientID that counts, not the connection', async ({ connects, broker }) => {
  const client = await connects({ clientId: 'client', sessionExpirySeconds: 600 })
  await client.subscribes('t', { qos: 1, noLocal: true })
  await client.sends(publish('t', 'mine', { qos: 2, packetIdentifier: 1 }))
  await client.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
  await client.dropsConnection()
  const back = await client.reconnects()
  await back.sends(pubrel(1))
  await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
  await back.receivesNothing()
  await broker.restarts()
  const again = await client.reconnects()
  await again.publishes('t', 'mine', { qos: 1 })
  await again.receivesNothing()
})

scenario('[5.0 MQTT-3.8.3-3] a message of its own that waits in the log does not come later either', async ({ connects }) => {
  const client = await connects({ sessionExpirySeconds: 600, receiveMaximum: 1, acknowledges: false })
  await client.subscribes('t', { qos: 1, noLocal: true })
  const other = await connects()
  await other.publishes('t', '1', { qos: 1 })
  await client.publishes('t', 'mine', { qos: 1 })
  await other.publishes('t', '2', { qos: 1 })
  await client.receives({ type: PacketType.Publish, payload: '1' })
  client.acknowledges = true
  await client.sendsBytes('40 02 00 01')
  await client.receives({ type: PacketType.Publish, payload: '2' })
})

scenario('[5.0 MQTT-3.8.3-3] its own Will Message does not come back to the client', async ({ connects }) => {
  const client = await connects({
    sessionExpirySeconds: 600,
    will: { topicName: 't', payload: 'gone', qos: 1, willDelaySeconds: 0 }
  })
  await client.subscribes('t', { qos: 1, noLocal: true })
  const other = await connects()
  await other.subscribes('t', { qos: 1, noLocal: true })
  await client.dropsConnection()
  await other.receives({ type: PacketType.Publish, payload: 'gone' })
  const back = await client.reconnects({ will: undefined })
  await back.receivesNothing()
})

scenario('[5.0 MQTT-3.8.3-4] [5.0 MQTT-4.13.1-1] No Local on a Shared Subscription', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('82 10 00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 74 04')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})
