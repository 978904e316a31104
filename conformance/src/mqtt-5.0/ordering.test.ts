import { PacketType, type PublishPacket } from '@godwit/protocol'
import { puback, publish, scenario, type TestClient } from '@godwit/testkit'
import { expect } from 'vitest'

const COUNT = 60

function payloads(client: TestClient): string[] {
  return client.inbox.filter(isPublish).map(({ payload }) => Buffer.from(payload).toString())
}

function isPublish(packet: { readonly type: number }): packet is PublishPacket {
  return packet.type === PacketType.Publish
}

function numbers(): string[] {
  return Array.from({ length: COUNT }, (_, index) => String(index))
}

scenario(
  '[5.0 MQTT-4.6.0-5] [5.0 MQTT-4.6.0-6] a publisher’s messages of one topic and QoS come in the order in which it sent them',
  async ({ connects }) => {
    for (const qos of [0, 1, 2] as const) {
      const subscribers = [
        await connects(),
        await connects({ sessionExpirySeconds: 600 }),
        await connects({ receiveMaximum: 3 }),
        await connects({ sessionExpirySeconds: 600, receiveMaximum: 3 }),
        await connects({ version: 4 })
      ]
      for (const subscriber of subscribers) await subscriber.subscribes('#', { qos: 2 })
      const publishers = [await connects(), await connects({ sessionExpirySeconds: 600 })]
      for (const [index, publisher] of publishers.entries()) {
        for (const payload of numbers()) {
          await publisher.sends(
            publish(`t/${index}`, payload, { qos, packetIdentifier: qos === 0 ? 0 : Number(payload) + 1 }),
            ...(qos === 2
              ? [{ type: PacketType.Pubrel, packetIdentifier: Number(payload) + 1, reasonCode: 0, properties: {} } as const]
              : [])
          )
        }
        publisher.ignoresTheRest()
      }
      for (const subscriber of subscribers) {
        expect(payloads(subscriber)).toEqual([...numbers(), ...numbers()])
        subscriber.ignoresTheRest()
        await subscriber.disconnects()
      }
    }
  }
)

scenario(
  '[5.0 MQTT-4.6.0-5] order holds where live messages overtake a client that is slow to acknowledge',
  async ({ connects }) => {
    for (const sessionExpirySeconds of [0, 600]) {
      const subscriber = await connects({ sessionExpirySeconds, receiveMaximum: 2, acknowledges: false })
      await subscriber.subscribes('t', { qos: 1 })
      const publisher = await connects()
      const received: string[] = []
      for (const payload of numbers()) {
        await publisher.publishes('t', payload, { qos: 1 })
        if (Number(payload) % 2 === 0) continue
        const packet = await subscriber.receives({ type: PacketType.Publish })
        received.push(Buffer.from(packet.payload).toString())
        await subscriber.sends(puback(packet.packetIdentifier))
      }
      while (subscriber.inbox.length > 0) {
        const packet = await subscriber.receives({ type: PacketType.Publish })
        received.push(Buffer.from(packet.payload).toString())
        await subscriber.sends(puback(packet.packetIdentifier))
      }
      expect(received).toEqual(numbers())
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-4.6.0-5] [5.0 MQTT-4.6.0-6] order holds across overlapping filters, absence and return',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 600 })
    await subscriber.subscribes(['t/+', 't/a', 't/#'], { qos: 1 })
    const publisher = await connects()
    const received: string[] = []
    let client = subscriber
    for (const payload of numbers()) {
      const turn = Number(payload) % 10
      if (turn === 3) {
        received.push(...payloads(client))
        client.ignoresTheRest()
        await client.dropsConnection()
      }
      await publisher.publishes('t/a', payload, { qos: 1 })
      if (turn === 7) client = await subscriber.reconnects({ receiveMaximum: 2 })
    }
    received.push(...payloads(client))
    client.ignoresTheRest()
    expect(received).toEqual(numbers())
  }
)

scenario('[5.0 MQTT-4.6.0-5] order holds while the store is slow to commit', async ({ connects, store, settles }) => {
  const absent = await connects({ sessionExpirySeconds: 600 })
  await absent.subscribes('t', { qos: 2 })
  await absent.dropsConnection()
  const present = await connects({ sessionExpirySeconds: 600 })
  await present.subscribes('t', { qos: 2 })
  const publisher = await connects()
  store.holdsCommits()
  for (const payload of numbers()) {
    await publisher.sends(publish('t', payload, { qos: 1, packetIdentifier: Number(payload) + 1 }))
    if (Number(payload) % 7 !== 0) continue
    store.releasesCommits()
    await settles()
    store.holdsCommits()
  }
  store.releasesCommits()
  await settles()
  for (let packetIdentifier = 1; packetIdentifier <= COUNT; packetIdentifier++) {
    await publisher.receives({ type: PacketType.Puback, packetIdentifier })
  }
  expect(payloads(present)).toEqual(numbers())
  present.ignoresTheRest()
  const back = await absent.reconnects()
  expect(payloads(back)).toEqual(numbers())
  back.ignoresTheRest()
})
