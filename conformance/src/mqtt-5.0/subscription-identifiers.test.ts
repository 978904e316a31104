import { PacketType, ReasonCode, RetainHandling } from '@godwit/protocol'
import { puback, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

function sorted(identifiers: readonly number[] | undefined): readonly number[] {
  return [...(identifiers ?? [])].sort((a, b) => a - b)
}

scenario(
  '[5.0 MQTT-3.3.4-2] overlapping subscriptions: the message comes at the highest QoS of those that match',
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes([
      ['a/#', { qos: 0 }],
      ['a/+', { qos: 2 }],
      ['a/b', { qos: 1 }],
      ['+/b', { qos: 0 }]
    ])
    const publisher = await connects()
    await publisher.publishes('a/b', 'two', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'two', qos: 2 })
    await publisher.publishes('a/b', 'one', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'one', qos: 1 })
    await subscriber.unsubscribes('a/+')
    await publisher.publishes('a/b', 'two', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'two', qos: 1 })
  }
)

scenario(
  '[5.0 MQTT-3.3.4-3] [5.0 MQTT-3.3.4-4] one copy carries the Subscription Identifiers of all subscriptions that match',
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('a/#', { qos: 0, identifier: 1 })
    await subscriber.subscribes(['a/+', 'a/b'], { qos: 1, identifier: 268_435_455 })
    await subscriber.subscribes('+/b', { qos: 2, identifier: 128 })
    await subscriber.subscribes('+/+', { qos: 2 })
    await subscriber.subscribes('c', { qos: 2, identifier: 7 })
    const publisher = await connects()
    for (const qos of [0, 1, 2] as const) {
      await publisher.publishes('a/b', 'both', { qos })
      const { properties } = await subscriber.receives({ type: PacketType.Publish, topicName: 'a/b', payload: 'both', qos })
      expect(sorted(properties.subscriptionIdentifiers)).toEqual([1, 128, 268_435_455])
    }
    await publisher.publishes('c/d', 'none', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, topicName: 'c/d', properties: {} })
    await publisher.publishes('c', 'one', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, topicName: 'c', properties: { subscriptionIdentifiers: [7] } })
  }
)

scenario('[5.0 MQTT-3.3.4-3] one identifier for several subscriptions is sent once', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('a/#', { identifier: 5 })
  await subscriber.subscribes('a/b', { identifier: 5 })
  const publisher = await connects()
  await publisher.publishes('a/b')
  await subscriber.receivesBytes('30 08 00 03 61 2f 62 02 0b 05')
})

scenario('[5.0 MQTT-3.3.4-3] a later SUBSCRIBE changes the identifier, or takes it away', async ({ connects }) => {
  const subscriber = await connects({ sessionExpirySeconds: 60 })
  const publisher = await connects()
  await subscriber.subscribes('t', { identifier: 5 })
  await publisher.publishes('t', '1')
  await subscriber.receives({ type: PacketType.Publish, payload: '1', properties: { subscriptionIdentifiers: [5] } })
  await subscriber.subscribes('t', { identifier: 6, qos: 1 })
  await publisher.publishes('t', '2', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: '2', properties: { subscriptionIdentifiers: [6] } })
  await subscriber.subscribes('t')
  await publisher.publishes('t', '3')
  await subscriber.receives({ type: PacketType.Publish, payload: '3', properties: {} })
})

scenario(
  '[5.0 MQTT-3.3.4-3] [5.0 MQTT-3.3.4-4] messages that waited in the log carry the identifiers of all that match, QoS 0 ones too',
  async ({ connects, broker }) => {
    const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 600 })
    await subscriber.subscribes('a/#', { qos: 0, identifier: 1 })
    await subscriber.subscribes('a/+', { qos: 1, identifier: 2 })
    await subscriber.subscribes('a/b', { qos: 2, identifier: 3 })
    await subscriber.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('a/b', 'two', { qos: 2 })
    await publisher.publishes('a/c', 'one', { qos: 2 })
    await publisher.publishes('a/b/c', 'zero', { qos: 2 })
    const back = await subscriber.reconnects({ acknowledges: false })
    const received = await back.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'a/b', payload: 'two', qos: 2 },
      { type: PacketType.Publish, topicName: 'a/c', payload: 'one', qos: 1 }
    )
    const identifiers = new Map(
      received.flatMap((packet) =>
        packet.type === PacketType.Publish ? [[packet.topicName, sorted(packet.properties.subscriptionIdentifiers)]] : []
      )
    )
    expect(identifiers.get('a/b')).toEqual([1, 2, 3])
    expect(identifiers.get('a/c')).toEqual([1, 2])
    await broker.restarts()
    const again = await subscriber.reconnects()
    for (const packet of await again.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'a/b', dup: true },
      { type: PacketType.Publish, topicName: 'a/c', dup: true }
    )) {
      if (packet.type !== PacketType.Publish) continue
      expect(sorted(packet.properties.subscriptionIdentifiers)).toEqual(identifiers.get(packet.topicName))
    }
  }
)

scenario(
  '[5.0 MQTT-3.3.4-3] a message that waits does not get the identifier of a subscription made after it was published',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, receiveMaximum: 1, acknowledges: false })
    await subscriber.subscribes('a/b', { qos: 1, identifier: 1 })
    const publisher = await connects()
    await publisher.publishes('a/b', 'first', { qos: 1 })
    await publisher.publishes('a/b', 'waits', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'first' })
    await subscriber.subscribes('a/+', { qos: 0, identifier: 2 })
    await subscriber.subscribes('a/#', { qos: 1, identifier: 3 })
    await publisher.publishes('a/b', 'last', { qos: 1 })
    subscriber.acknowledges = true
    await subscriber.sends(puback(1))
    await subscriber.receives({ type: PacketType.Publish, payload: 'waits', properties: { subscriptionIdentifiers: [1] } })
    const { properties } = await subscriber.receives({ type: PacketType.Publish, payload: 'last' })
    expect(sorted(properties.subscriptionIdentifiers)).toEqual([1, 2, 3])
  }
)

scenario(
  '[5.0 MQTT-3.3.4-5] separate copies, for retained messages and shared subscriptions, carry their own identifier each',
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.publishes('a/b', 'kept', { qos: 1, retain: true })
    const subscriber = await connects()
    await subscriber.subscribes('a/+', { identifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, retain: true, properties: { subscriptionIdentifiers: [1] } })
    await subscriber.subscribes('+/b', { identifier: 2 })
    await subscriber.receives({ type: PacketType.Publish, retain: true, properties: { subscriptionIdentifiers: [2] } })
    await subscriber.subscribes('$share/one/a/b', { identifier: 3, qos: 1 })
    await subscriber.subscribes('$share/two/a/b', { qos: 1 })
    await publisher.publishes('a/b', 'live', { qos: 1 })
    const copies = await subscriber.receivesInAnyOrder(
      { type: PacketType.Publish, payload: 'live', qos: 0 },
      { type: PacketType.Publish, payload: 'live', qos: 1, properties: { subscriptionIdentifiers: [3] } },
      { type: PacketType.Publish, payload: 'live', qos: 1, properties: {} }
    )
    const merged = copies.find((packet) => packet.type === PacketType.Publish && packet.qos === 0)
    expect(merged?.type === PacketType.Publish && sorted(merged.properties.subscriptionIdentifiers)).toEqual([1, 2])
  }
)

scenario('[5.0 MQTT-3.3.4-3] identifiers survive a restart of the server', async ({ connects, broker }) => {
  const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 600 })
  await subscriber.subscribes('t', { qos: 1, identifier: 99, retainHandling: RetainHandling.DoNotSend })
  await broker.crashes()
  await broker.starts()
  const back = await subscriber.reconnects()
  const publisher = await connects()
  await publisher.publishes('t', 'live', { qos: 1 })
  await back.receives({ type: PacketType.Publish, payload: 'live', properties: { subscriptionIdentifiers: [99] } })
})

scenario('[5.0 MQTT-3.3.4-3] the publisher’s own identifiers do not go along', async ({ connects }) => {
  const both = await connects()
  await both.subscribes('t', { identifier: 4 })
  const other = await connects()
  await other.subscribes('t')
  await both.publishes('t', 'mine')
  await both.receives({ type: PacketType.Publish, payload: 'mine', properties: { subscriptionIdentifiers: [4] } })
  await other.receives({ type: PacketType.Publish, payload: 'mine', properties: {} })
})

scenario('[5.0 MQTT-4.13.1-1] a SUBSCRIBE with Subscription Identifier 0, or with two', async ({ connects }) => {
  for (const properties of ['02 0b 00', '04 0b 01 0b 02']) {
    const client = await connects()
    const length = properties.split(' ').length + 6
    await client.sendsBytes(`82 ${length.toString(16).padStart(2, '0')} 00 01 ${properties} 00 01 74 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
  }
})

scenario(
  '[5.0 MQTT-4.13.1-1] a Subscription Identifier where the CONNACK said that there are none',
  { features: { subscriptionIdentifiersAvailable: false } },
  async ({ connects }) => {
    const client = await connects()
    expect(client.connack.properties.subscriptionIdentifiersAvailable).toBe(false)
    await client.sendsBytes('82 09 00 01 02 0b 05 00 01 74 00')
    await client.isDisconnected({ reasonCode: ReasonCode.SubscriptionIdentifiersNotSupported })
    const other = await connects()
    await other.sends(publish('t'))
    await other.receivesNothing()
  }
)
