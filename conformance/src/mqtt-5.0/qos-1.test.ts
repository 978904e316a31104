import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubrec, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[5.0 MQTT-4.3.2-1] [5.0 MQTT-4.3.2-2] [5.0 MQTT-2.2.1-4] each new QoS 1 message goes out with a free identifier, QoS 1 and DUP 0',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, acknowledges: false })
      await subscriber.subscribes('t', { qos: 1 })
      const publisher = await connects()
      for (const payload of ['a', 'b', 'c']) await publisher.publishes('t', payload, { qos: 1 })
      await subscriber.receivesBytes('32 07 00 01 74 00 01 00 61')
      await subscriber.receivesBytes('32 07 00 01 74 00 02 00 62')
      await subscriber.receivesBytes('32 07 00 01 74 00 03 00 63')
      await subscriber.sends(puback(2))
      await publisher.publishes('t', 'd', { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: 'd', packetIdentifier: 4 })
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.2-1] [5.0 MQTT-2.2.1-4] identifiers come in order from 1 to 65,535, then from 1 again, passing over those in use',
  { networks: ['whole'] },
  async ({ connects }) => {
    const subscriber = await connects({ acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    const given: number[] = []
    const keeps = new Set([2, 3, 500])
    const takes = async () => {
      for (;;) {
        const count = subscriber.inbox.length
        if (count === 0) return
        const acknowledgements = []
        for (let index = 0; index < count; index++) {
          const { packetIdentifier } = await subscriber.receives({ type: PacketType.Publish })
          given.push(packetIdentifier)
          if (!keeps.has(packetIdentifier)) acknowledgements.push(puback(packetIdentifier))
        }
        await subscriber.sends(...acknowledgements)
      }
    }
    const batch = Array.from({ length: 1000 }, (_, index) => publish('t', '', { qos: 1, packetIdentifier: index + 1 }))
    for (let sent = 0; sent < 67_000; sent += batch.length) {
      await publisher.sends(...batch)
      for (const { packetIdentifier } of batch) await publisher.receives({ type: PacketType.Puback, packetIdentifier })
      await takes()
    }
    const first = Array.from({ length: 65_535 }, (_, index) => index + 1)
    const second = first.filter((packetIdentifier) => !keeps.has(packetIdentifier))
    expect(given).toEqual([...first, ...second].slice(0, 67_000))
  }
)

scenario(
  '[5.0 MQTT-4.3.2-3] [5.0 MQTT-4.4.0-1] a QoS 1 message counts as unacknowledged until its own PUBACK, whatever else comes',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects()
    await publisher.publishes('t', 'one', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'one', packetIdentifier: 1 })
    await subscriber.sends(pubrec(1))
    await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1, reasonCode: ReasonCode.PacketIdentifierNotFound })
    await subscriber.sends(puback(2))
    await subscriber.dropsConnection()
    const second = await subscriber.reconnects()
    await second.receives({ type: PacketType.Publish, payload: 'one', qos: 1, dup: true, packetIdentifier: 1 })
    await second.sends(puback(1))
    await second.dropsConnection()
    const third = await subscriber.reconnects()
    await third.receivesNothing()
  }
)

scenario('[5.0 MQTT-4.3.2-5] after its PUBACK an identifier stands for a new message, even with DUP 1', async ({ connects }) => {
  const subscriber = await connects()
  await subscriber.subscribes('t', { qos: 1 })
  const publisher = await connects({ sessionExpirySeconds: 600 })
  for (const payload of ['first', 'second']) {
    await publisher.sends(publish('t', payload, { qos: 1, packetIdentifier: 5, dup: payload === 'second' }))
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 5, reasonCode: ReasonCode.Success })
    await subscriber.receives({ type: PacketType.Publish, payload, dup: false })
  }
  await publisher.dropsConnection()
  const back = await publisher.reconnects()
  await back.sends(publish('t', 'second', { qos: 1, packetIdentifier: 5, dup: true }))
  await back.receives({ type: PacketType.Puback, packetIdentifier: 5 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'second' })
})

scenario(
  '[5.0 MQTT-4.3.2-4] PUBACK comes with the identifier of the PUBLISH, in the order of the PUBLISHes',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 60 })
    await subscriber.subscribes('kept', { qos: 1 })
    await subscriber.dropsConnection()
    const publisher = await connects()
    const identifiers = [9, 1, 65_535, 300]
    await publisher.sends(
      ...identifiers.map((packetIdentifier, index) =>
        publish(index % 2 === 0 ? 'kept' : 'nobody', '', { qos: 1, packetIdentifier })
      )
    )
    for (const packetIdentifier of identifiers) await publisher.receives({ type: PacketType.Puback, packetIdentifier })
  }
)

scenario('[5.0 MQTT-3.8.4-8] each message comes at the lower of its QoS and the granted QoS', async ({ connects }) => {
  const publisher = await connects()
  for (const granted of [0, 1, 2] as const) {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds })
      await subscriber.subscribes('t', { qos: granted })
      for (const published of [0, 1, 2] as const) {
        await publisher.publishes('t', 'x', { qos: published })
        await subscriber.receives({ type: PacketType.Publish, payload: 'x', qos: published < granted ? published : granted })
      }
      await subscriber.disconnects({ sessionExpirySeconds: 0 })
    }
  }
})

scenario(
  '[5.0 MQTT-4.5.0-1] a message is added to the session of every client with a matching subscription, connected or not',
  async ({ connects }) => {
    const present = await connects({ sessionExpirySeconds: 600 })
    const absent = await connects({ sessionExpirySeconds: 600 })
    const old = await connects({ version: 4, cleanStart: false })
    const clean = await connects()
    for (const client of [present, absent, old, clean]) await client.subscribes('t/#', { qos: 1 })
    await absent.dropsConnection()
    await old.dropsConnection()
    const publisher = await connects()
    await publisher.publishes('t/1', 'x', { qos: 1 })
    await present.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'x' })
    await clean.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'x' })
    const absentBack = await absent.reconnects()
    await absentBack.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'x' })
    const oldBack = await old.reconnects()
    await oldBack.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'x' })
  }
)
