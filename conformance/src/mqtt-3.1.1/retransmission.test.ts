import { PacketType } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec, pubrel, scenario } from '@godwit/testkit'

scenario(
  '[3.1.1 MQTT-4.4.0-1] [3.1.1 MQTT-3.3.1-1] [3.1.1 MQTT-4.6.0-6] unacknowledged PUBLISHes are sent again with DUP, their identifiers and in their order',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t/#', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const [topicName, qos] of [
      ['t/1', 1],
      ['t/2', 2],
      ['t/3', 1],
      ['t/4', 2]
    ] as const) {
      await publisher.publishes(topicName, topicName, { qos })
    }
    for (const packetIdentifier of [1, 2, 3, 4]) {
      await subscriber.receives({ type: PacketType.Publish, topicName: `t/${packetIdentifier}`, dup: false, packetIdentifier })
    }
    await subscriber.sends(puback(3))
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 't/1', payload: 't/1', qos: 1, dup: true, packetIdentifier: 1 })
    await back.receives({ type: PacketType.Publish, topicName: 't/2', payload: 't/2', qos: 2, dup: true, packetIdentifier: 2 })
    await back.receives({ type: PacketType.Publish, topicName: 't/4', payload: 't/4', qos: 2, dup: true, packetIdentifier: 4 })
    await back.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.4.0-1] PUBRELs are sent again under their identifiers, in the order of the PUBRECs',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const payload of ['1', '2', '3', '4']) {
      await publisher.publishes('t', payload, { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, payload, dup: false })
    }
    await subscriber.sends(pubrec(3), pubrec(1), pubrec(2))
    for (const packetIdentifier of [3, 1, 2]) await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier })
    await subscriber.sends(pubcomp(1))
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receivesInAnyOrder(
      { type: PacketType.Pubrel, packetIdentifier: 3 },
      { type: PacketType.Pubrel, packetIdentifier: 2 },
      { type: PacketType.Publish, payload: '4', dup: true, packetIdentifier: 4 }
    )
    await back.sends(pubcomp(3), pubcomp(2), pubrec(4))
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 4 })
    await back.dropsConnection()
    const again = await back.reconnects()
    await again.receivesBytes('62 02 00 04')
    await again.sends(pubcomp(4))
    await again.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.4.0-1] [3.1.1 MQTT-4.6.0-6] PUBRELs come again in the order of the PUBRECs alone',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const payload of ['1', '2', '3']) {
      await publisher.publishes('t', payload, { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, payload })
    }
    await subscriber.sends(pubrec(2), pubrec(3), pubrec(1))
    for (const packetIdentifier of [2, 3, 1]) await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier })
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    for (const packetIdentifier of [2, 3, 1]) await back.receives({ type: PacketType.Pubrel, packetIdentifier })
  }
)

scenario('[3.1.1 MQTT-4.4.0-1] it is sent again at every connection until it is acknowledged', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'm', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'm', dup: false, packetIdentifier: 1 })
  let client = subscriber
  for (let time = 0; time < 3; time++) {
    await client.dropsConnection()
    client = await client.reconnects()
    await client.receives({ type: PacketType.Publish, payload: 'm', dup: true, packetIdentifier: 1 })
  }
  await client.sends(puback(1))
  await client.disconnects()
  const back = await client.reconnects()
  await back.receivesNothing()
})

scenario('[3.1.1 MQTT-4.4.0-1] [3.1.1 MQTT-4.6.0-6] what is sent again comes before what waited', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'begun', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'begun', dup: false, packetIdentifier: 1 })
  await subscriber.dropsConnection()
  await publisher.publishes('t', 'waited', { qos: 1 })
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'begun', dup: true, packetIdentifier: 1 })
  await back.receives({ type: PacketType.Publish, payload: 'waited', dup: false, packetIdentifier: 2 })
})

scenario(
  '[3.1.1 MQTT-4.4.0-1] more than the client may have at once is sent again as it acknowledges, in order',
  { limits: { inflightMax: 2 } },
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects({ version: 4 })
    for (const payload of ['1', '2', '3', '4']) await publisher.publishes('t', payload, { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
    await subscriber.receivesNothing()
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: '1', dup: true, packetIdentifier: 1 })
    await back.receives({ type: PacketType.Publish, payload: '2', dup: true, packetIdentifier: 2 })
    await back.receivesNothing()
    await back.sends(puback(1))
    await back.receives({ type: PacketType.Publish, payload: '3', dup: false, packetIdentifier: 3 })
    await back.sends(puback(2))
    await back.receives({ type: PacketType.Publish, payload: '4', dup: false, packetIdentifier: 4 })
  }
)

scenario(
  '[3.1.1 MQTT-4.4.0-1] a message that never left for want of a connection has DUP 0 when it goes',
  async ({ connects, store, settles }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    store.holdsCommits()
    await publisher.sends(publish('t', 'm', { qos: 2 }), pubrel(1))
    await subscriber.receivesNothing()
    await subscriber.dropsConnection()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'm', qos: 2, dup: false })
  }
)

scenario('[3.1.1 MQTT-4.4.0-1] CleanSession 1 sends nothing again', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'one', { qos: 2 })
  await publisher.publishes('t', 'two', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'one', packetIdentifier: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'two', packetIdentifier: 2 })
  await subscriber.sends(pubrec(1))
  await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects({ cleanStart: true })
  await back.receivesNothing()
})

scenario('[3.1.1 MQTT-3.3.1-1] a client’s own repetition is acknowledged like the first', async ({ connects }) => {
  const publisher = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await publisher.sends(publish('t', 'm', { qos: 1, packetIdentifier: 3 }))
  await publisher.receives({ type: PacketType.Puback, packetIdentifier: 3 })
  await publisher.dropsConnection()
  const back = await publisher.reconnects()
  await back.sends(publish('t', 'm', { qos: 1, packetIdentifier: 3, dup: true }))
  await back.receives({ type: PacketType.Puback, packetIdentifier: 3 })
})
