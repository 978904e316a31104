import { PacketType, ReasonCode, RetainHandling } from '@godwit/protocol'
import { puback, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-3.8.4-1] [5.0 MQTT-3.8.4-2] [5.0 MQTT-2.2.1-6] each SUBSCRIBE is answered by a SUBACK with its identifier',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const client = await connects({ sessionExpirySeconds })
      for (const packetIdentifier of [1, 7, 255, 256, 65_535, 1]) {
        await client.sends(subscribe(packetIdentifier, ['t']))
        await client.receives({ type: PacketType.Suback, packetIdentifier, reasonCodes: [ReasonCode.GrantedQoS0] })
      }
      await client.sends(subscribe(3, ['a']), subscribe(2, ['b']), subscribe(3, ['c']))
      for (const packetIdentifier of [3, 2, 3]) await client.receives({ type: PacketType.Suback, packetIdentifier })
    }
  }
)

scenario(
  '[5.0 MQTT-3.8.4-5] [5.0 MQTT-3.8.4-6] [5.0 MQTT-3.8.4-7] [5.0 MQTT-3.9.3-1] a SUBSCRIBE with several filters is answered by one SUBACK, with a code for each in order',
  async ({ connects }) => {
    const client = await connects()
    await client.sends(
      subscribe(9, [
        ['a', { qos: 2 }],
        ['b#', { qos: 1 }],
        ['b', { qos: 1 }],
        ['$share//t', { qos: 0 }],
        ['c', { qos: 0 }],
        ['a', { qos: 1 }]
      ])
    )
    await client.receivesBytes('90 09 00 09 00 02 8f 01 8f 00 01')
    const publisher = await connects()
    for (const topicName of ['a', 'b', 'c']) await publisher.publishes(topicName, topicName, { qos: 2 })
    await client.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'a', qos: 1 },
      { type: PacketType.Publish, topicName: 'b', qos: 1 },
      { type: PacketType.Publish, topicName: 'c', qos: 0 }
    )
  }
)

scenario(
  '[5.0 MQTT-3.8.4-5] [5.0 MQTT-3.3.1-9] each filter of a SUBSCRIBE brings its retained messages by its own options',
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.publishes('t', 'kept', { qos: 1, retain: true })
    const client = await connects()
    await client.subscribes([
      ['t', { qos: 1 }],
      ['+', { qos: 0 }],
      ['#', { retainHandling: RetainHandling.DoNotSend }],
      ['t/#', { retainHandling: RetainHandling.SendIfNew, qos: 1 }]
    ])
    await client.receivesInAnyOrder(
      { type: PacketType.Publish, payload: 'kept', retain: true, qos: 1 },
      { type: PacketType.Publish, payload: 'kept', retain: true, qos: 0 },
      { type: PacketType.Publish, payload: 'kept', retain: true, qos: 1 }
    )
  }
)

scenario(
  '[5.0 MQTT-3.8.4-3] a SUBSCRIBE with the same filter replaces the subscription, options and all',
  async ({ connects, broker }) => {
    const client = await connects({ sessionExpirySeconds: 60 })
    const publisher = await connects()
    await client.subscribes('t', { qos: 2, retainAsPublished: true, identifier: 1 })
    await publisher.publishes('t', '1', { qos: 2, retain: true })
    await client.receives({ type: PacketType.Publish, payload: '1', qos: 2, retain: true })
    await client.subscribes('t', { qos: 0, noLocal: true, identifier: 2, retainHandling: RetainHandling.DoNotSend })
    expect(broker.running.counts.subscriptions).toBe(1)
    await publisher.publishes('t', '2', { qos: 2, retain: true })
    await client.receives({
      type: PacketType.Publish,
      payload: '2',
      qos: 0,
      retain: false,
      properties: { subscriptionIdentifiers: [2] }
    })
    await client.publishes('t', 'mine', { qos: 1 })
    await client.receivesNothing()
    await client.subscribes('t', { qos: 1, retainHandling: RetainHandling.DoNotSend })
    await client.publishes('t', 'mine', { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: 'mine', qos: 1, properties: {} })
  }
)

scenario(
  '[5.0 MQTT-3.8.4-3] filters are the same only if they are equal character for character; the client is sent one copy',
  async ({ connects, broker }) => {
    const client = await connects()
    await client.subscribes(['t', 'T', 't/', '+', '$share/g/t'])
    expect(broker.running.counts.subscriptions).toBe(5)
    const publisher = await connects()
    await publisher.publishes('t', 'x')
    await client.receivesInAnyOrder({ type: PacketType.Publish, payload: 'x' }, { type: PacketType.Publish, payload: 'x' })
  }
)

scenario(
  '[5.0 MQTT-3.8.4-4] messages that wait for room are not lost when their subscription is replaced by one with QoS 0',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const client = await connects({ sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
      await client.subscribes('t', { qos: 1 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
      await client.receives({ type: PacketType.Publish, payload: '1' })
      await client.subscribes('t', { qos: 0 })
      client.acknowledges = true
      await client.sendsBytes('40 02 00 01')
      await client.receives({ type: PacketType.Publish, payload: '2' })
      await client.receives({ type: PacketType.Publish, payload: '3' })
      await publisher.publishes('t', '4', { qos: 1 })
      await client.receives({ type: PacketType.Publish, payload: '4', qos: 0 })
      await client.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-3.8.4-4] replaced by one with QoS 0 and then by one with QoS 1 again: no message is lost, none comes twice',
  async ({ connects, broker }) => {
    const client = await connects({ sessionExpirySeconds: 600, receiveMaximum: 1, acknowledges: false })
    await client.subscribes('t', { qos: 1 })
    const publisher = await connects()
    for (const payload of ['1', '2', '3']) await publisher.publishes('t', payload, { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1 })
    await client.subscribes('t', { qos: 0 })
    await publisher.publishes('t', '4', { qos: 1 })
    await client.receives({ type: PacketType.Publish, payload: '4', qos: 0 })
    await client.subscribes('t', { qos: 1 })
    await publisher.publishes('t', '5', { qos: 1 })
    await client.dropsConnection()
    const back = await client.reconnects({ receiveMaximum: 2 })
    await back.receives({ type: PacketType.Publish, payload: '1', packetIdentifier: 1, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '2', packetIdentifier: 2 })
    back.acknowledges = true
    await back.sends(puback(1), puback(2))
    await back.receives({ type: PacketType.Publish, payload: '3' })
    await back.receives({ type: PacketType.Publish, payload: '5', qos: 1 })
    await publisher.publishes('t', '6', { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: '6', qos: 1 })

    back.acknowledges = false
    for (const payload of ['7', '8', '9', '10']) await publisher.publishes('t', payload, { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: '7' })
    await back.receives({ type: PacketType.Publish, payload: '8' })
    await back.subscribes('t', { qos: 0 })
    await publisher.publishes('t', '11', { qos: 1 })
    await back.receives({ type: PacketType.Publish, payload: '11', qos: 0 })
    await back.disconnects({ sessionExpirySeconds: 0 })
    expect(broker.running.fates.get('session-ended')).toBe(4)
  }
)

const REFUSES_SECRETS = {
  authorize: (_client: unknown, request: { readonly action: string; readonly topicFilter?: string }) =>
    request.topicFilter !== 'secret'
}

scenario(
  '[5.0 MQTT-3.8.4-7] [5.0 MQTT-3.9.3-2] a filter that is not authorized gets 0x87, the others are granted',
  REFUSES_SECRETS,
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes(['open', 'secret', '$share/g/secret', '$share/g/open'], {
      qos: 1,
      expects: [ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized, ReasonCode.NotAuthorized, ReasonCode.GrantedQoS1]
    })
    const publisher = await connects()
    await publisher.publishes('secret', 'x', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
    await client.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.9.3-2] a filter that is refused leaves the subscription that there was',
  { limits: { subscriptionsPerClientMax: 2 } },
  async ({ connects }) => {
    const client = await connects()
    await client.subscribes(['a', 'b', 'c'], { expects: [0, 0, ReasonCode.QuotaExceeded] })
    await client.subscribes(['a', 'd'], { qos: 1, expects: [1, ReasonCode.QuotaExceeded] })
    await client.unsubscribes('b')
    await client.subscribes('d', { qos: 1 })
    const publisher = await connects()
    for (const topicName of ['a', 'b', 'c', 'd']) await publisher.publishes(topicName, topicName, { qos: 1 })
    await client.receives({ type: PacketType.Publish, topicName: 'a', qos: 1 })
    await client.receives({ type: PacketType.Publish, topicName: 'd', qos: 1 })
  }
)

scenario('[5.0 MQTT-3.8.1-1] [5.0 MQTT-4.13.1-1] SUBSCRIBE whose flags are not 0010 is malformed', async ({ connects }) => {
  for (let flags = 0; flags < 16; flags++) {
    if (flags === 0b0010) continue
    const client = await connects()
    await client.sendsBytes(`8${flags.toString(16)} 07 00 01 00 00 01 74 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.8.3-1] a SUBSCRIBE with a filter that is not UTF-8 is malformed', async ({ connects }) => {
  for (const filter of ['00 01 ff', '00 02 c0 80', '00 03 ed a0 80', '00 02 61 00']) {
    const client = await connects()
    const length = (filter.split(' ').length + 4).toString(16).padStart(2, '0')
    await client.sendsBytes(`82 ${length} 00 01 00 ${filter} 00`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-3.8.3-2] a SUBSCRIBE without any filter', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('82 03 00 01 00')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.8.3-5] a SUBSCRIBE with a reserved Subscription Option is malformed', async ({ connects }) => {
  for (const options of ['40', '80', 'c0', '41', '9d']) {
    const client = await connects()
    await client.sendsBytes(`82 07 00 01 00 00 01 74 ${options}`)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-4.13.1-1] a SUBSCRIBE with QoS 3', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('82 07 00 01 00 00 01 74 03')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-2.2.1-3] a SUBSCRIBE with Packet Identifier 0', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('82 07 00 00 00 00 01 74 00')
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-4.13.1-1] a SUBSCRIBE whose filter lacks its options is malformed', async ({ connects }) => {
  for (const bytes of ['82 06 00 01 00 00 01 74', '82 09 00 01 00 00 01 74 00 00 05', '82 02 00 01']) {
    const client = await connects()
    await client.sendsBytes(bytes)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario('[5.0 MQTT-4.13.1-1] nothing of a SUBSCRIBE that breaks the rules takes effect', async ({ connects, broker }) => {
  const client = await connects({ sessionExpirySeconds: 600 })
  await client.sendsBytes('82 0b 00 01 00 00 01 74 00 00 01 75 80')
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  expect(broker.running.counts.subscriptions).toBe(0)
})
