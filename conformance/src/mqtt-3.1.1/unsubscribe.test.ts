import { PacketType } from '@godwit/protocol'
import { puback, pubcomp, pubrec, scenario, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[3.1.1 MQTT-3.10.3-2] an UNSUBSCRIBE without a Topic Filter closes the connection', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.sendsBytes('a2 02 00 01')
  await client.isClosed()
})

scenario(
  '[3.1.1 MQTT-3.10.3-1] an UNSUBSCRIBE whose filters are not packed back to back closes the connection',
  async ({ connects, broker }) => {
    for (const bytes of ['a2 03 00 01 00', 'a2 05 00 01 00 02 74', 'a2 06 00 01 00 01 74 00', 'a2 08 00 01 00 01 74 00 02 75']) {
      const client = await connects({ version: 4, cleanStart: false })
      await client.subscribes('t')
      await client.sendsBytes(bytes)
      await client.isClosed()
    }
    expect(broker.running.counts.subscriptions).toBe(4)
  }
)

scenario('[3.1.1 MQTT-3.10.4-1] filters are compared character for character', async ({ connects, broker }) => {
  const client = await connects({ version: 4 })
  await client.subscribes(['a/b', 'a/+', 'a/#'])
  await client.unsubscribes(['a/B', 'a/b/', '/a/b', 'a', '+/b', '#', 'a/b '])
  expect(broker.running.counts.subscriptions).toBe(3)
  await client.unsubscribes('a/+')
  expect(broker.running.counts.subscriptions).toBe(2)
  await client.publishes('a/c', 'by a/#')
  await client.receives({ type: PacketType.Publish, payload: 'by a/#' })
  await client.unsubscribes('a/#')
  await client.publishes('a/c', 'by none')
  await client.publishes('a/b', 'by a/b')
  await client.receives({ type: PacketType.Publish, payload: 'by a/b' })
  await client.receivesNothing()
})

scenario('[3.1.1 MQTT-3.10.4-2] after UNSUBACK no new message is queued, not even for later', async ({ connects }) => {
  const client = await connects({ version: 4, cleanStart: false })
  await client.subscribes('t', { qos: 1 })
  await client.unsubscribes('t')
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'unheard', { qos: 1 })
  await client.receivesNothing()
  await client.dropsConnection()
  await publisher.publishes('t', 'unheard', { qos: 2 })
  const back = await client.reconnects()
  await back.receivesNothing()
})

scenario('[3.1.1 MQTT-3.10.4-3] a QoS 1 delivery that has begun is finished', async ({ connects }) => {
  const client = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await client.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'begun', { qos: 1 })
  await client.receives({ type: PacketType.Publish, payload: 'begun', dup: false, packetIdentifier: 1 })
  await client.unsubscribes('t')
  await client.dropsConnection()
  const back = await client.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'begun', dup: true, packetIdentifier: 1 })
  await back.sends(puback(1))
  await back.dropsConnection()
  const again = await back.reconnects()
  await again.receivesNothing()
})

scenario('[3.1.1 MQTT-3.10.4-3] a QoS 2 delivery that has begun is finished', async ({ connects }) => {
  const client = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await client.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'begun', { qos: 2 })
  await client.receives({ type: PacketType.Publish, payload: 'begun', packetIdentifier: 1 })
  await client.unsubscribes('t')
  await client.sends(pubrec(1))
  await client.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await client.dropsConnection()
  const back = await client.reconnects()
  await back.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await back.sends(pubcomp(1))
  await back.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-3.10.4-4] [3.1.1 MQTT-3.10.4-5] every UNSUBSCRIBE is answered by UNSUBACK, also where nothing was removed',
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.subscribes('t')
    await client.sends(unsubscribe(11, ['t']), unsubscribe(12, ['t']), unsubscribe(65_535, ['never', 'either']))
    await client.receivesBytes('b0 02 00 0b')
    await client.receivesBytes('b0 02 00 0c')
    await client.receivesBytes('b0 02 ff ff')
    await client.receivesNothing()
  }
)

scenario('[3.1.1 MQTT-3.10.4-6] several filters are answered by one UNSUBACK', async ({ connects, broker }) => {
  const client = await connects({ version: 4 })
  await client.subscribes(['a', 'b', 'c'])
  await client.sends(unsubscribe(5, ['a', 'unknown', 'c', 'a']))
  await client.receivesBytes('b0 02 00 05')
  await client.receivesNothing()
  expect(broker.running.counts.subscriptions).toBe(1)
})

scenario(
  '[3.1.1 MQTT-3.10.4-2] an UNSUBSCRIBE of a stored session holds after the broker was restarted',
  async ({ connects, broker }) => {
    const client = await connects({ version: 4, cleanStart: false })
    await client.subscribes(['kept', 'left'], { qos: 1 })
    await client.unsubscribes('left')
    await broker.restarts()
    const publisher = await connects({ version: 4, clientId: 'publisher' })
    await publisher.publishes('left', 'unheard', { qos: 1 })
    await publisher.publishes('kept', 'heard', { qos: 1 })
    const back = await client.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 'kept' })
    await back.receivesNothing()
  }
)
