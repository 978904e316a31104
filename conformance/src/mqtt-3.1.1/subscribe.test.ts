import { PacketType } from '@godwit/protocol'
import { publish, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[3.1.1 MQTT-3.8.3-3] a SUBSCRIBE without a Topic Filter closes the connection', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.sendsBytes('82 02 00 01')
  await client.isClosed()
})

scenario(
  '[3.1.1 MQTT-3.8.3-3] a SUBSCRIBE cut short in a filter or before its QoS closes the connection',
  async ({ connects, broker }) => {
    for (const bytes of ['82 03 00 01 00', '82 05 00 01 00 02 74', '82 05 00 01 00 01 74', '82 09 00 01 00 01 74 00 00 01 75']) {
      const client = await connects({ version: 4, cleanStart: false })
      await client.sendsBytes(bytes)
      await client.isClosed()
    }
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[3.1.1 MQTT-3.8.3-4] a requested QoS of 3, or any reserved bit, closes the connection',
  async ({ connects, broker }) => {
    for (const options of ['03', '04', '08', '10', '20', '40', '80', 'fc', 'ff']) {
      const client = await connects({ version: 4, cleanStart: false })
      await client.sendsBytes(`82 06 00 01 00 01 74 ${options}`)
      await client.isClosed()
    }
    expect(broker.running.counts.subscriptions).toBe(0)
  }
)

scenario(
  '[3.1.1 MQTT-3.8.3-2] a server without wildcard support rejects the filters that use them, and only those',
  { features: { wildcardSubscriptionAvailable: false } },
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.sends(subscribe(1, ['a/+', 'a/b', '#']))
    await client.receivesBytes('90 05 00 01 80 00 80')
    await client.publishes('a/b', 'heard')
    await client.publishes('a/c', 'unheard')
    await client.receives({ type: PacketType.Publish, topicName: 'a/b' })
    await client.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.8.4-1] [3.1.1 MQTT-3.8.4-2] every SUBSCRIBE is answered by a SUBACK with its packet identifier',
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.sends(subscribe(1, ['a']), subscribe(2, ['a']), subscribe(65_535, ['b']))
    for (const packetIdentifier of [1, 2, 65_535]) await client.receives({ type: PacketType.Suback, packetIdentifier })
    await client.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.8.4-4] [3.1.1 MQTT-3.8.4-5] [3.1.1 MQTT-3.9.3-1] [3.1.1 MQTT-3.9.3-2] several filters are answered by one SUBACK, with a code for each in their order',
  async ({ broker, connects }) => {
    await broker.restarts({ authorize: (_client, request) => request.action === 'publish' || request.topicFilter !== 'secret' })
    const client = await connects({ version: 4 })
    await client.sends(
      subscribe(10, [
        ['a', { qos: 2 }],
        ['secret', { qos: 2 }],
        ['b', { qos: 0 }],
        ['c', { qos: 1 }],
        ['secret', { qos: 0 }]
      ])
    )
    await client.receivesBytes('90 07 00 0a 02 80 00 01 80')
    const publisher = await connects({ version: 4 })
    for (const topicName of ['a', 'secret', 'b', 'c']) await publisher.publishes(topicName, '', { qos: 2 })
    await client.receives({ type: PacketType.Publish, topicName: 'a', qos: 2 })
    await client.receives({ type: PacketType.Publish, topicName: 'b', qos: 0 })
    await client.receives({ type: PacketType.Publish, topicName: 'c', qos: 1 })
    await client.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.8.4-4] a filter that stands twice in a SUBSCRIBE is treated as two SUBSCRIBEs would be',
  async ({ connects, broker }) => {
    const client = await connects({ version: 4 })
    await client.sends(
      subscribe(1, [
        ['t', { qos: 2 }],
        ['t', { qos: 0 }]
      ])
    )
    await client.receivesBytes('90 04 00 01 02 00')
    await client.publishes('t', 'once', { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: 'once', qos: 0 })
    await client.receivesNothing()
    expect(broker.running.counts.subscriptions).toBe(1)
  }
)

scenario(
  '[3.1.1 MQTT-3.9.3-2] 0x80 is the only failure that SUBACK tells 3.1.1 clients of',
  { limits: { subscriptionsPerClientMax: 1, topicBytesMax: 8, topicLevelsMax: 2 } },
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.sends(
      subscribe(1, ['a', 'b']),
      subscribe(2, ['123456789']),
      subscribe(3, ['a/b/c']),
      subscribe(4, [['a', { qos: 1 }]])
    )
    await client.receivesBytes('90 04 00 01 00 80')
    await client.receivesBytes('90 03 00 02 80')
    await client.receivesBytes('90 03 00 03 80')
    await client.receivesBytes('90 03 00 04 01')
  }
)

scenario('[3.1.1 MQTT-3.8.4-3] an identical filter replaces the subscription: its QoS changes', async ({ connects, broker }) => {
  const client = await connects({ version: 4 })
  const publisher = await connects({ version: 4 })
  for (const qos of [0, 1, 2, 0] as const) {
    await client.subscribes('t', { qos })
    await publisher.publishes('t', 'once', { qos: 2 })
    await client.receives({ type: PacketType.Publish, payload: 'once', qos })
    await client.receivesNothing()
  }
  expect(broker.running.counts.subscriptions).toBe(1)
})

scenario(
  '[3.1.1 MQTT-3.8.4-3] [3.1.1 MQTT-3.3.1-6] an identical filter has the retained messages sent again',
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.publishes('t/1', 'kept', { qos: 1, retain: true })
    for (let time = 0; time < 3; time++) {
      await client.subscribes('t/+', { qos: 1 })
      await client.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'kept', qos: 1, retain: true })
      await client.receivesNothing()
    }
  }
)

scenario('[3.1.1 MQTT-3.8.4-3] replacing a subscription does not interrupt the flow of messages', async ({ connects }) => {
  const client = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await client.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4 })
  await client.dropsConnection()
  await publisher.publishes('t', 'one', { qos: 1 })
  const back = await client.reconnects({ acknowledges: true })
  await back.sends(subscribe(1, [['t', { qos: 1 }]]))
  await publisher.publishes('t', 'two', { qos: 1 })
  await back.receivesInAnyOrder({ type: PacketType.Publish, payload: 'one' }, { type: PacketType.Suback, packetIdentifier: 1 })
  await back.receives({ type: PacketType.Publish, payload: 'two' })
  await back.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-3.8.4-3] a filter that only matches the same topics is another subscription',
  async ({ connects, broker }) => {
    const client = await connects({ version: 4 })
    await client.subscribes('a/b')
    await client.subscribes('a/+')
    await client.unsubscribes('a/b')
    await client.publishes('a/b', 'heard')
    await client.receives({ type: PacketType.Publish, payload: 'heard' })
    expect(broker.running.counts.subscriptions).toBe(1)
  }
)

for (const published of [0, 1, 2] as const) {
  for (const granted of [0, 1, 2] as const) {
    const qos = Math.min(published, granted)
    scenario(
      `[3.1.1 MQTT-3.8.4-6] published at QoS ${published}, granted QoS ${granted}: delivered at QoS ${qos}`,
      async ({ connects }) => {
        const subscriber = await connects({ version: 4 })
        await subscriber.subscribes('t', { qos: granted })
        const publisher = await connects({ version: 4 })
        await publisher.publishes('t', 'm', { qos: published })
        const { qos: delivered } = await subscriber.receives({ type: PacketType.Publish, payload: 'm', dup: false })
        expect(delivered).toBe(qos)
      }
    )
  }
}

scenario(
  '[3.1.1 MQTT-3.3.5-1] overlapping subscriptions deliver at the highest QoS of those that match',
  async ({ connects }) => {
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0]
    ] as const
    const filters = ['a/b', 'a/+', '#'] as const
    const publisher = await connects({ version: 4 })
    for (const [index, order] of orders.entries()) {
      const subscriber = await connects({ version: 4, clientId: `overlapping-${index}` })
      await subscriber.subscribes(filters.map((filter, at) => [filter, { qos: order[at] ?? 0 }] as const))
      await publisher.publishes('a/b', 'm', { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, topicName: 'a/b', payload: 'm', qos: 2 })
      await subscriber.receivesNothing()
      await publisher.publishes('a/b', 'm', { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, topicName: 'a/b', payload: 'm', qos: 1 })
      await subscriber.disconnects()
    }
  }
)

scenario('[3.1.1 MQTT-3.3.5-1] so they do for a client that was away', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false })
  await subscriber.subscribes([
    ['a/b', { qos: 1 }],
    ['a/+', { qos: 2 }],
    ['a/#', { qos: 0 }]
  ])
  await subscriber.dropsConnection()
  const publisher = await connects({ version: 4 })
  await publisher.publishes('a/b', 'm', { qos: 2 })
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, topicName: 'a/b', payload: 'm', qos: 2 })
  await back.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.5.0-1] a message reaches the sessions of all that subscribed before it, not of those after',
  async ({ connects }) => {
    const before = await connects({ version: 4 })
    await before.subscribes('t', { qos: 1 })
    const away = await connects({ version: 4, cleanStart: false })
    await away.subscribes('t', { qos: 2 })
    await away.dropsConnection()
    const publisher = await connects({ version: 4 })
    await publisher.sends(publish('t', 'm', { qos: 1 }))
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1 })
    const after = await connects({ version: 4 })
    await after.subscribes('t', { qos: 1 })
    await before.receives({ type: PacketType.Publish, payload: 'm' })
    const back = await away.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'm', qos: 1 })
    await after.receivesNothing()
  }
)
