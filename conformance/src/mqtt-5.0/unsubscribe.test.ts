import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, pubcomp, pubrec, scenario, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-3.10.4-4] [5.0 MQTT-3.10.4-5] [5.0 MQTT-2.2.1-6] each UNSUBSCRIBE is answered by an UNSUBACK with its identifier, also if nothing was subscribed',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const client = await connects({ sessionExpirySeconds })
      await client.sendsBytes('a2 06 01 02 00 00 01 74')
      await client.receivesBytes('b0 04 01 02 00 11')
      await client.subscribes('t')
      await client.sendsBytes('a2 06 ff ff 00 00 01 74')
      await client.receivesBytes('b0 04 ff ff 00 00')
      await client.sendsBytes('a2 06 ff ff 00 00 01 74')
      await client.receivesBytes('b0 04 ff ff 00 11')
    }
  }
)

scenario(
  '[5.0 MQTT-3.10.4-6] [5.0 MQTT-3.11.3-1] [5.0 MQTT-3.11.3-2] several filters are answered by one UNSUBACK, with a code for each in order',
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes(['a', 'b', '$share/g/c'])
    await client.sends(unsubscribe(5, ['a', 'nothing', 'b#', '$share/g/c', 'a', 'b']))
    await client.receivesBytes('b0 09 00 05 00 00 11 8f 00 11 00')
    const publisher = await connects()
    for (const topicName of ['a', 'b', 'c']) {
      await publisher.publishes(topicName, '', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
    }
  }
)

scenario(
  '[5.0 MQTT-3.10.4-1] filters are compared character for character; only the identical subscription is deleted',
  async ({ connects, broker }) => {
    const client = await connects()
    await client.subscribes(['a/+', 'a/b', 'a/#', 'A/b', 'caf\u00e9', '$share/g/a/b'])
    await client.unsubscribes(['a/c', '#', '+/b', 'a/B', 'cafe\u0301', '$share/h/a/b', 'a'], {
      expects: Array.from({ length: 7 }, () => ReasonCode.NoSubscriptionExisted)
    })
    expect(broker.running.counts.subscriptions).toBe(6)
    await client.unsubscribes(['a/b', '$share/g/a/b'])
    const publisher = await connects()
    await publisher.publishes('a/b', 'x')
    await client.receives({ type: PacketType.Publish, payload: 'x' })
    await client.unsubscribes(['a/+', 'a/#'])
    await publisher.publishes('a/b', 'x')
    await client.receivesNothing()
  }
)

scenario('[5.0 MQTT-3.10.4-2] after UNSUBSCRIBE no new message comes, live or later', async ({ connects }) => {
  const client = await connects({ sessionExpirySeconds: 600 })
  await client.subscribes(['t', 'u'], { qos: 1 })
  await client.unsubscribes('t')
  const publisher = await connects()
  for (const qos of [0, 1, 2] as const) await publisher.publishes('t', 'no', { qos })
  await client.receivesNothing()
  await client.dropsConnection()
  await publisher.publishes('t', 'no', { qos: 1 })
  await publisher.publishes('u', 'yes', { qos: 1 })
  const back = await client.reconnects()
  await back.receives({ type: PacketType.Publish, topicName: 'u', payload: 'yes' })
  await back.subscribes('t', { qos: 1 })
  await back.receivesNothing()
})

scenario(
  '[5.0 MQTT-3.10.4-3] deliveries that have begun are finished after UNSUBSCRIBE, also on the next connection',
  async ({ connects }) => {
    const client = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await client.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', '1', { qos: 1 })
    await publisher.publishes('t', '2', { qos: 2 })
    await publisher.publishes('t', '3', { qos: 2 })
    for (const payload of ['1', '2', '3']) await client.receives({ type: PacketType.Publish, payload })
    await client.sends(pubrec(2))
    await client.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await client.unsubscribes('t')
    await client.sends(pubcomp(2))
    await client.dropsConnection()
    const back = await client.reconnects()
    await back.receives({ type: PacketType.Publish, payload: '1', qos: 1, packetIdentifier: 1, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '3', qos: 2, packetIdentifier: 3, dup: true })
    await back.sends(puback(1), pubrec(3))
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
    await back.sends(pubcomp(3))
    await back.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.10.4-3] deliveries that have begun are finished after UNSUBSCRIBE, also by a server that was restarted',
  async ({ connects, broker }) => {
    const client = await connects({ clientId: 'client', sessionExpirySeconds: 600, acknowledges: false })
    await client.subscribes(['t', '$share/g/u'], { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', '1', { qos: 1 })
    await publisher.publishes('t', '2', { qos: 2 })
    await publisher.publishes('u', '3', { qos: 2 })
    for (const payload of ['1', '2', '3']) await client.receives({ type: PacketType.Publish, payload })
    await client.unsubscribes(['t', '$share/g/u'])
    await broker.restarts()
    const back = await client.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 't', payload: '1', qos: 1, packetIdentifier: 1, dup: true })
    await back.receives({ type: PacketType.Publish, topicName: 't', payload: '2', qos: 2, packetIdentifier: 2, dup: true })
    await back.receives({ type: PacketType.Publish, topicName: 'u', payload: '3', qos: 2, packetIdentifier: 3, dup: true })
    await back.sends(puback(1), pubrec(2), pubrec(3))
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
  }
)

scenario(
  '[5.0 MQTT-3.10.4-2] what waits is dropped with its subscription, unless another one matches it',
  async ({ connects, broker }) => {
    const client = await connects({ sessionExpirySeconds: 600, receiveMaximum: 1, acknowledges: false })
    await client.subscribes(['t/a', 't/+'], { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t/b', '1', { qos: 1 })
    await publisher.publishes('t/a', '2', { qos: 1 })
    await publisher.publishes('t/b', '3', { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: '1' })
    await client.unsubscribes('t/+')
    client.acknowledges = true
    await client.sends(puback(1))
    await client.receives({ type: PacketType.Publish, payload: '2' })
    await client.receivesNothing()
    expect(broker.running.fates.get('unsubscribed')).toBeGreaterThan(0)
  }
)

scenario('[5.0 MQTT-3.10.1-1] UNSUBSCRIBE whose flags are not 0010 is malformed', async ({ connects }) => {
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 0b0010) continue
    const client = await connects()
    await client.sendsBytes(`a${flags.toString(16)} 06 00 01 00 00 01 74`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.10.3-1] an UNSUBSCRIBE with a filter that is not UTF-8 is malformed', async ({ connects }) => {
  for (const filter of ['00 01 ff', '00 02 c0 80', '00 03 ed a0 80', '00 02 61 00']) {
    const client = await connects()
    const length = (filter.split(' ').length + 3).toString(16).padStart(2, '0')
    await client.sendsBytes(`a2 ${length} 00 01 00 ${filter}`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.10.3-2] an UNSUBSCRIBE without any filter', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('a2 03 00 01 00')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-2.2.1-3] an UNSUBSCRIBE with Packet Identifier 0', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('a2 06 00 00 00 00 01 74')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})
