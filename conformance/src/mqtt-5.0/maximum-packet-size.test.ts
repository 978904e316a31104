import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-3.2.2-15] [5.0 MQTT-4.13.1-1] a packet larger than the Maximum Packet Size of the CONNACK, known by its length alone',
  { limits: { packetBytesMax: 200 } },
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('t')
    const client = await connects()
    expect(client.connack.properties.maximumPacketSize).toBe(200)
    await client.sends(publish('t', 'x'.repeat(200 - 3 - 4)))
    await watcher.receives({ type: PacketType.Publish, payload: 'x'.repeat(193) })
    await client.sendsBytes('30 c6 01')
    await client.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
  }
)

// A QoS 1 PUBLISH to topic t without properties takes 8 bytes and its payload.
scenario(
  '[5.0 MQTT-3.1.2-24] [5.0 MQTT-3.1.2-25] a message too large for a client is not sent to it and counts as delivered; others get it',
  async ({ connects, broker }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const small = await connects({ sessionExpirySeconds, maximumPacketSize: 40 })
      await small.subscribes('t', { qos: 2 })
      const large = await connects({ sessionExpirySeconds })
      await large.subscribes('t', { qos: 2 })
      const publisher = await connects()
      const before = broker.running.fates.get('too-large-for-client') ?? 0
      for (const qos of [0, 1, 2] as const) {
        await publisher.publishes('t', 'x'.repeat(33), { qos, expects: ReasonCode.Success })
        await large.receives({ type: PacketType.Publish, payload: 'x'.repeat(33), qos })
      }
      // At QoS 0 there is no Packet Identifier: two bytes less.
      await small.receives({ type: PacketType.Publish, payload: 'x'.repeat(33), qos: 0 })
      expect(broker.running.fates.get('too-large-for-client')).toBe(before + 2)
      await small.receivesNothing()
      await publisher.publishes('t', 'y'.repeat(32), { qos: 1 })
      await small.receives({ type: PacketType.Publish, payload: 'y'.repeat(32), qos: 1, packetIdentifier: 1 })
      await large.receives({ type: PacketType.Publish, payload: 'y'.repeat(32), qos: 1, packetIdentifier: 3 })
      await small.disconnects()
      await large.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-3.1.2-25] what waited and is too large for the client that comes back is passed over, once and for all',
  async ({ connects, broker }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600 })
    await subscriber.subscribes('t', { qos: 2 })
    await subscriber.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('t', 'small', { qos: 1 })
    await publisher.publishes('t', 'x'.repeat(100), { qos: 1 })
    await publisher.publishes('t', 'y'.repeat(100), { qos: 2 })
    await publisher.publishes('t', 'small again', { qos: 1 })
    const small = await subscriber.reconnects({ maximumPacketSize: 64 })
    await small.receives({ type: PacketType.Publish, payload: 'small', packetIdentifier: 1 })
    await small.receives({ type: PacketType.Publish, payload: 'small again', packetIdentifier: 2 })
    expect(broker.running.fates.get('too-large-for-client')).toBe(2)
    await small.dropsConnection()
    const large = await subscriber.reconnects()
    await large.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.1.2-25] what was sent and is too large for the next connection is not sent again, and makes room',
  async ({ connects, broker }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t', 'x'.repeat(100), { qos: 1 })
    await publisher.publishes('t', 'small', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, packetIdentifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, packetIdentifier: 2 })
    await subscriber.dropsConnection()
    const small = await subscriber.reconnects({ maximumPacketSize: 64, receiveMaximum: 1 })
    await small.receives({ type: PacketType.Publish, payload: 'small', dup: true, packetIdentifier: 2 })
    await small.sends(puback(2))
    await publisher.publishes('t', 'new', { qos: 1 })
    await small.receives({ type: PacketType.Publish, payload: 'new', dup: false })
    expect(broker.running.fates.get('too-large-for-client')).toBe(1)
  }
)

scenario('[5.0 MQTT-3.1.2-25] retained messages too large for the client are passed over', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t/1', 'x'.repeat(100), { qos: 1, retain: true })
  await publisher.publishes('t/2', 'small', { qos: 1, retain: true })
  const subscriber = await connects({ maximumPacketSize: 64 })
  await subscriber.subscribes('t/+', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 't/2', payload: 'small', retain: true })
})

scenario('[5.0 MQTT-3.1.2-25] a member of a share for which a message is too large holds nothing up', async ({ connects }) => {
  const member = await connects({ sessionExpirySeconds: 60, maximumPacketSize: 64 })
  await member.subscribes('$share/g/t', { qos: 1 })
  const publisher = await connects()
  await publisher.publishes('t', 'x'.repeat(100), { qos: 1 })
  await publisher.publishes('t', 'small', { qos: 1 })
  await member.receives({ type: PacketType.Publish, payload: 'small', packetIdentifier: 1 })
})

scenario(
  '[5.0 MQTT-3.1.2-24] the Subscription Identifiers count, and a Topic Alias never makes a message too large',
  async ({ connects }) => {
    const publisher = await connects()
    const topicName = 'rooms/kitchen'
    // Fixed header 2, Topic Name 2 + 13, Properties 1, payload 20: 38 bytes. An identifier adds 2.
    const plain = await connects({ maximumPacketSize: 38 })
    await plain.subscribes(topicName)
    const identified = await connects({ maximumPacketSize: 38 })
    await identified.subscribes(topicName, { identifier: 1 })
    const aliased = await connects({ maximumPacketSize: 38, topicAliasMaximum: 1 })
    await aliased.subscribes(topicName)
    for (let time = 0; time < 2; time++) {
      await publisher.publishes(topicName, 'x'.repeat(20))
      await plain.receives({ type: PacketType.Publish, topicName, payload: 'x'.repeat(20), properties: {} })
      await aliased.receives({ type: PacketType.Publish, topicName, payload: 'x'.repeat(20), properties: {} })
      await identified.receivesNothing()
    }
    await publisher.publishes(topicName, 'y'.repeat(18))
    await identified.receives({ type: PacketType.Publish, payload: 'y'.repeat(18), properties: { subscriptionIdentifiers: [1] } })
    for (const client of [plain, aliased]) await client.receives({ type: PacketType.Publish, payload: 'y'.repeat(18) })
  }
)

const REFUSES_ALL = { authorize: () => false }

scenario(
  '[5.0 MQTT-3.4.2-2] [5.0 MQTT-3.4.2-3] [5.0 MQTT-3.5.2-2] [5.0 MQTT-3.5.2-3] PUBACK and PUBREC leave their Reason String out where it would not fit',
  REFUSES_ALL,
  async ({ connects }) => {
    const roomy = await connects()
    await roomy.sends(publish('t', '', { qos: 1 }), publish('t', '', { qos: 2, packetIdentifier: 2 }))
    const explained = await roomy.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.NotAuthorized })
    expect(explained.properties.reasonString).toMatch(/not authorized/)
    await roomy.receives({ type: PacketType.Pubrec, packetIdentifier: 2, reasonCode: ReasonCode.NotAuthorized })
    const tight = await connects({ maximumPacketSize: 30 })
    await tight.sends(publish('t', '', { qos: 1 }), publish('t', '', { qos: 2, packetIdentifier: 2 }))
    await tight.receivesBytes('40 03 00 01 87')
    await tight.receivesBytes('50 03 00 02 87')
  }
)

scenario(
  '[5.0 MQTT-3.6.2-2] [5.0 MQTT-3.6.2-3] [5.0 MQTT-3.7.2-2] [5.0 MQTT-3.7.2-3] PUBREL and PUBCOMP keep to the client’s Maximum Packet Size',
  async ({ connects }) => {
    const client = await connects({ maximumPacketSize: 30, acknowledges: false })
    await client.sendsBytes('50 02 00 09')
    await client.receivesBytes('62 03 00 09 92')
    await client.sends(pubrel(8))
    await client.receivesBytes('70 03 00 08 92')
  }
)

scenario(
  '[5.0 MQTT-3.9.2-1] [5.0 MQTT-3.9.2-2] [5.0 MQTT-3.11.2-1] [5.0 MQTT-3.11.2-2] SUBACK and UNSUBACK keep to the client’s Maximum Packet Size',
  REFUSES_ALL,
  async ({ connects }) => {
    const client = await connects({ maximumPacketSize: 30 })
    const userProperties = [['why', 'x'.repeat(100)]] as const
    await client.sends(subscribe(1, ['a', 'b#'], { userProperties }))
    await client.receivesBytes('90 05 00 01 00 87 8f')
    await client.sends(unsubscribe(2, ['a', 'b#'], { userProperties }))
    await client.receivesBytes('b0 05 00 02 00 11 8f')
  }
)
