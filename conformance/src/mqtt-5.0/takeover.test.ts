import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { connect, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const VERSIONS = [ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5] as const
const NAMES = { [ProtocolVersion.Mqtt31]: '3.1', [ProtocolVersion.Mqtt311]: '3.1.1', [ProtocolVersion.Mqtt5]: '5.0' } as const

for (const older of VERSIONS) {
  for (const newer of VERSIONS) {
    scenario(
      `[5.0 MQTT-3.1.4-3] [3.1.1 MQTT-3.1.4-2] a ${NAMES[newer]} client takes over from a ${NAMES[older]} one with its ClientID`,
      async ({ connects, broker }) => {
        const first = await connects({ version: older, clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 })
        await first.subscribes('t', { qos: 1 })
        const second = await connects({ version: newer, clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 })
        await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
        // 3.1 has no Session Present.
        expect(second.connack.sessionPresent).toBe(newer !== ProtocolVersion.Mqtt31)
        await second.publishes('t', 'the session goes on', { qos: 1 })
        await second.receives({ type: PacketType.Publish, topicName: 't', payload: 'the session goes on', qos: 1 })
        expect(broker.running.counts).toMatchObject({ clients: 1, sessions: 1, subscriptions: 1 })
      }
    )
  }
}

scenario(
  '[5.0 MQTT-3.1.4-3] the older client is told before the newer is let in, even if CONNACK has to wait',
  async ({ connects, raw, store, settles }) => {
    const first = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
    store.holdsCommits()
    const second = await raw({ clientId: 'a' })
    await second.sends(connect({ clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 }))
    await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
    await second.receivesNothing()
    store.releasesCommits()
    await settles()
    await second.receives({ type: PacketType.Connack, sessionPresent: true })
  }
)

scenario('[5.0 MQTT-3.1.4-3] takeover with Clean Start 1 ends the session that is taken over', async ({ connects, broker }) => {
  const first = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
  await first.subscribes('t', { qos: 1 })
  const second = await connects({ clientId: 'a', cleanStart: true })
  await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
  expect(second.connack.sessionPresent).toBe(false)
  expect(broker.running.counts).toMatchObject({ sessions: 1, subscriptions: 0 })
})

scenario(
  '[5.0 MQTT-3.1.4-3] a session of Session Expiry Interval 0 ends with the connection that is taken over',
  async ({ connects }) => {
    const first = await connects({ clientId: 'a', sessionExpirySeconds: 0 })
    const second = await connects({ clientId: 'a', cleanStart: false })
    await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
    expect(second.connack.sessionPresent).toBe(false)
  }
)

scenario('[5.0 MQTT-3.1.4-3] what the older client had not acknowledged is sent to the newer again', async ({ connects }) => {
  const first = await connects({ clientId: 'a', sessionExpirySeconds: 100, acknowledges: false })
  await first.subscribes('t', { qos: 1 })
  const publisher = await connects()
  await publisher.publishes('t', 'message', { qos: 1 })
  await first.receives({ type: PacketType.Publish, payload: 'message', dup: false, packetIdentifier: 1 })
  const second = await connects({ clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 })
  await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
  await second.receives({ type: PacketType.Publish, payload: 'message', dup: true, packetIdentifier: 1 })
})

scenario('[5.0 MQTT-3.1.4-3] a client that is refused takes nothing over', async ({ connects, refuses, broker }) => {
  await broker.restarts({ authenticate: ({ userName }) => ({ accepted: userName === 'owner' }) })
  const first = await connects({ clientId: 'a', userName: 'owner' })
  await refuses({ clientId: 'a', userName: 'thief' }, ReasonCode.NotAuthorized)
  await first.receivesNothing()
})

scenario('[5.0 MQTT-3.1.4-3] what the older client sends once it was taken over is not handled', async ({ connects, raw }) => {
  const watcher = await connects()
  await watcher.subscribes('t')
  const first = await connects({ clientId: 'a' })
  const second = await raw({ clientId: 'a' })
  first.pausesReading()
  await second.isAccepted(connect({ clientId: 'a' }))
  await first.sends(publish('t', 'too late'))
  await watcher.receivesNothing()
  await first.resumesReading()
  await first.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
})

scenario(
  '[5.0 MQTT-3.14.0-1] a client that is taken over before its CONNACK is refused, not disconnected',
  async ({ raw, store, settles }) => {
    store.holdsCommits()
    const first = await raw({ clientId: 'a' })
    await first.sends(connect({ clientId: 'a', sessionExpirySeconds: 100 }))
    await first.receivesNothing()
    const second = await raw({ clientId: 'a' })
    await second.sends(connect({ clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 }))
    await first.receives({ type: PacketType.Connack, sessionPresent: false, reasonCode: ReasonCode.UnspecifiedError })
    await first.isClosed()
    store.releasesCommits()
    await settles()
    await second.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
    await second.receivesNothing()
  }
)
