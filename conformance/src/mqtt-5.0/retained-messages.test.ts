import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.3.1-5] RETAIN 1 stores the message, and replaces the one before', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'first', { qos: 1, retain: true })
  await publisher.publishes('t', 'second', { qos: 2, retain: true })
  await publisher.publishes('t/u', 'other', { retain: true })
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'second', qos: 2, retain: true, dup: false })
  await publisher.publishes('t', 'third', { qos: 0, retain: true })
  await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'third', retain: false })
  const late = await connects()
  await late.subscribes('t', { qos: 2 })
  await late.receives({ type: PacketType.Publish, topicName: 't', payload: 'third', qos: 0, retain: true })
})

scenario('[5.0 MQTT-3.3.1-5] the retained message outlives its publisher, and comes once per SUBSCRIBE', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { retain: true })
  await publisher.disconnects()
  for (let client = 0; client < 3; client++) {
    const subscriber = await connects()
    await subscriber.subscribes('+')
    await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
  }
})

scenario(
  '[5.0 MQTT-3.3.1-6] an empty payload with RETAIN 1 is delivered in the normal way, and removes the retained message',
  async ({ connects, broker }) => {
    for (const qos of [0, 1, 2] as const) {
      const publisher = await connects()
      await publisher.publishes('t', 'kept', { qos, retain: true })
      const present = await connects()
      await present.subscribes('t', { qos: 2 })
      await present.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
      await publisher.publishes('t', '', { qos, retain: true })
      await present.receives({ type: PacketType.Publish, topicName: 't', payload: '', qos, retain: false })
      const late = await connects()
      await late.subscribes('t', { qos: 2 })
      await late.receivesNothing()
      await present.disconnects()
      await late.disconnects()
    }
    expect(broker.running.counts.retainedMessages).toBe(0)
  }
)

scenario('[5.0 MQTT-3.3.1-7] an empty payload is never a retained message', async ({ connects, broker }) => {
  const publisher = await connects()
  await publisher.publishes('t', '', { qos: 1, retain: true, contentType: 'text/plain' })
  expect(broker.running.counts.retainedMessages).toBe(0)
  const subscriber = await connects()
  await subscriber.subscribes('t')
  await subscriber.receivesNothing()
})

scenario('[5.0 MQTT-3.3.1-8] RETAIN 0 leaves the retained message as it is', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('u', 'not kept', { qos: 1 })
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  await publisher.publishes('t', 'not kept', { qos: 1 })
  await publisher.publishes('t', '', { qos: 1 })
  const subscriber = await connects()
  await subscriber.subscribes(['t', 'u'], { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
})

scenario('[5.0 MQTT-3.3.1-5] a QoS 2 message is retained when it is passed on, at PUBREL', async ({ connects }) => {
  const publisher = await connects()
  await publisher.sends(publish('t', 'kept', { qos: 2, retain: true, packetIdentifier: 9 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 9, reasonCode: ReasonCode.Success })
  const early = await connects()
  await early.subscribes('t')
  await early.receivesNothing()
  await publisher.sendsBytes('62 02 00 09')
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 9 })
  await early.receives({ type: PacketType.Publish, payload: 'kept', retain: false })
  const late = await connects()
  await late.subscribes('t')
  await late.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
})

scenario('[5.0 MQTT-3.8.4-8] a retained message comes at the lower of its QoS and the granted one', async ({ connects }) => {
  const publisher = await connects()
  for (const published of [0, 1, 2] as const) {
    await publisher.publishes('t', 'kept', { qos: published, retain: true })
    for (const granted of [0, 1, 2] as const) {
      const subscriber = await connects()
      await subscriber.subscribes('t', { qos: granted })
      await subscriber.receives({ type: PacketType.Publish, payload: 'kept', qos: published < granted ? published : granted })
      await subscriber.disconnects()
    }
  }
})

const EACH = Array.from({ length: 10 }, (_, index) => `t/${index}`)

scenario(
  '[5.0 MQTT-3.3.1-9] [5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-2] more retained messages than the Receive Maximum come bit by bit, each once',
  async ({ connects }) => {
    const publisher = await connects()
    for (const topicName of EACH) await publisher.publishes(topicName, topicName, { qos: 1, retain: true })
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 3, acknowledges: false })
      await subscriber.subscribes('t/#', { qos: 1 })
      const received: string[] = []
      for (let packetIdentifier = 1; packetIdentifier <= 10; packetIdentifier++) {
        const inFlight = Math.min(3, 11 - packetIdentifier)
        expect(subscriber.inbox.length).toBe(packetIdentifier === 1 ? 3 : inFlight)
        const { topicName } = await subscriber.receives({ type: PacketType.Publish, qos: 1, retain: true, packetIdentifier })
        received.push(topicName)
        await subscriber.sends(puback(packetIdentifier))
      }
      expect(received.toSorted()).toEqual(EACH)
      await subscriber.receivesNothing()
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-3.3.1-9] retained messages that wait for room go on after the connection broke, and after the server did',
  async ({ connects, broker }) => {
    const publisher = await connects()
    for (const topicName of EACH) await publisher.publishes(topicName, topicName, { qos: 1, retain: true })
    const subscriber = await connects({
      clientId: 'subscriber',
      sessionExpirySeconds: 600,
      receiveMaximum: 3,
      acknowledges: false
    })
    await subscriber.subscribes('t/#', { qos: 1 })
    const topics: string[] = []
    for (let index = 1; index <= 3; index++) {
      topics.push((await subscriber.receives({ type: PacketType.Publish, retain: true, packetIdentifier: index })).topicName)
    }
    await subscriber.dropsConnection()
    const second = await subscriber.reconnects()
    for (const topicName of topics.slice(0, 3)) {
      const { packetIdentifier } = await second.receives({ type: PacketType.Publish, topicName, retain: true, dup: true })
      await second.sends(puback(packetIdentifier))
    }
    for (let index = 4; index <= 6; index++) {
      topics.push((await second.receives({ type: PacketType.Publish, retain: true, dup: false })).topicName)
    }
    await broker.restarts()
    const third = await second.reconnects({ acknowledges: true })
    for (const topicName of topics.slice(3, 6)) {
      await third.receives({ type: PacketType.Publish, topicName, retain: true, dup: true })
    }
    for (let index = 7; index <= 10; index++) {
      topics.push((await third.receives({ type: PacketType.Publish, retain: true, dup: false })).topicName)
    }
    expect(topics.toSorted()).toEqual(EACH)
  }
)

scenario(
  '[5.0 MQTT-3.3.1-9] retained messages of a SUBSCRIBE that was granted while the window was full survive a restart',
  async ({ connects, broker }) => {
    const publisher = await connects()
    await publisher.publishes('kept', 'kept', { qos: 1, retain: true })
    const subscriber = await connects({
      clientId: 'subscriber',
      sessionExpirySeconds: 600,
      receiveMaximum: 1,
      acknowledges: false
    })
    await subscriber.subscribes('live', { qos: 1 })
    await publisher.publishes('live', 'live', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'live' })
    await subscriber.subscribes('kept', { qos: 1 })
    await broker.restarts()
    const back = await subscriber.reconnects({ acknowledges: true })
    await back.receives({ type: PacketType.Publish, payload: 'live', dup: true })
    await back.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: false })
  }
)

scenario(
  '[5.0 MQTT-3.3.1-5] a retained message that is replaced while others wait for room comes once, with its latest payload',
  async ({ connects }) => {
    const publisher = await connects()
    for (const topicName of EACH) await publisher.publishes(topicName, 'old', { qos: 1, retain: true })
    const subscriber = await connects({ receiveMaximum: 1, acknowledges: false })
    await subscriber.subscribes('t/#', { qos: 1 })
    const latest = new Map<string, string>()
    const { topicName: first } = await subscriber.receives({ type: PacketType.Publish, payload: 'old' })
    const replaced = EACH.find((topicName) => topicName !== first) ?? ''
    await publisher.publishes(replaced, 'new', { qos: 1, retain: true })
    await subscriber.receivesNothing()
    subscriber.acknowledges = true
    await subscriber.sends(puback(1))
    const rest = [...subscriber.inbox]
    subscriber.ignoresTheRest()
    for (const packet of rest) {
      if (packet.type === PacketType.Publish) latest.set(packet.topicName, Buffer.from(packet.payload).toString())
    }
    expect(latest.get(replaced)).toBe('new')
    expect(rest.length).toBe(9)
  }
)

scenario('[5.0 MQTT-3.3.1-5] retained messages outlive a restart of the server', async ({ connects, broker }) => {
  const publisher = await connects()
  await publisher.publishes('kept', 'yes', { qos: 1, retain: true, contentType: 'text/plain' })
  await publisher.publishes('gone', 'no', { qos: 1, retain: true })
  await publisher.publishes('gone', '', { qos: 1, retain: true })
  await broker.crashes()
  await broker.starts()
  const subscriber = await connects()
  await subscriber.subscribes('#', { qos: 1 })
  await subscriber.receives({
    type: PacketType.Publish,
    topicName: 'kept',
    payload: 'yes',
    qos: 1,
    retain: true,
    properties: { contentType: 'text/plain' }
  })
})

scenario(
  '[5.0 MQTT-3.3.1-5] one retained message too many is refused with its reason; replacing and removing goes on',
  { limits: { retainedMessagesMax: 2 } },
  async ({ connects }) => {
    const publisher = await connects()
    await publisher.publishes('a', '1', { qos: 1, retain: true })
    await publisher.publishes('b', '1', { qos: 1, retain: true })
    await publisher.publishes('c', '1', { qos: 1, retain: true, expects: ReasonCode.QuotaExceeded })
    await publisher.publishes('c', '1', { qos: 2, retain: true, expects: ReasonCode.QuotaExceeded })
    await publisher.publishes('b', '2', { qos: 1, retain: true })
    await publisher.publishes('a', '', { qos: 1, retain: true })
    await publisher.publishes('c', '3', { qos: 1, retain: true })
    const subscriber = await connects()
    await subscriber.subscribes('#')
    await subscriber.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'b', payload: '2' },
      { type: PacketType.Publish, topicName: 'c', payload: '3' }
    )
  }
)
