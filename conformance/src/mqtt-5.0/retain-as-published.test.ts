import { PacketType } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'

scenario('[5.0 MQTT-3.3.1-12] Retain As Published 0: what is forwarded has RETAIN 0', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2, retainAsPublished: false })
  const publisher = await connects()
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [true, false]) {
      await publisher.publishes('t', 'live', { qos, retain })
      await subscriber.receives({ type: PacketType.Publish, payload: 'live', qos, retain: false })
    }
  }
})

scenario('[5.0 MQTT-3.3.1-13] Retain As Published 1: what is forwarded has RETAIN as published', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2, retainAsPublished: true })
  const publisher = await connects()
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [true, false]) {
      await publisher.publishes('t', 'live', { qos, retain })
      await subscriber.receives({ type: PacketType.Publish, payload: 'live', qos, retain })
    }
  }
})

scenario(
  '[5.0 MQTT-3.3.1-12] [5.0 MQTT-3.3.1-13] it holds for what waited while the session was offline, and across a restart',
  async ({ connects, broker }) => {
    const plain = await connects({ clientId: 'plain', sessionExpirySeconds: 60 })
    await plain.subscribes('t', { qos: 1 })
    await plain.dropsConnection()
    const asPublished = await connects({ clientId: 'as-published', sessionExpirySeconds: 60 })
    await asPublished.subscribes('t', { qos: 1, retainAsPublished: true })
    await asPublished.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('t', 'retained', { qos: 1, retain: true })
    await publisher.publishes('t', 'not retained', { qos: 1 })
    await broker.restarts()
    const plainBack = await plain.reconnects()
    await plainBack.receives({ type: PacketType.Publish, payload: 'retained', retain: false })
    await plainBack.receives({ type: PacketType.Publish, payload: 'not retained', retain: false })
    const asPublishedBack = await asPublished.reconnects()
    await asPublishedBack.receives({ type: PacketType.Publish, payload: 'retained', retain: true })
    await asPublishedBack.receives({ type: PacketType.Publish, payload: 'not retained', retain: false })
  }
)

scenario(
  '[5.0 MQTT-3.3.1-13] RETAIN is as published when a message is sent again, also after a restart of the server',
  async ({ connects, broker }) => {
    const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 60, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1, retainAsPublished: true })
    const publisher = await connects()
    await publisher.publishes('t', 'kept', { qos: 1, retain: true })
    await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: false, packetIdentifier: 1 })
    await subscriber.dropsConnection()
    const second = await subscriber.reconnects()
    await second.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: true, packetIdentifier: 1 })
    await broker.restarts()
    const third = await subscriber.reconnects({ acknowledges: true })
    await third.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: true, packetIdentifier: 1 })
  }
)

scenario('[5.0 MQTT-3.3.1-13] shared subscriptions forward RETAIN as published where asked to', async ({ connects }) => {
  const plain = await connects()
  await plain.subscribes('$share/plain/t', { qos: 1 })
  const asPublished = await connects()
  await asPublished.subscribes('$share/as-published/t', { qos: 1, retainAsPublished: true })
  const publisher = await connects()
  for (const qos of [0, 1] as const) {
    await publisher.publishes('t', 'kept', { qos, retain: true })
    await plain.receives({ type: PacketType.Publish, payload: 'kept', retain: false })
    await asPublished.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
  }
})
