import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.3.2-12] every Topic Alias up to the maximum of the CONNACK is honoured', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('rooms/#')
  const publisher = await connects()
  const { topicAliasMaximum = 0 } = publisher.connack.properties
  expect(topicAliasMaximum).toBeGreaterThan(0)
  for (let topicAlias = 1; topicAlias <= topicAliasMaximum; topicAlias++) {
    await publisher.publishes(`rooms/${topicAlias}`, 'set', { topicAlias })
    await subscriber.receives({ type: PacketType.Publish, topicName: `rooms/${topicAlias}`, payload: 'set', properties: {} })
  }
  for (let topicAlias = topicAliasMaximum; topicAlias >= 1; topicAlias--) {
    await publisher.publishes('', 'used', { topicAlias })
    await subscriber.receives({ type: PacketType.Publish, topicName: `rooms/${topicAlias}`, payload: 'used', properties: {} })
  }
})

scenario('[5.0 MQTT-3.3.2-12] an alias is set anew by another Topic Name', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('#', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('first', '1', { topicAlias: 3, qos: 1 })
  await publisher.publishes('', '2', { topicAlias: 3, qos: 2 })
  await publisher.publishes('second', '3', { topicAlias: 3 })
  await publisher.publishes('', '4', { topicAlias: 3, qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'first', payload: '1' })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'first', payload: '2' })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'second', payload: '3' })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'second', payload: '4' })
})

scenario('[5.0 MQTT-3.3.2-12] an alias is retained and queued as the Topic Name it stands for', async ({ connects }) => {
  const subscriber = await connects({ sessionExpirySeconds: 60 })
  await subscriber.subscribes('rooms/kitchen', { qos: 1 })
  await subscriber.dropsConnection()
  const publisher = await connects()
  await publisher.publishes('rooms/kitchen', 'unkept', { topicAlias: 1 })
  await publisher.publishes('', 'kept', { topicAlias: 1, qos: 1, retain: true })
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, topicName: 'rooms/kitchen', payload: 'kept', retain: false, properties: {} })
  await back.subscribes('rooms/+')
  await back.receives({ type: PacketType.Publish, topicName: 'rooms/kitchen', payload: 'kept', retain: true, properties: {} })
})

scenario('[5.0 MQTT-3.3.2-7] an alias is gone with its network connection', async ({ connects }) => {
  const publisher = await connects({ clientId: 'publisher', sessionExpirySeconds: 60 })
  await publisher.publishes('t', 'set', { topicAlias: 1 })
  await publisher.publishes('', 'used', { topicAlias: 1 })
  await publisher.dropsConnection()
  const back = await publisher.reconnects()
  await back.sends(publish('', 'used', { topicAlias: 1 }))
  await back.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.3.2-7] one connection knows nothing of another’s aliases', async ({ connects }) => {
  const one = await connects()
  await one.publishes('t', 'set', { topicAlias: 1 })
  const other = await connects()
  await other.sends(publish('', 'used', { topicAlias: 1 }))
  await other.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.3.2-8] a PUBLISH with Topic Alias 0', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('30 07 00 01 74 03 23 00 00')
  await client.isDisconnected({ reasonCode: ReasonCode.TopicAliasInvalid })
})

scenario(
  '[5.0 MQTT-3.3.2-9] [5.0 MQTT-4.13.1-1] a Topic Alias above the maximum of the CONNACK',
  { limits: { topicAliasMaximum: 2 } },
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('t')
    const client = await connects()
    expect(client.connack.properties.topicAliasMaximum).toBe(2)
    await client.publishes('t', 'two', { topicAlias: 2 })
    await watcher.receives({ type: PacketType.Publish, payload: 'two' })
    await client.sends(publish('t', 'three', { topicAlias: 3 }))
    await client.isDisconnected({ reasonCode: ReasonCode.TopicAliasInvalid })
  }
)

scenario(
  '[5.0 MQTT-3.3.2-9] where the CONNACK names no Topic Alias Maximum, no alias is allowed',
  { limits: { topicAliasMaximum: 0 } },
  async ({ connects }) => {
    const client = await connects({ topicAliasMaximum: 10 })
    expect(client.connack.properties.topicAliasMaximum).toBeUndefined()
    await client.sends(publish('t', 'one', { topicAlias: 1 }))
    await client.isDisconnected({ reasonCode: ReasonCode.TopicAliasInvalid })
  }
)

scenario(
  '[5.0 MQTT-3.3.2-11] [5.0 MQTT-3.1.2-26] towards a client no alias is above its Topic Alias Maximum, and each is set before it is used',
  async ({ connects }) => {
    const subscriber = await connects({ topicAliasMaximum: 2 })
    await subscriber.subscribes('rooms/#', { qos: 1 })
    const publisher = await connects()
    const known = new Map<number, string>()
    let used = 0
    for (let round = 0; round < 3; round++) {
      for (const room of ['kitchen', 'bedroom', 'bathroom', 'cellar']) {
        await publisher.publishes(`rooms/${room}`, room, { qos: round === 1 ? 0 : 1 })
        const { topicName, properties } = await subscriber.receives({ type: PacketType.Publish, payload: room })
        const { topicAlias } = properties
        if (topicAlias !== undefined) {
          expect([1, 2]).toContain(topicAlias)
          if (topicName === '') used++
          else known.set(topicAlias, topicName)
        }
        expect(topicName === '' ? known.get(topicAlias ?? 0) : topicName).toBe(`rooms/${room}`)
      }
    }
    expect(used).toBeGreaterThan(0)
  }
)

scenario(
  '[5.0 MQTT-3.3.2-11] [5.0 MQTT-3.1.2-27] a client without Topic Alias Maximum is sent no alias',
  async ({ connects }) => {
    for (const topicAliasMaximum of [undefined, 0]) {
      const subscriber = await connects({ topicAliasMaximum })
      await subscriber.subscribes('rooms/kitchen')
      const publisher = await connects()
      for (const payload of ['one', 'two', 'three']) {
        await publisher.publishes('rooms/kitchen', payload)
        await subscriber.receives({ type: PacketType.Publish, topicName: 'rooms/kitchen', payload, properties: {} })
      }
      await subscriber.disconnects()
    }
  }
)

scenario('[5.0 MQTT-3.3.2-7] a server alias is set anew on the next connection', async ({ connects }) => {
  const subscriber = await connects({ sessionExpirySeconds: 60, topicAliasMaximum: 5, acknowledges: false })
  await subscriber.subscribes('rooms/kitchen', { qos: 1 })
  const publisher = await connects()
  await publisher.publishes('rooms/kitchen', 'one', { qos: 1 })
  await publisher.publishes('rooms/kitchen', 'two', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'rooms/kitchen', properties: { topicAlias: 1 } })
  await subscriber.receives({ type: PacketType.Publish, topicName: '', properties: { topicAlias: 1 } })
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects({ acknowledges: true })
  await back.receives({ type: PacketType.Publish, topicName: 'rooms/kitchen', payload: 'one', dup: true })
  await back.receives({ type: PacketType.Publish, topicName: '', payload: 'two', dup: true, properties: { topicAlias: 1 } })
})
