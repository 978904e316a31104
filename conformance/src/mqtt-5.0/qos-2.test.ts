import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, pubcomp, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-4.3.3-8] [5.0 MQTT-4.3.3-11] PUBREC and PUBCOMP have the identifier of the PUBLISH; the message is passed on at PUBREL',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects()
      await subscriber.subscribes('t', { qos: 1 })
      const publisher = await connects({ sessionExpirySeconds })
      await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 12 }))
      await publisher.receivesBytes('50 02 00 0c')
      await subscriber.receivesNothing()
      await publisher.sends(pubrel(12))
      await publisher.receivesBytes('70 02 00 0c')
      await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.3-10] before PUBREL a repeated PUBLISH gets PUBREC again, and is passed on once',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects()
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects({ sessionExpirySeconds })
      for (const dup of [false, true, true]) {
        await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3, dup }))
        await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
      }
      await publisher.sends(pubrel(3))
      await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
      await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
      await subscriber.receivesNothing()
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.3-10] a repeated PUBLISH gets PUBREC again where a new message would be refused for want of room',
  { limits: { unreleasedBytesMax: 1024 } },
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    const message = publish('t', 'x'.repeat(800), { qos: 2, packetIdentifier: 3 })
    await publisher.sends(message)
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await publisher.sends(publish('t', 'y'.repeat(800), { qos: 2, packetIdentifier: 4 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 4, reasonCode: ReasonCode.QuotaExceeded })
    await publisher.sends({ ...message, dup: true })
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await publisher.sends(pubrel(3))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await subscriber.receives({ type: PacketType.Publish, payload: 'x'.repeat(800) })
  }
)

scenario(
  '[5.0 MQTT-4.3.3-10] a repeated PUBLISH gets PUBREC again though its publisher may not publish to the topic any more',
  async ({ connects, broker }) => {
    let isAllowed = true
    await broker.restarts({ authorize: (_client, request) => request.action === 'subscribe' || isAllowed })
    const subscriber = await connects()
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    isAllowed = false
    await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3, dup: true }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await publisher.sends(pubrel(3))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
  }
)

scenario('[5.0 MQTT-4.3.3-12] after PUBCOMP the identifier stands for a new message', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects()
  for (const payload of ['one', 'two']) {
    await publisher.sends(publish('t', payload, { qos: 2, packetIdentifier: 3, dup: payload === 'two' }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
    await publisher.sends(pubrel(3))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3 })
    await subscriber.receives({ type: PacketType.Publish, payload })
  }
})

scenario('[5.0 MQTT-4.3.3-11] a repeated PUBREL gets PUBCOMP again and passes nothing on', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ sessionExpirySeconds: 600 })
  await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await publisher.sends(pubrel(3), pubrel(3))
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.PacketIdentifierNotFound })
  await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
})

scenario('[5.0 MQTT-4.3.3-10] the receiver’s state outlives the connection', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ sessionExpirySeconds: 600 })
  await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await publisher.dropsConnection()
  const back = await publisher.reconnects()
  await back.sends(publish('t', 'once', { qos: 2, packetIdentifier: 3, dup: true }))
  await back.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
  await back.sends(pubrel(3))
  await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
  await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
})

scenario(
  '[5.0 MQTT-4.1.0-2] with the publisher’s session what it has not released is gone, and counted',
  async ({ connects, broker }) => {
    const subscriber = await connects()
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.sends(publish('t', 'never', { qos: 2, packetIdentifier: 3 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
    await publisher.dropsConnection()
    const back = await publisher.reconnects()
    await back.sends(pubrel(3))
    await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.PacketIdentifierNotFound })
    await subscriber.receivesNothing()
    expect(broker.running.fates.get('never-released')).toBe(1)
  }
)

scenario(
  '[5.0 MQTT-4.3.3-1] [5.0 MQTT-4.3.3-2] [5.0 MQTT-4.3.3-4] [5.0 MQTT-4.3.3-5] the server as sender: a free identifier, DUP 0, PUBREL after PUBREC',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, acknowledges: false })
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects()
      await publisher.publishes('t', 'a', { qos: 2 })
      await publisher.publishes('t', 'b', { qos: 2 })
      await subscriber.receivesBytes('34 07 00 01 74 00 01 00 61')
      await subscriber.receivesBytes('34 07 00 01 74 00 02 00 62')
      await subscriber.sends(pubrec(1, ReasonCode.NoMatchingSubscribers))
      await subscriber.receivesBytes('62 02 00 01')
      await subscriber.sends(pubrec(2))
      await subscriber.receivesBytes('62 02 00 02')
      await subscriber.sends(pubrec(2))
      await subscriber.receivesBytes('62 02 00 02')
      await publisher.publishes('t', 'c', { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, payload: 'c', packetIdentifier: 3 })
      await subscriber.sends(pubcomp(1), pubcomp(2))
      await subscriber.receivesNothing()
      await subscriber.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.3-4] [5.0 MQTT-4.4.0-2] after a PUBREC of 0x80 and above there is no PUBREL, and nothing is sent again',
  async ({ connects, broker }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', 'refused', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'refused', packetIdentifier: 1 })
    await subscriber.sends(pubrec(1, ReasonCode.PayloadFormatInvalid))
    await subscriber.receivesNothing()
    expect(broker.running.fates.get('refused-by-client')).toBe(1)
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-4.3.3-3] [5.0 MQTT-4.3.3-5] [5.0 MQTT-4.3.3-6] until PUBREC the PUBLISH is sent again, from then on only PUBREL until PUBCOMP',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', 'once', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'once', packetIdentifier: 1, dup: false })
    await subscriber.dropsConnection()
    const second = await subscriber.reconnects()
    await second.receives({ type: PacketType.Publish, payload: 'once', packetIdentifier: 1, dup: true })
    await second.sends(pubrec(1))
    await second.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    await second.dropsConnection()
    const third = await subscriber.reconnects()
    await third.receives({ type: PacketType.Pubrel, packetIdentifier: 1, reasonCode: ReasonCode.Success })
    await third.dropsConnection()
    const fourth = await subscriber.reconnects()
    await fourth.receives({ type: PacketType.Pubrel, packetIdentifier: 1, reasonCode: ReasonCode.Success })
    await fourth.sends(pubcomp(1))
    await fourth.dropsConnection()
    const fifth = await subscriber.reconnects()
    await fifth.receivesNothing()
  }
)
