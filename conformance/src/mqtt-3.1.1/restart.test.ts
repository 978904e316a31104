import { PacketType } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'
import { DOWNFALLS, restarts } from '../restarts.ts'

for (const goesDown of DOWNFALLS) {
  scenario(
    `[3.1.1 MQTT-4.1.0-1] [3.1.1 MQTT-3.1.2-4] when the broker ${goesDown} and comes back, sessions go on with their subscriptions and messages`,
    async ({ connects, broker }) => {
      const subscriber = await connects({ version: 4, clientId: 'subscriber', cleanStart: false })
      await subscriber.subscribes([
        ['t/+', { qos: 2 }],
        ['u', { qos: 0 }]
      ])
      await subscriber.dropsConnection()
      const publisher = await connects({ version: 4 })
      await publisher.publishes('t/1', 'before', { qos: 1 })
      await publisher.publishes('t/2', 'before', { qos: 2 })
      await restarts(broker, goesDown)
      const again = await connects({ version: 4, clientId: 'publisher' })
      await again.publishes('t/3', 'after', { qos: 1 })
      const back = await subscriber.reconnects()
      expect(back.connack.sessionPresent).toBe(true)
      await back.receivesInAnyOrder(
        { type: PacketType.Publish, topicName: 't/1', payload: 'before', qos: 1, dup: false },
        { type: PacketType.Publish, topicName: 't/2', payload: 'before', qos: 2, dup: false },
        { type: PacketType.Publish, topicName: 't/3', payload: 'after', qos: 1, dup: false }
      )
      await again.publishes('u', 'now')
      await back.receives({ type: PacketType.Publish, topicName: 'u', payload: 'now', qos: 0 })
    }
  )

  scenario(
    `[3.1.1 MQTT-4.4.0-1] [3.1.1 MQTT-3.3.1-1] when the broker ${goesDown}, what was in flight is sent again with its identifiers, in order`,
    async ({ connects, broker }) => {
      const subscriber = await connects({ version: 4, clientId: 'subscriber', cleanStart: false, acknowledges: false })
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects({ version: 4 })
      for (const [payload, qos] of [
        ['1', 1],
        ['2', 2],
        ['3', 2],
        ['4', 1],
        ['5', 1]
      ] as const) {
        await publisher.publishes('t', payload, { qos })
        await subscriber.receives({ type: PacketType.Publish, payload, dup: false, packetIdentifier: Number(payload) })
      }
      await subscriber.sends(pubrec(2), puback(4))
      await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
      await subscriber.dropsConnection()
      await restarts(broker, goesDown)
      const back = await subscriber.reconnects()
      await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
      await back.receives({ type: PacketType.Publish, payload: '1', qos: 1, dup: true, packetIdentifier: 1 })
      await back.receives({ type: PacketType.Publish, payload: '3', qos: 2, dup: true, packetIdentifier: 3 })
      await back.receives({ type: PacketType.Publish, payload: '5', qos: 1, dup: true, packetIdentifier: 5 })
      const later = await connects({ version: 4, clientId: 'later' })
      await later.publishes('t', '6', { qos: 1 })
      const { packetIdentifier } = await back.receives({ type: PacketType.Publish, payload: '6', dup: false })
      expect([1, 2, 3, 5]).not.toContain(packetIdentifier)
      await back.sends(pubcomp(2), puback(1), pubrec(3), puback(5), puback(packetIdentifier))
      await back.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
      await back.sends(pubcomp(3))
      await back.dropsConnection()
      const finished = await back.reconnects()
      await finished.receivesNothing()
    }
  )

  scenario(
    `[3.1.1 MQTT-4.3.3-2] when the broker ${goesDown}, a QoS 2 message that waits for PUBREL is neither lost nor doubled`,
    async ({ connects, broker }) => {
      const publisher = await connects({ version: 4, clientId: 'publisher', cleanStart: false, acknowledges: false })
      await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 9 }))
      await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 9 })
      await restarts(broker, goesDown)
      const subscriber = await connects({ version: 4, clientId: 'subscriber' })
      await subscriber.subscribes('t', { qos: 2 })
      const back = await publisher.reconnects()
      await back.sends(publish('t', 'once', { qos: 2, packetIdentifier: 9, dup: true }))
      await back.receives({ type: PacketType.Pubrec, packetIdentifier: 9 })
      await back.sends(pubrel(9))
      await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 9 })
      await subscriber.receives({ type: PacketType.Publish, payload: 'once', qos: 2 })
      await subscriber.receivesNothing()
    }
  )

  scenario(
    `[3.1.1 MQTT-3.3.1-5] [3.1.1 MQTT-3.3.1-10] when the broker ${goesDown}, what is retained stays, and what was removed stays removed`,
    async ({ connects, broker }) => {
      const publisher = await connects({ version: 4 })
      await publisher.publishes('kept', 'old', { qos: 1, retain: true })
      await publisher.publishes('kept', 'new', { qos: 2, retain: true })
      await publisher.publishes('removed', 'gone', { qos: 1, retain: true })
      await publisher.publishes('removed', '', { qos: 1, retain: true })
      await restarts(broker, goesDown)
      const subscriber = await connects({ version: 4, clientId: 'subscriber' })
      await subscriber.subscribes('#', { qos: 2 })
      await subscriber.receives({ type: PacketType.Publish, topicName: 'kept', payload: 'new', qos: 2, retain: true })
      await subscriber.receivesNothing()
    }
  )

  scenario(
    `[3.1.1 MQTT-3.3.1-8] [3.1.1 MQTT-4.4.0-1] when the broker ${goesDown}, a retained message in flight is sent again with RETAIN 1`,
    async ({ connects, broker }) => {
      const publisher = await connects({ version: 4 })
      await publisher.publishes('t', 'kept', { qos: 1, retain: true })
      const subscriber = await connects({ version: 4, clientId: 'subscriber', cleanStart: false, acknowledges: false })
      await subscriber.subscribes('t', { qos: 1 })
      await subscriber.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: false, packetIdentifier: 1 })
      await subscriber.dropsConnection()
      await restarts(broker, goesDown)
      const back = await subscriber.reconnects()
      await back.receives({ type: PacketType.Publish, payload: 'kept', retain: true, dup: true, packetIdentifier: 1 })
      await back.receivesNothing()
    }
  )
}

scenario('[3.1.1 MQTT-3.1.2-6] CleanSession 1 leaves nothing in the store', async ({ connects, broker }) => {
  const clean = await connects({ version: 4, clientId: 'clean', acknowledges: false })
  await clean.subscribes('t', { qos: 2 })
  await clean.sends(publish('t', 'm', { qos: 1 }))
  await clean.receivesInAnyOrder({ type: PacketType.Puback, packetIdentifier: 1 }, { type: PacketType.Publish, payload: 'm' })
  await broker.crashes()
  await broker.starts()
  expect(broker.running.counts).toMatchObject({ sessions: 0, subscriptions: 0 })
  const back = await connects({ version: 4, clientId: 'clean', cleanStart: false })
  expect(back.connack.sessionPresent).toBe(false)
})

scenario(
  '[3.1.1 MQTT-3.1.2-8] a broker that comes back after a crash publishes the wills of the connections that it lost',
  async ({ connects, broker, clock }) => {
    const watcher = await connects({ version: 4, clientId: 'watcher', cleanStart: false })
    await watcher.subscribes('will/+', { qos: 1 })
    await connects({ version: 4, will: { topicName: 'will/one', payload: 'gone', qos: 1 } })
    const left = await connects({ version: 4, will: { topicName: 'will/two', payload: 'gone', qos: 1 } })
    await left.disconnects()
    await broker.crashes()
    await broker.starts()
    await clock.advancesSeconds(1)
    const back = await watcher.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 'will/one', payload: 'gone', qos: 1 })
    await back.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-8] a broker that stops publishes the wills of its clients, which left without DISCONNECT',
  async ({ connects, broker }) => {
    const watcher = await connects({ version: 4, clientId: 'watcher', cleanStart: false })
    await watcher.subscribes('will', { qos: 1 })
    await watcher.disconnects()
    await connects({ version: 4, will: { topicName: 'will', payload: 'gone', qos: 1 } })
    await broker.stops()
    await broker.starts()
    const back = await watcher.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone', qos: 1 })
    await back.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.2.2-2] nothing that was not acknowledged need be there after a crash, but nothing acknowledged is missing',
  async ({ connects, broker, store }) => {
    const subscriber = await connects({ version: 4, clientId: 'subscriber', cleanStart: false })
    await subscriber.subscribes('t', { qos: 1 })
    await subscriber.dropsConnection()
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'acknowledged', { qos: 1 })
    store.holdsCommits()
    await publisher.sends(publish('t', 'not acknowledged', { qos: 1, packetIdentifier: 77 }))
    await publisher.receivesNothing()
    await broker.crashes()
    await broker.starts()
    const back = await subscriber.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await back.receives({ type: PacketType.Publish, payload: 'acknowledged', dup: false })
    back.ignoresTheRest()
  }
)
