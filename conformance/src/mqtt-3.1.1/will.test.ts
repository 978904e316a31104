import { PacketType } from '@godwit/protocol'
import { disconnect, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const will = { topicName: 'will/device', payload: 'gone' } as const

for (const qos of [0, 1, 2] as const) {
  scenario(
    `[3.1.1 MQTT-3.1.2-8] a will of QoS ${qos} is stored and published when the network connection breaks`,
    async ({ connects }) => {
      const watcher = await connects({ version: 4 })
      await watcher.subscribes('will/+', { qos: 2 })
      const device = await connects({ version: 4, will: { ...will, qos } })
      await watcher.receivesNothing()
      await device.dropsConnection()
      await watcher.receives({ type: PacketType.Publish, ...will, qos, retain: false, dup: false })
    }
  )
}

scenario('[3.1.1 MQTT-3.1.2-8] the will is published when the client closes without DISCONNECT', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+')
  const device = await connects({ version: 4, will })
  await device.closesConnection()
  await watcher.receives({ type: PacketType.Publish, ...will })
})

scenario(
  '[3.1.1 MQTT-3.1.2-8] [3.1.1 MQTT-3.1.2-24] the will is published when the keep alive has passed',
  async ({ connects, clock }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('will/+')
    const device = await connects({ version: 4, keepAliveSeconds: 10, will })
    await clock.advancesSeconds(14)
    await watcher.receivesNothing()
    await clock.advancesSeconds(2)
    await device.isClosed()
    await watcher.receives({ type: PacketType.Publish, ...will })
  }
)

scenario('[3.1.1 MQTT-3.1.2-8] the will is published when the server closes for a protocol error', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+')
  const device = await connects({ version: 4, will })
  await device.sendsBytes('36 05 00 01 74 00 01')
  await device.isClosed()
  await watcher.receives({ type: PacketType.Publish, ...will })
})

scenario('[3.1.1 MQTT-3.1.2-8] the will is published when the server disconnects the client', async ({ connects, broker }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+')
  const device = await connects({ version: 4, clientId: 'device', will })
  broker.running.disconnect('device')
  await device.isClosed()
  await watcher.receives({ type: PacketType.Publish, ...will })
})

scenario('[3.1.1 MQTT-3.1.2-8] the will goes out though the session stays', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+', { qos: 1 })
  const device = await connects({ version: 4, cleanStart: false, will: { ...will, qos: 1 } })
  await device.dropsConnection()
  await watcher.receives({ type: PacketType.Publish, ...will, qos: 1 })
})

scenario('[3.1.1 MQTT-3.1.2-8] a will waits for a session that is away, its own as well', async ({ connects }) => {
  const device = await connects({ version: 4, cleanStart: false, will: { ...will, qos: 1 } })
  await device.subscribes('will/+', { qos: 1 })
  await device.dropsConnection()
  const back = await device.reconnects({ will: undefined })
  await back.receives({ type: PacketType.Publish, ...will, qos: 1, dup: false })
})

scenario(
  '[3.1.1 MQTT-3.1.2-10] [3.1.1 MQTT-3.14.4-3] [3.1.1 MQTT-3.14.4-1] DISCONNECT throws the will away unpublished',
  async ({ connects, clock }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('will/+')
    const device = await connects({ version: 4, cleanStart: false, keepAliveSeconds: 10, will })
    await device.disconnects()
    await clock.advancesSeconds(3600)
    await watcher.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-10] a will is published once, and not known any more when the client comes back',
  async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('will/+')
    const device = await connects({ version: 4, cleanStart: false, will })
    await device.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, ...will })
    const back = await device.reconnects({ will: undefined })
    await back.dropsConnection()
    await watcher.receivesNothing()
  }
)

scenario('[3.1.1 MQTT-3.1.2-10] a will that DISCONNECT removed stays removed on the next connection', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+')
  const device = await connects({ version: 4, cleanStart: false, will })
  await device.disconnects()
  const back = await device.reconnects({ will: undefined })
  await back.dropsConnection()
  await watcher.receivesNothing()
})

scenario('[3.1.1 MQTT-3.1.2-12] with Will Flag 0 nothing is published when the connection ends', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('#')
  const device = await connects({ version: 4 })
  await device.dropsConnection()
  await watcher.receivesNothing()
})

scenario('[3.1.1 MQTT-3.1.2-16] with Will Retain 0 the will is not retained', async ({ connects, broker }) => {
  const device = await connects({ version: 4, will: { ...will, retain: false } })
  await device.dropsConnection()
  const late = await connects({ version: 4 })
  await late.subscribes('will/+')
  await late.receivesNothing()
  expect(broker.running.counts.retainedMessages).toBe(0)
})

scenario('[3.1.1 MQTT-3.1.2-17] with Will Retain 1 the will is retained', async ({ connects }) => {
  const watcher = await connects({ version: 4 })
  await watcher.subscribes('will/+', { qos: 1 })
  const device = await connects({ version: 4, will: { ...will, qos: 1, retain: true } })
  await device.dropsConnection()
  await watcher.receives({ type: PacketType.Publish, ...will, qos: 1, retain: false })
  const late = await connects({ version: 4 })
  await late.subscribes('will/+', { qos: 1 })
  await late.receives({ type: PacketType.Publish, ...will, qos: 1, retain: true })
})

scenario('[3.1.1 MQTT-3.1.2-17] a retained will with no message removes what is retained', async ({ connects, broker }) => {
  const publisher = await connects({ version: 4 })
  await publisher.publishes('will/device', 'here', { qos: 1, retain: true })
  const device = await connects({ version: 4, will: { topicName: 'will/device', payload: '', retain: true } })
  await device.dropsConnection()
  expect(broker.running.counts.retainedMessages).toBe(0)
})

scenario(
  '[3.1.1 MQTT-3.14.4-2] [3.1.1 MQTT-3.14.4-3] what a client sends behind DISCONNECT is not processed',
  async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('#')
    const device = await connects({ version: 4, will })
    await device.sends(publish('t', 'before'), disconnect(), publish('t', 'behind'))
    await device.isClosed()
    await watcher.receives({ type: PacketType.Publish, topicName: 't', payload: 'before' })
    await watcher.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.14.4-1] the server closes after DISCONNECT if the client has not done so, and gives up on one that never does',
  async ({ connects, broker, clock }) => {
    const device = await connects({ version: 4, clientId: 'device' })
    device.pausesReading()
    await device.sends(disconnect())
    expect(broker.running.counts.clients).toBe(0)
    await clock.advancesSeconds(10)
    await device.resumesReading()
    await device.isClosed()
  }
)
