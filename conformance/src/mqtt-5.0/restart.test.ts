import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, publish, pubcomp, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'
import { DOWNFALLS, durable, restarts } from '../restarts.ts'

scenario(
  '[5.0 MQTT-4.1.0-1] [5.0 MQTT-3.1.2-5] sessions with their subscriptions and what waits for them go on after a restart',
  async ({ connects, broker }) => {
    for (const goesDown of DOWNFALLS) {
      const subscriber = await durable(connects, `subscriber-${goesDown}`)
      await subscriber.subscribes('t', { qos: 2 })
      await subscriber.subscribes('gone', { qos: 2 })
      await subscriber.unsubscribes('gone')
      await subscriber.dropsConnection()
      const publisher = await connects()
      for (const payload of ['1', '2']) await publisher.publishes('t', payload, { qos: 1 })
      await restarts(broker, goesDown)
      const again = await connects()
      await again.publishes('t', '3', { qos: 1 })
      await again.publishes('gone', 'no', { qos: 1 })
      const back = await subscriber.reconnects()
      expect(back.connack.sessionPresent).toBe(true)
      for (const payload of ['1', '2', '3']) await back.receives({ type: PacketType.Publish, payload, dup: false })
      await again.publishes('t', 'live', { qos: 1 })
      await back.receives({ type: PacketType.Publish, payload: 'live' })
      await back.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.4.0-1] [5.0 MQTT-4.3.2-1] what was in flight is sent again with its identifiers, in order, with DUP; new ones go on from there',
  async ({ connects, broker }) => {
    for (const goesDown of DOWNFALLS) {
      const subscriber = await durable(connects, `subscriber-${goesDown}`, false)
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3', '4', '5']) {
        await publisher.publishes('t', payload, { qos: Number(payload) % 2 === 0 ? 2 : 1 })
        await subscriber.receives({ type: PacketType.Publish, payload, packetIdentifier: Number(payload) })
      }
      await subscriber.sends(puback(3), pubrec(4, ReasonCode.QuotaExceeded))
      await restarts(broker, goesDown)
      const second = await subscriber.reconnects()
      for (const [payload, qos] of [
        ['1', 1],
        ['2', 2],
        ['5', 1]
      ] as const) {
        await second.receives({ type: PacketType.Publish, payload, qos, packetIdentifier: Number(payload), dup: true })
      }
      const again = await connects()
      await again.publishes('t', '6', { qos: 1 })
      await second.receives({ type: PacketType.Publish, payload: '6', packetIdentifier: 6, dup: false })
      await second.sends(puback(5))
      await restarts(broker, goesDown)
      const third = await subscriber.reconnects({ acknowledges: true })
      for (const payload of ['1', '2', '6']) {
        await third.receives({ type: PacketType.Publish, payload, packetIdentifier: Number(payload), dup: true })
      }
      await restarts(broker, goesDown)
      const fourth = await subscriber.reconnects()
      await fourth.receivesNothing()
      await fourth.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.3-5] [5.0 MQTT-4.3.3-6] as QoS 2 sender the server goes on where it was: PUBREL, not PUBLISH',
  async ({ connects, broker }) => {
    for (const goesDown of DOWNFALLS) {
      const subscriber = await durable(connects, `subscriber-${goesDown}`, false)
      await subscriber.subscribes('t', { qos: 2 })
      const publisher = await connects()
      for (const payload of ['1', '2', '3']) {
        await publisher.publishes('t', payload, { qos: 2 })
        await subscriber.receives({ type: PacketType.Publish, payload, packetIdentifier: Number(payload) })
      }
      await subscriber.sends(pubrec(2), pubrec(1))
      await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
      await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
      await restarts(broker, goesDown)
      const second = await subscriber.reconnects()
      await second.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
      await second.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
      await second.receives({ type: PacketType.Publish, payload: '3', packetIdentifier: 3, dup: true })
      await second.sends(pubcomp(2), pubrec(3))
      await second.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
      await restarts(broker, goesDown)
      const third = await subscriber.reconnects()
      await third.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
      await third.receives({ type: PacketType.Pubrel, packetIdentifier: 3 })
      await third.sends(pubcomp(1), pubcomp(3))
      await third.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.3.3-10] [5.0 MQTT-4.3.3-11] as QoS 2 receiver the server goes on where it was: each message is passed on once',
  async ({ connects, broker }) => {
    for (const goesDown of DOWNFALLS) {
      const subscriber = await durable(connects, `subscriber-${goesDown}`)
      await subscriber.subscribes('t', { qos: 2 })
      await subscriber.dropsConnection()
      const publisher = await durable(connects, `publisher-${goesDown}`)
      for (const packetIdentifier of [8, 9]) {
        await publisher.sends(publish('t', `${packetIdentifier}`, { qos: 2, packetIdentifier, contentType: 'text' }))
        await publisher.receives({ type: PacketType.Pubrec, packetIdentifier })
      }
      await publisher.sends(pubrel(8))
      await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 8 })
      await restarts(broker, goesDown)
      const back = await publisher.reconnects()
      await back.sends(pubrel(8))
      await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 8, reasonCode: ReasonCode.PacketIdentifierNotFound })
      await back.sends(publish('t', '9', { qos: 2, packetIdentifier: 9, dup: true }))
      await back.receives({ type: PacketType.Pubrec, packetIdentifier: 9, reasonCode: ReasonCode.Success })
      await back.sends(pubrel(9))
      await back.receives({ type: PacketType.Pubcomp, packetIdentifier: 9, reasonCode: ReasonCode.Success })
      const listening = await subscriber.reconnects()
      await listening.receives({ type: PacketType.Publish, payload: '8', properties: { contentType: 'text' } })
      await listening.receives({ type: PacketType.Publish, payload: '9', properties: { contentType: 'text' } })
      for (const client of [back, listening]) await client.disconnects({ sessionExpirySeconds: 0 })
    }
  }
)

scenario(
  '[5.0 MQTT-4.1.0-2] [5.0 MQTT-3.1.2-23] sessions expire while the server is down, from when their connection closed',
  async ({ connects, broker, clock }) => {
    const early = await connects({ clientId: 'early', sessionExpirySeconds: 100 })
    await early.dropsConnection()
    await clock.advancesSeconds(60)
    const late = await connects({ clientId: 'late', sessionExpirySeconds: 100 })
    await late.dropsConnection()
    await broker.crashes()
    await clock.advancesSeconds(50)
    await broker.starts()
    const earlyBack = await early.reconnects()
    expect(earlyBack.connack.sessionPresent).toBe(false)
    const lateBack = await late.reconnects()
    expect(lateBack.connack.sessionPresent).toBe(true)
  }
)

scenario('[5.0 MQTT-3.1.2-8] the wills of connections that a crash has ended are published', async ({ connects, broker }) => {
  const watcher = await durable(connects, 'watcher')
  await watcher.subscribes('will/#', { qos: 1 })
  await connects({ clientId: 'device', will: { topicName: 'will/device', payload: 'gone', qos: 1, contentType: 'text' } })
  await broker.crashes()
  await broker.starts()
  const back = await watcher.reconnects()
  await back.receives({
    type: PacketType.Publish,
    topicName: 'will/device',
    payload: 'gone',
    qos: 1,
    properties: { contentType: 'text' }
  })
})

scenario(
  '[5.0 MQTT-3.1.3-9] a Will Delay Interval that ran when the server went down goes on, and ends if the client comes back',
  async ({ connects, broker, clock }) => {
    const watcher = await durable(connects, 'watcher')
    await watcher.subscribes('will/#', { qos: 1 })
    const devices = []
    for (const clientId of ['one', 'two']) {
      const will = { topicName: `will/${clientId}`, payload: 'gone', qos: 1, willDelaySeconds: 60 } as const
      devices.push(await connects({ clientId, sessionExpirySeconds: 600, will }))
    }
    for (const device of devices) await device.dropsConnection()
    await clock.advancesSeconds(20)
    await broker.restarts()
    const back = await watcher.reconnects()
    await clock.advancesSeconds(20)
    await devices[1]?.reconnects({ will: undefined })
    await back.receivesNothing()
    await clock.advancesSeconds(20)
    await back.receives({ type: PacketType.Publish, topicName: 'will/one', payload: 'gone' })
    await clock.advancesSeconds(600)
    await back.receivesNothing()
  }
)

scenario('[5.0 MQTT-3.1.2-4] a session that was removed stays removed', async ({ connects, broker }) => {
  const before = await durable(connects, 'client')
  await before.subscribes('t', { qos: 1 })
  await before.dropsConnection()
  await connects({ clientId: 'client', cleanStart: true })
  await broker.crashes()
  await broker.starts()
  const publisher = await connects()
  await publisher.publishes('t', '', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
  const back = await before.reconnects()
  expect(back.connack.sessionPresent).toBe(false)
})
