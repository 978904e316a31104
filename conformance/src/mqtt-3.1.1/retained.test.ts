import { PacketType } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

for (const qos of [0, 1, 2] as const) {
  scenario(
    `[3.1.1 MQTT-3.3.1-5] a QoS ${qos} message with RETAIN 1 is kept with its QoS for later subscribers`,
    async ({ connects }) => {
      const publisher = await connects({ version: 4 })
      await publisher.publishes('t', 'kept', { qos, retain: true })
      await publisher.disconnects()
      for (const granted of [0, 1, 2] as const) {
        const subscriber = await connects({ version: 4 })
        await subscriber.subscribes('t', { qos: granted })
        const received = await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
        expect(received.qos).toBe(Math.min(qos, granted))
        await subscriber.receivesNothing()
      }
    }
  )
}

scenario(
  '[3.1.1 MQTT-3.3.1-6] a new subscription gets the last retained message of each matching topic',
  async ({ connects }) => {
    const publisher = await connects({ version: 4 })
    await publisher.publishes('a/1', 'old', { qos: 1, retain: true })
    await publisher.publishes('a/2', 'two', { qos: 1, retain: true })
    await publisher.publishes('a/1', 'new', { qos: 1, retain: true })
    await publisher.publishes('b/1', 'elsewhere', { qos: 1, retain: true })
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes('a/+', { qos: 1 })
    await subscriber.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'a/1', payload: 'new', retain: true },
      { type: PacketType.Publish, topicName: 'a/2', payload: 'two', retain: true }
    )
    await subscriber.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.3.1-6] [3.1.1 MQTT-4.7.2-1] a wildcard at the start finds no retained messages under $',
  { sysIntervalSeconds: 0 },
  async ({ connects, broker, settles }) => {
    await Promise.all([broker.running.publish({ topicName: '$SYS/version', payload: '1', retain: true }), settles()])
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes(['#', '+/version'])
    await subscriber.receivesNothing()
    await subscriber.subscribes('$SYS/#')
    await subscriber.receives({ type: PacketType.Publish, topicName: '$SYS/version', retain: true })
  }
)

scenario('[3.1.1 MQTT-3.3.1-6] a session that is resumed gets none, for no subscription is new', async ({ connects }) => {
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  const subscriber = await connects({ version: 4, cleanStart: false })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-3.3.1-7] a QoS 0 message with RETAIN 1 takes the place of the one retained before',
  async ({ connects, broker }) => {
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'old', { qos: 2, retain: true })
    await publisher.publishes('t', 'new', { qos: 0, retain: true })
    expect(broker.running.counts.retainedMessages).toBe(1)
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes('t', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'new', qos: 0, retain: true })
    await subscriber.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.3.1-8] [3.1.1 MQTT-3.3.1-9] RETAIN is 1 on what a new subscription brings, 0 on what goes to those there are',
  async ({ connects }) => {
    const established = await connects({ version: 4 })
    await established.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const qos of [0, 1, 2] as const) {
      await publisher.publishes('t', 'm', { qos, retain: true })
      await established.receives({ type: PacketType.Publish, payload: 'm', qos, retain: false })
      const late = await connects({ version: 4 })
      await late.subscribes('t', { qos: 2 })
      await late.receives({ type: PacketType.Publish, payload: 'm', qos, retain: true })
      await late.disconnects()
    }
  }
)

scenario('[3.1.1 MQTT-3.3.1-9] RETAIN is 0 also on what waited for an established subscription', async ({ connects }) => {
  const established = await connects({ version: 4, cleanStart: false })
  await established.subscribes('t', { qos: 1 })
  await established.dropsConnection()
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'm', { qos: 1, retain: true })
  const back = await established.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'm', retain: false })
})

scenario('[3.1.1 MQTT-3.3.1-8] [3.1.1 MQTT-3.3.1-1] a retained message sent again still has RETAIN 1', async ({ connects }) => {
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: false, packetIdentifier: 1 })
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: true, packetIdentifier: 1 })
})

scenario(
  '[3.1.1 MQTT-3.3.1-10] [3.1.1 MQTT-3.3.1-11] an empty message with RETAIN 1 is passed on, removes what is retained, and is not kept',
  async ({ connects, broker }) => {
    const established = await connects({ version: 4 })
    await established.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const qos of [0, 1, 2] as const) {
      await publisher.publishes('t', 'kept', { qos: 1, retain: true })
      await established.receives({ type: PacketType.Publish, payload: 'kept' })
      expect(broker.running.counts.retainedMessages).toBe(1)
      await publisher.publishes('t', '', { qos, retain: true })
      await established.receives({ type: PacketType.Publish, topicName: 't', payload: '', qos, retain: false })
      expect(broker.running.counts.retainedMessages).toBe(0)
      const late = await connects({ version: 4 })
      await late.subscribes('t', { qos: 2 })
      await late.receivesNothing()
      await late.disconnects()
    }
  }
)

scenario(
  '[3.1.1 MQTT-3.3.1-10] an empty message with RETAIN 1 where nothing is retained changes nothing',
  async ({ connects, broker }) => {
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t/other', 'kept', { qos: 1, retain: true })
    await publisher.publishes('t', '', { qos: 1, retain: true })
    expect(broker.running.counts.retainedMessages).toBe(1)
  }
)

scenario('[3.1.1 MQTT-3.3.1-12] RETAIN 0 neither stores, replaces nor removes', async ({ connects, broker }) => {
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'not kept', { qos: 1 })
  expect(broker.running.counts.retainedMessages).toBe(0)
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  await publisher.publishes('t', 'passing', { qos: 2, retain: false })
  await publisher.publishes('t', '', { qos: 1, retain: false })
  const late = await connects({ version: 4 })
  await late.subscribes('t', { qos: 1 })
  await late.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
  await late.receivesNothing()
})

scenario('[3.1.1 MQTT-3.3.1-5] a QoS 2 message is retained when it is released, not before', async ({ connects, broker }) => {
  const publisher = await connects({ version: 4, acknowledges: false })
  await publisher.sends(publish('t', 'kept', { qos: 2, retain: true, packetIdentifier: 3 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  expect(broker.running.counts.retainedMessages).toBe(0)
  await publisher.sendsBytes('62 02 00 03')
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3 })
  expect(broker.running.counts.retainedMessages).toBe(1)
})

scenario(
  '[3.1.1 3.3.1.3] a server that retains nothing passes messages with RETAIN 1 on and keeps none',
  { features: { retainAvailable: false } },
  async ({ connects, broker }) => {
    const client = await connects({ version: 4 })
    await client.subscribes('t', { qos: 1 })
    await client.publishes('t', 'm', { qos: 1, retain: true })
    await client.receives({ type: PacketType.Publish, payload: 'm', retain: false })
    expect(broker.running.counts.retainedMessages).toBe(0)
  }
)
