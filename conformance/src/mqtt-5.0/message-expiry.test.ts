import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, pubcomp, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.3.2-6] a message that goes on at once keeps its Message Expiry Interval', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects()
  for (const messageExpiryInterval of [1, 127, 128, 65_535, 0xffff_ffff]) {
    await publisher.publishes('t', 'now', { qos: 1, messageExpiryInterval })
    await subscriber.receives({ type: PacketType.Publish, payload: 'now', properties: { messageExpiryInterval } })
  }
})

scenario(
  '[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] what waits for an absent subscriber counts down, and is deleted when its time is up',
  async ({ connects, clock, broker }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600 })
    await subscriber.subscribes('t', { qos: 2 })
    await subscriber.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('t', 'short', { qos: 1, messageExpiryInterval: 10 })
    await publisher.publishes('t', 'long', { qos: 1, messageExpiryInterval: 30 })
    await publisher.publishes('t', 'long at QoS 2', { qos: 2, messageExpiryInterval: 40 })
    await publisher.publishes('t', 'for ever', { qos: 1 })
    await clock.advancesSeconds(10)
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'long', properties: { messageExpiryInterval: 20 } })
    await back.receivesInAnyOrder(
      { type: PacketType.Publish, payload: 'long at QoS 2', properties: { messageExpiryInterval: 30 } },
      { type: PacketType.Publish, payload: 'for ever', properties: {} }
    )
    await back.receivesNothing()
    expect(broker.running.fates.get('expired')).toBe(1)
  }
)

scenario(
  '[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] what waits for room in the Receive Maximum counts down, and is deleted when its time is up',
  async ({ connects, clock }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 1, acknowledges: false })
      await subscriber.subscribes('t', { qos: 1 })
      const publisher = await connects()
      await publisher.publishes('t', 'first', { qos: 1, messageExpiryInterval: 5 })
      await publisher.publishes('t', 'short', { qos: 1, messageExpiryInterval: 10 })
      await publisher.publishes('t', 'long', { qos: 1, messageExpiryInterval: 30 })
      await subscriber.receives({ type: PacketType.Publish, payload: 'first', properties: { messageExpiryInterval: 5 } })
      await clock.advancesSeconds(12)
      await subscriber.receivesNothing()
      subscriber.acknowledges = true
      await subscriber.sendsBytes('40 02 00 01')
      await subscriber.receives({ type: PacketType.Publish, payload: 'long', properties: { messageExpiryInterval: 18 } })
      await subscriber.receivesNothing()
      await subscriber.disconnects({ reasonCode: ReasonCode.NormalDisconnection })
    }
  }
)

scenario('[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] a retained message counts down, and goes', async ({ connects, clock }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { qos: 1, retain: true, messageExpiryInterval: 60 })
  await clock.advancesSeconds(25)
  const early = await connects()
  await early.subscribes('t', { qos: 1 })
  await early.receives({ type: PacketType.Publish, payload: 'kept', retain: true, properties: { messageExpiryInterval: 35 } })
  await clock.advancesSeconds(34)
  const late = await connects()
  await late.subscribes('t')
  await late.receives({ type: PacketType.Publish, payload: 'kept', retain: true, properties: { messageExpiryInterval: 1 } })
  await clock.advancesSeconds(1)
  const tooLate = await connects()
  await tooLate.subscribes('t')
  await tooLate.receivesNothing()
})

scenario('[5.0 MQTT-3.3.2-5] [5.0 MQTT-3.3.2-6] expiry goes on while the server is down', async ({ connects, clock, broker }) => {
  const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 600 })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.dropsConnection()
  const publisher = await connects()
  await publisher.publishes('t', 'short', { qos: 1, messageExpiryInterval: 10 })
  await publisher.publishes('t', 'long', { qos: 1, messageExpiryInterval: 30 })
  await broker.crashes()
  await clock.advancesSeconds(20)
  await broker.starts()
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'long', properties: { messageExpiryInterval: 10 } })
})

scenario('[5.0 MQTT-3.3.2-5] what waits with a shared subscription expires as well', async ({ connects, clock, broker }) => {
  const member = await connects({ sessionExpirySeconds: 600 })
  await member.subscribes('$share/g/t', { qos: 1 })
  await member.dropsConnection()
  const publisher = await connects()
  await publisher.publishes('t', 'short', { qos: 1, messageExpiryInterval: 10 })
  await publisher.publishes('t', 'long', { qos: 1, messageExpiryInterval: 30 })
  await clock.advancesSeconds(15)
  const back = await member.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'long', properties: { messageExpiryInterval: 15 } })
  expect(broker.running.fates.get('expired')).toBe(1)
})

scenario('[5.0 MQTT-4.3.3-7] a QoS 2 message that has been sent does not expire any more', async ({ connects, clock }) => {
  const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.publishes('t', 'begun', { qos: 2, messageExpiryInterval: 5 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'begun', packetIdentifier: 1 })
  await subscriber.dropsConnection()
  await clock.advancesSeconds(20)
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'begun', qos: 2, dup: true, packetIdentifier: 1 })
  await back.sends(pubrec(1))
  await back.receives({ type: PacketType.Pubrel, packetIdentifier: 1, reasonCode: ReasonCode.Success })
  await clock.advancesSeconds(20)
  await back.sends(pubcomp(1))
  await back.receivesNothing()
})

scenario(
  '[5.0 MQTT-4.3.3-13] the exchange is finished though the message expires before PUBREL; subscribers do not get it',
  async ({ connects, clock, broker }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.sends(publish('t', 'late', { qos: 2, packetIdentifier: 7, messageExpiryInterval: 5 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 7, reasonCode: ReasonCode.Success })
    await clock.advancesSeconds(6)
    await publisher.sends(pubrel(7))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 7, reasonCode: ReasonCode.Success })
    await subscriber.receivesNothing()
    expect(broker.running.fates.get('expired')).toBe(1)
  }
)

scenario('[5.0 MQTT-3.3.2-6] the time between PUBLISH and PUBREL counts as time in the server', async ({ connects, clock }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  await publisher.sends(publish('t', 'held', { qos: 2, packetIdentifier: 7, messageExpiryInterval: 50 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  await clock.advancesSeconds(20)
  await publisher.sends(pubrel(7))
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 7 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'held', properties: { messageExpiryInterval: 30 } })
})

scenario(
  '[5.0 MQTT-3.3.2-5] a QoS 2 message that never left because its identifier was not yet on record expires like one that waits',
  async ({ connects, clock, store }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600 })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.sends(publish('t', 'held', { qos: 2, packetIdentifier: 1, messageExpiryInterval: 5 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
    store.holdsCommits()
    await publisher.sends(pubrel(1))
    await subscriber.receivesNothing()
    await subscriber.dropsConnection()
    await clock.advancesSeconds(6)
    store.releasesCommits()
    const back = await subscriber.reconnects()
    await back.receivesNothing()
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
  }
)
