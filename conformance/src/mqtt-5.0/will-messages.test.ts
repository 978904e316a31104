import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const WILL = { topicName: 'will', payload: 'gone' } as const
const PUBLISHED = { type: PacketType.Publish, ...WILL, qos: 0, retain: false, properties: {} } as const

scenario(
  '[5.0 MQTT-3.1.2-7] [5.0 MQTT-3.1.2-8] the will is published when the network connection breaks',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    const device = await connects({ will: WILL })
    await watcher.receivesNothing()
    await device.dropsConnection()
    await watcher.receives(PUBLISHED)
  }
)

scenario('[5.0 MQTT-3.1.2-8] the will is published when the client closes without DISCONNECT', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL })
  await device.closesConnection()
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the will is published when the client falls silent', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, keepAliveSeconds: 2 })
  await clock.advancesMs(3100)
  await device.isDisconnected({ reasonCode: ReasonCode.KeepAliveTimeout })
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the will is published when the server closes because of an error', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL })
  await device.sendsBytes('c1 00')
  await device.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the will is published when the server disconnects the client', async ({ connects, broker }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ clientId: 'device', will: WILL })
  expect(broker.running.disconnect('device')).toBe(true)
  await device.isDisconnected({ reasonCode: ReasonCode.AdministrativeAction })
  await watcher.receives(PUBLISHED)
})

scenario(
  '[5.0 MQTT-3.1.2-8] the will is published when another connection takes over, though its session goes on',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    const device = await connects({ clientId: 'device', will: WILL, sessionExpirySeconds: 100 })
    await connects({ clientId: 'device', cleanStart: false, sessionExpirySeconds: 100 })
    await device.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
    await watcher.receives(PUBLISHED)
  }
)

scenario(
  '[5.0 MQTT-3.1.2-8] the will is published after DISCONNECT 0x04 and after every other code but 0x00',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    for (const reasonCode of [
      ReasonCode.DisconnectWithWillMessage,
      ReasonCode.UnspecifiedError,
      ReasonCode.ImplementationSpecificError,
      ReasonCode.QuotaExceeded,
      ReasonCode.AdministrativeAction
    ]) {
      const device = await connects({ clientId: 'device', will: WILL })
      await device.disconnects({ reasonCode })
      await watcher.receives(PUBLISHED)
    }
  }
)

scenario(
  '[5.0 MQTT-3.14.4-3] DISCONNECT 0x00 throws the will away, with or without a Reason Code in it',
  async ({ connects, clock }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    for (const bytes of ['e0 00', 'e0 01 00', 'e0 02 00 00']) {
      const device = await connects({ clientId: 'device', will: { ...WILL, willDelaySeconds: 1 }, sessionExpirySeconds: 10 })
      await device.sendsBytes(bytes)
      await device.isClosed()
      await clock.advancesSeconds(11)
    }
    await watcher.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.1.2-10] the will is published once, and not again when the session is used again',
  async ({ connects, clock, broker }) => {
    const watcher = await connects({ sessionExpirySeconds: 1000 })
    await watcher.subscribes('will', { qos: 1 })
    const device = await connects({ will: { ...WILL, qos: 1 }, sessionExpirySeconds: 100 })
    await device.dropsConnection()
    await watcher.receives({ ...PUBLISHED, qos: 1 })
    const back = await device.reconnects({ will: undefined })
    await back.dropsConnection()
    await clock.advancesSeconds(101)
    await watcher.receivesNothing()
    await broker.restarts()
    await clock.advancesSeconds(101)
    const later = await watcher.reconnects()
    await later.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.1.2-10] a will thrown away by DISCONNECT 0x00 is not published by a broker started again',
  async ({ connects, clock, broker }) => {
    const watcher = await connects({ sessionExpirySeconds: 1000 })
    await watcher.subscribes('will', { qos: 1 })
    const device = await connects({ will: { ...WILL, qos: 1 }, sessionExpirySeconds: 100 })
    await device.disconnects()
    await broker.restarts()
    await clock.advancesSeconds(200)
    const back = await watcher.reconnects()
    await back.receivesNothing()
  }
)

scenario('[5.0 MQTT-3.1.2-10] a will is that of the last CONNECT', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: { topicName: 'will', payload: 'first' }, sessionExpirySeconds: 100 })
  await device.disconnects()
  const second = await device.reconnects({ will: { topicName: 'will', payload: 'second' } })
  await second.dropsConnection()
  await watcher.receives({ type: PacketType.Publish, payload: 'second' })
})

for (const qos of [0, 1, 2] as const) {
  scenario(`[5.0 MQTT-3.1.2-8] a will of QoS ${qos} is delivered at that QoS`, async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will', { qos: 2 })
    const device = await connects({ will: { ...WILL, qos } })
    await device.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, ...WILL, qos, dup: false })
  })
}

scenario('[5.0 MQTT-3.1.2-14] Will Retain 0: the will is not retained', async ({ connects, broker }) => {
  const watcher = await connects()
  await watcher.subscribes('will', { retainAsPublished: true })
  const device = await connects({ will: { ...WILL, retain: false } })
  await device.dropsConnection()
  await watcher.receives({ type: PacketType.Publish, ...WILL, retain: false })
  expect(broker.running.counts.retainedMessages).toBe(0)
})

scenario('[5.0 MQTT-3.1.2-15] Will Retain 1: the will is retained', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will', { retainAsPublished: true })
  const device = await connects({ will: { ...WILL, qos: 1, retain: true } })
  await device.dropsConnection()
  await watcher.receives({ type: PacketType.Publish, ...WILL, retain: true })
  const later = await connects()
  await later.subscribes('will', { qos: 1 })
  await later.receives({ type: PacketType.Publish, ...WILL, qos: 1, retain: true })
})

scenario(
  '[5.0 MQTT-3.1.3-10] the will’s User Properties keep their order, and all its properties go along',
  async ({ connects }) => {
    const userProperties = [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['', '']
    ] as const
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 30,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: new Uint8Array([1, 2, 3]),
      userProperties
    } as const
    const watcher = await connects()
    await watcher.subscribes('will')
    const device = await connects({ will: { ...WILL, ...properties, willDelaySeconds: 0 } })
    await device.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, ...WILL, properties })
  }
)

scenario('the will’s expiry counts from its publication, not from CONNECT [5.0 3.1.3.2.4]', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will', { qos: 1 })
  const device = await connects({
    will: { ...WILL, qos: 1, messageExpiryInterval: 10, willDelaySeconds: 20 },
    sessionExpirySeconds: 100
  })
  await clock.advancesSeconds(50)
  await device.dropsConnection()
  await clock.advancesSeconds(20)
  await watcher.receives({ type: PacketType.Publish, ...WILL, properties: { messageExpiryInterval: 10 } })
})

scenario('a client gets its own will, if its session is there to get it [5.0 3.1.2.5]', async ({ connects, clock }) => {
  const device = await connects({ will: { ...WILL, qos: 1, willDelaySeconds: 5 }, sessionExpirySeconds: 100 })
  await device.subscribes('will', { qos: 1 })
  await device.dropsConnection()
  await clock.advancesSeconds(6)
  const back = await device.reconnects({ will: undefined })
  await back.receives({ type: PacketType.Publish, ...WILL, qos: 1 })
})

scenario('a will that the client is not allowed to publish has it refused [5.0 3.1.4]', async ({ refuses, connects, broker }) => {
  await broker.restarts({ authorize: (_client, request) => request.action === 'subscribe' || request.topicName === 'will' })
  await refuses({ clientId: 'a', will: { topicName: 'forbidden' } }, ReasonCode.NotAuthorized)
  await connects({ clientId: 'a', will: WILL })
})

scenario('a Will Topic with wildcards, or empty, is refused [5.0 3.1.3.3]', async ({ refuses }) => {
  await refuses({ clientId: 'a', will: { topicName: 'will/+' } }, ReasonCode.TopicNameInvalid)
  await refuses({ clientId: 'a', will: { topicName: 'will/#' } }, ReasonCode.TopicNameInvalid)
  await refuses({ clientId: 'a', will: { topicName: '' } }, ReasonCode.TopicNameInvalid)
})
