import { PacketType } from '@godwit/protocol'
import { publish, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[3.1.1 MQTT-3.3.1-2] a QoS 0 PUBLISH with DUP closes the connection', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('#')
  for (const firstByte of ['38', '39']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(`${firstByte} 03 00 01 74`)
    await client.isClosed()
  }
  await watcher.receivesNothing()
})

scenario('[3.1.1 MQTT-3.3.1-3] the publisher’s DUP is not passed on', async ({ connects }) => {
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  for (const qos of [1, 2] as const) {
    await publisher.publishes('t', 'again', { qos, dup: true })
    await subscriber.receives({ type: PacketType.Publish, payload: 'again', qos, dup: false })
  }
})

scenario(
  '[3.1.1 MQTT-3.3.1-3] nor is it when the message goes out at QoS 0 or waited for its subscriber',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false })
    await subscriber.subscribes([
      ['zero', { qos: 0 }],
      ['one', { qos: 1 }]
    ])
    const publisher = await connects({ version: 4 })
    await publisher.publishes('zero', 'now', { qos: 1, dup: true })
    await subscriber.receives({ type: PacketType.Publish, payload: 'now', qos: 0, dup: false })
    await subscriber.dropsConnection()
    await publisher.publishes('one', 'later', { qos: 1, dup: true })
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'later', qos: 1, dup: false })
  }
)

scenario('[3.1.1 MQTT-3.3.1-4] a PUBLISH with both QoS bits set closes the connection', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('#')
  for (const firstByte of ['36', '37', '3e', '3f']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(`${firstByte} 05 00 01 74 00 01`)
    await client.isClosed()
  }
  await watcher.receivesNothing()
})

scenario('[3.1.1 MQTT-3.3.2-1] a PUBLISH too short for its Topic Name closes the connection', async ({ connects }) => {
  for (const bytes of ['30 00', '30 01 00', '30 02 00 01', '30 03 00 02 74']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(bytes)
    await client.isClosed()
  }
})

scenario('[3.1.1 MQTT-3.3.2-1] the Topic Name comes first in what the server sends', async ({ connects }) => {
  const client = await connects({ version: 4, acknowledges: false })
  await client.subscribes('a/b', { qos: 1 })
  await client.sends(publish('a/b', 'xy'))
  await client.receivesBytes('30 07 00 03 61 2f 62 78 79')
  const publisher = await connects({ version: 4 })
  await publisher.publishes('a/b', 'xy', { qos: 1 })
  await client.receivesBytes('32 09 00 03 61 2f 62 00 01 78 79')
})

scenario('[3.1.1 MQTT-3.3.2-3] one message reaches all whose filter matches, and nobody else', async ({ connects }) => {
  const filters = ['a/b/c', 'a/+/c', 'a/#', '#', 'b/#', 'a/b', '+', 'A/b/c']
  const subscribers = []
  for (const filter of filters) {
    const subscriber = await connects({ version: 4, clientId: filter })
    await subscriber.subscribes(filter)
    subscribers.push(subscriber)
  }
  const publisher = await connects({ version: 4 })
  await publisher.publishes('a/b/c', 'for four')
  for (const subscriber of subscribers.slice(0, 4)) {
    await subscriber.receives({ type: PacketType.Publish, topicName: 'a/b/c', payload: 'for four' })
  }
  for (const subscriber of subscribers.slice(4)) await subscriber.receivesNothing()
})

scenario('[3.1.1 MQTT-3.3.4-1] QoS 0 is not answered, QoS 1 with PUBACK, QoS 2 with PUBREC', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.sends(publish('t', '0', { qos: 0 }))
  await client.receivesNothing()
  await client.sends(publish('t', '1', { qos: 1, packetIdentifier: 10 }))
  await client.receivesBytes('40 02 00 0a')
  await client.sends(publish('t', '2', { qos: 2, packetIdentifier: 11 }))
  await client.receivesBytes('50 02 00 0b')
  await client.receivesNothing()
  await client.sends(pubrel(11))
  await client.receivesBytes('70 02 00 0b')
})

scenario('[3.1.1 MQTT-3.3.4-1] it is answered the same whether anybody listens or not', async ({ connects }) => {
  const client = await connects({ version: 4 })
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('heard')
  for (const topicName of ['heard', 'unheard']) {
    await client.sends(publish(topicName, '', { qos: 1, packetIdentifier: 5 }))
    await client.receivesBytes('40 02 00 05')
    await client.sends(publish(topicName, '', { qos: 2, packetIdentifier: 6 }))
    await client.receivesBytes('50 02 00 06')
    await client.sends(pubrel(6))
    await client.receivesBytes('70 02 00 06')
  }
  await subscriber.receives({ type: PacketType.Publish, topicName: 'heard' })
  await subscriber.receives({ type: PacketType.Publish, topicName: 'heard' })
})

scenario('[3.1.1 3.3.3] a message may be empty, and holds any bytes', async ({ connects }) => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const client = await connects({ version: 4 })
  await client.subscribes('t', { qos: 1 })
  for (const payload of ['', everyByte]) {
    await client.publishes('t', payload, { qos: 1 })
    await client.receives({ type: PacketType.Publish, topicName: 't', payload })
  }
})

scenario('[3.1.1 3.3] a client gets back what it publishes itself', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.subscribes('t')
  await client.publishes('t', 'echo')
  await client.receives({ type: PacketType.Publish, topicName: 't', payload: 'echo' })
})

scenario(
  '[3.1.1 3.3.1.2] a server that does not offer a QoS closes the connection of those that use it',
  { features: { maximumQoS: 1 } },
  async ({ connects, broker }) => {
    const client = await connects({ version: 4 })
    await client.publishes('t', '', { qos: 1 })
    await client.sends(publish('t', '', { qos: 2 }))
    await client.isClosed()
    expect(broker.running.counts.published).toBe(1)
  }
)
