import { PacketType } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[3.1.1 MQTT-4.3.1-1] the server sends QoS 0 with QoS 0 and DUP 0, once', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false })
  await subscriber.subscribes('t', { qos: 0 })
  await subscriber.publishes('t', 'm', { qos: 2, dup: true })
  await subscriber.receivesBytes('30 04 00 01 74 6d')
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.3.2-1] a QoS 1 message has a free identifier and DUP 0, and is unacknowledged until PUBACK',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'one', { qos: 1 })
    await publisher.publishes('t', 'two', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'one', qos: 1, dup: false, packetIdentifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'two', qos: 1, dup: false, packetIdentifier: 2 })
    await subscriber.sends(puback(1))
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'two', qos: 1, dup: true, packetIdentifier: 2 })
    await back.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.3.2-1] an unacknowledged message is not sent again on the same connection',
  async ({ connects, clock }) => {
    const subscriber = await connects({ version: 4, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'one', { qos: 1 })
    await publisher.publishes('t', 'two', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'one' })
    await subscriber.receives({ type: PacketType.Publish, payload: 'two' })
    await clock.advancesSeconds(3600)
    await subscriber.receivesNothing()
  }
)

scenario('[3.1.1 MQTT-4.3.2-2] after PUBACK the identifier stands for a new message, whatever DUP says', async ({ connects }) => {
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4, acknowledges: false })
  for (const payload of ['one', 'two', 'three']) {
    await publisher.sends(publish('t', payload, { qos: 1, packetIdentifier: 9, dup: payload !== 'one' }))
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 9 })
    await subscriber.receives({ type: PacketType.Publish, payload, dup: false })
  }
})

scenario('[3.1.1 MQTT-4.3.3-1] a QoS 2 message is sent, released on PUBREC, and gone on PUBCOMP', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'm', { qos: 2 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'm', qos: 2, dup: false, packetIdentifier: 1 })
  await subscriber.receivesNothing()
  await subscriber.sends(pubrec(1))
  await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await subscriber.receivesNothing()
  await subscriber.sends(pubcomp(1))
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receivesNothing()
})

scenario('[3.1.1 MQTT-4.3.3-1] a repeated PUBREC gets PUBREL again, never the PUBLISH', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'm', { qos: 2 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'm', packetIdentifier: 1 })
  await subscriber.sends(pubrec(1))
  await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await subscriber.sends(pubrec(1))
  await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await subscriber.dropsConnection()
  const back = await subscriber.reconnects()
  await back.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  await back.sends(pubcomp(1))
  await back.receivesNothing()
})

scenario('[3.1.1 MQTT-4.3.3-1] a PUBREC for nothing that is in flight is answered with PUBREL', async ({ connects }) => {
  const client = await connects({ version: 4, acknowledges: false })
  await client.sends(pubrec(77))
  await client.receivesBytes('62 02 00 4d')
  await client.sends(pubcomp(77))
  await client.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.3.3-2] repeats of a QoS 2 PUBLISH get PUBREC and are not delivered again; PUBREL gets PUBCOMP',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    for (const dup of [false, true, true, false]) {
      await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 4, dup }))
      await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
    }
    await publisher.sends(pubrel(4))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 4 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'once', qos: 2, dup: false })
    await subscriber.receivesNothing()
    await publisher.sends(pubrel(4))
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 4 })
    await subscriber.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.3.3-2] after PUBCOMP the identifier stands for a new message, whatever DUP says',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    for (const payload of ['one', 'two']) {
      await publisher.sends(publish('t', payload, { qos: 2, packetIdentifier: 4, dup: payload === 'two' }))
      await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
      await publisher.sends(pubrel(4))
      await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 4 })
      await subscriber.receives({ type: PacketType.Publish, payload })
    }
  }
)

scenario('[3.1.1 MQTT-4.3.3-2] a PUBREL for an identifier that is not known gets PUBCOMP', async ({ connects }) => {
  const client = await connects({ version: 4, acknowledges: false })
  await client.sendsBytes('62 02 01 01')
  await client.receivesBytes('70 02 01 01')
})

scenario('[3.1.1 MQTT-4.3.3-2] a repeat after a new connection is still the same message', async ({ connects }) => {
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 4 }))
  await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
  await publisher.dropsConnection()
  const back = await publisher.reconnects()
  await back.sends(publish('t', 'once', { qos: 2, packetIdentifier: 4, dup: true }), pubrel(4))
  await back.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
  await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 4 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
  await subscriber.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.3.3-2] with CleanSession 1 a message that was not released is gone, and its identifier new',
  async ({ connects, broker }) => {
    const subscriber = await connects({ version: 4 })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    await publisher.sends(publish('t', 'lost', { qos: 2, packetIdentifier: 4 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
    await publisher.dropsConnection()
    const back = await publisher.reconnects({ cleanStart: true })
    await back.sends(publish('t', 'new', { qos: 2, packetIdentifier: 4 }), pubrel(4))
    await back.receives({ type: PacketType.Pubrec, packetIdentifier: 4 })
    await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 4 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'new' })
    await subscriber.receivesNothing()
    expect(broker.running.fates.get('never-released')).toBe(1)
  }
)

scenario('[3.1.1 4.3] acknowledgements for nothing in flight, or of the wrong kind, change nothing', async ({ connects }) => {
  const client = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await client.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'one', { qos: 1 })
  await publisher.publishes('t', 'two', { qos: 2 })
  await client.receives({ type: PacketType.Publish, payload: 'one', packetIdentifier: 1 })
  await client.receives({ type: PacketType.Publish, payload: 'two', packetIdentifier: 2 })
  await client.sends(puback(2), pubcomp(1), pubcomp(2), puback(99), pubcomp(99))
  await client.dropsConnection()
  const back = await client.reconnects()
  await back.receives({ type: PacketType.Publish, payload: 'one', dup: true, packetIdentifier: 1 })
  await back.receives({ type: PacketType.Publish, payload: 'two', dup: true, packetIdentifier: 2 })
})
