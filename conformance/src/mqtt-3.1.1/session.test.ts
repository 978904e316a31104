import { PacketType } from '@godwit/protocol'
import { publish, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[3.1.1 MQTT-3.1.2-4] [3.1.1 MQTT-3.1.4-3] [3.1.1 MQTT-4.1.0-1] CleanSession 0 goes on in the session: its subscriptions stay',
  async ({ connects }) => {
    const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
    expect(device.connack.sessionPresent).toBe(false)
    await device.subscribes([
      ['a', { qos: 0 }],
      ['b', { qos: 1 }],
      ['c', { qos: 2 }]
    ])
    await device.disconnects()
    const back = await device.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    const publisher = await connects({ version: 4 })
    for (const topicName of ['a', 'b', 'c']) await publisher.publishes(topicName, topicName, { qos: 2 })
    await back.receives({ type: PacketType.Publish, topicName: 'a', qos: 0 })
    await back.receives({ type: PacketType.Publish, topicName: 'b', qos: 1 })
    await back.receives({ type: PacketType.Publish, topicName: 'c', qos: 2 })
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-5] [3.1.1 MQTT-4.5.0-1] QoS 1 and 2 messages wait for a CleanSession 0 client that is away',
  async ({ connects }) => {
    const subscribers = [
      await connects({ version: 4, clientId: 'first', cleanStart: false }),
      await connects({ version: 4, clientId: 'second', cleanStart: false })
    ]
    for (const subscriber of subscribers) await subscriber.subscribes('t/#', { qos: 2 })
    await subscribers[0]?.disconnects()
    await subscribers[1]?.dropsConnection()
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t/0', 'not kept', { qos: 0 })
    await publisher.publishes('t/1', 'one', { qos: 1 })
    await publisher.publishes('t/2', 'two', { qos: 2 })
    await publisher.publishes('u', 'of no interest', { qos: 1 })
    for (const subscriber of subscribers) {
      const back = await subscriber.reconnects()
      await back.receives({ type: PacketType.Publish, topicName: 't/1', payload: 'one', qos: 1, dup: false, retain: false })
      await back.receives({ type: PacketType.Publish, topicName: 't/2', payload: 'two', qos: 2, dup: false, retain: false })
      await back.receivesNothing()
    }
  }
)

scenario('[3.1.1 MQTT-3.1.2-5] a session outlives any time without its client', async ({ connects, clock }) => {
  const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
  await device.subscribes('t', { qos: 1 })
  await device.dropsConnection()
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'old', { qos: 1 })
  await clock.advancesSeconds(10 * 365 * 24 * 3600)
  const back = await device.reconnects()
  expect(back.connack.sessionPresent).toBe(true)
  await back.receives({ type: PacketType.Publish, payload: 'old' })
})

scenario(
  '[3.1.1 3.1.2.4] an operator may bound the time that sessions are kept for',
  { limits: { sessionExpirySecondsMax: 3600 } },
  async ({ connects, clock }) => {
    const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
    await device.dropsConnection()
    await clock.advancesSeconds(3599)
    const inTime = await device.reconnects()
    expect(inTime.connack.sessionPresent).toBe(true)
    await inTime.dropsConnection()
    await clock.advancesSeconds(3601)
    const late = await device.reconnects()
    expect(late.connack.sessionPresent).toBe(false)
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-6] [3.1.1 MQTT-3.1.4-3] CleanSession 1 drops the earlier session, with what waited in it',
  async ({ connects, broker }) => {
    const device = await connects({ version: 4, clientId: 'device', cleanStart: false })
    await device.subscribes('t', { qos: 1 })
    await device.dropsConnection()
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'waiting', { qos: 1 })
    const clean = await device.reconnects({ cleanStart: true })
    expect(clean.connack.sessionPresent).toBe(false)
    await publisher.publishes('t', 'later', { qos: 1 })
    await clean.receivesNothing()
    expect(broker.running.fates.get('session-ended')).toBe(1)
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-6] a CleanSession 1 session ends with its connection and is never used again',
  async ({ connects, broker }) => {
    for (const leaves of ['disconnects', 'dropsConnection', 'closesConnection'] as const) {
      const clean = await connects({ version: 4, clientId: 'device', cleanStart: true })
      await clean.subscribes('t', { qos: 1 })
      await clean[leaves]()
      expect(broker.running.counts).toMatchObject({ sessions: 0, subscriptions: 0 })
      const publisher = await connects({ version: 4, clientId: 'publisher' })
      await publisher.publishes('t', 'unheard', { qos: 1 })
      await publisher.disconnects()
      const back = await clean.reconnects()
      expect(back.connack.sessionPresent).toBe(false)
      await back.receivesNothing()
      await back.disconnects()
      const cleared = await back.reconnects({ cleanStart: true })
      await cleared.disconnects()
    }
  }
)

scenario('[3.1.1 MQTT-3.1.2-7] retained messages are not part of the session and outlive it', async ({ connects }) => {
  const publisher = await connects({ version: 4, cleanStart: true })
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  await publisher.disconnects()
  const subscriber = await connects({ version: 4 })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.receives({ type: PacketType.Publish, topicName: 't', payload: 'kept', retain: true })
})

scenario('[3.1.1 MQTT-3.1.4-2] a client with the same ClientId has the older one disconnected', async ({ connects, broker }) => {
  const older = await connects({ version: 4, clientId: 'device' })
  await older.subscribes('t')
  const newer = await connects({ version: 4, clientId: 'device' })
  await older.isClosed()
  await newer.publishes('t', 'to nobody')
  await newer.receivesNothing()
  expect(broker.running.counts.clients).toBe(1)
})

scenario('[3.1.1 MQTT-3.1.4-2] with CleanSession 0 the newer client goes on where the older one was', async ({ connects }) => {
  const older = await connects({ version: 4, clientId: 'device', cleanStart: false, acknowledges: false })
  await older.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4 })
  await publisher.publishes('t', 'unacknowledged', { qos: 1 })
  await older.receives({ type: PacketType.Publish, payload: 'unacknowledged', dup: false, packetIdentifier: 1 })
  const newer = await older.reconnects()
  await older.isClosed()
  expect(newer.connack.sessionPresent).toBe(true)
  await newer.receives({ type: PacketType.Publish, payload: 'unacknowledged', dup: true, packetIdentifier: 1 })
})

scenario('[3.1.1 MQTT-3.1.4-2] [3.1.1 MQTT-3.1.2-8] a client that is taken over has its will published', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will')
  const older = await connects({ version: 4, clientId: 'device', will: { topicName: 'will', payload: 'older' } })
  const newer = await connects({ version: 4, clientId: 'device', will: { topicName: 'will', payload: 'newer' } })
  await older.isClosed()
  await watcher.receives({ type: PacketType.Publish, payload: 'older' })
  await newer.disconnects()
  await watcher.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-3.1.4-2] a refused client does not disconnect the one that it tried to follow',
  async ({ broker, connects, refuses }) => {
    await broker.restarts({ authenticate: ({ userName }) => ({ accepted: userName === 'owner' }) })
    const owner = await connects({ version: 4, clientId: 'device', userName: 'owner' })
    await refuses({ version: 4, clientId: 'device', userName: 'thief' }, 5)
    await owner.subscribes('t')
    await owner.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.1.0-2] a session lasts as long as its connection, however long it is silent',
  async ({ connects, clock }) => {
    const clean = await connects({ version: 4, keepAliveSeconds: 0 })
    await clean.subscribes('t', { qos: 1 })
    await clock.advancesSeconds(365 * 24 * 3600)
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'still here', { qos: 1 })
    await clean.receives({ type: PacketType.Publish, payload: 'still here' })
  }
)

scenario('[3.1.1 MQTT-4.1.0-1] the session holds the QoS 2 messages of the client that wait for PUBREL', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('t', { qos: 2 })
  const device = await connects({ version: 4, clientId: 'device', cleanStart: false, acknowledges: false })
  await device.sends(publish('t', 'half way', { qos: 2, packetIdentifier: 7 }))
  await device.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  await device.dropsConnection()
  await watcher.receivesNothing()
  const back = await device.reconnects()
  await back.sends(publish('t', 'half way', { qos: 2, packetIdentifier: 7, dup: true }))
  await back.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  await back.sends(pubrel(7))
  await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 7 })
  await watcher.receives({ type: PacketType.Publish, payload: 'half way', qos: 2, dup: false })
  await watcher.receivesNothing()
})
