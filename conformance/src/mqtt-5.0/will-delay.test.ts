import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'

const WILL = { topicName: 'will', payload: 'gone', willDelaySeconds: 10 } as const
const PUBLISHED = { type: PacketType.Publish, topicName: 'will', payload: 'gone' } as const

scenario('[5.0 MQTT-3.1.2-8] the will waits for the Will Delay Interval', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await clock.advancesMs(9900)
  await watcher.receivesNothing()
  await clock.advancesMs(200)
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the delay runs after DISCONNECT 0x04 too', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
  await device.disconnects({ reasonCode: ReasonCode.DisconnectWithWillMessage })
  await clock.advancesSeconds(9)
  await watcher.receivesNothing()
  await clock.advancesSeconds(1)
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the end of the session ends the delay: by its interval', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 5 })
  await device.dropsConnection()
  await clock.advancesSeconds(4)
  await watcher.receivesNothing()
  await clock.advancesSeconds(1)
  await watcher.receives(PUBLISHED)
  await clock.advancesSeconds(10)
  await watcher.receivesNothing()
})

scenario('[5.0 MQTT-3.1.2-8] the end of the session ends the delay: with the connection', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL })
  await device.dropsConnection()
  await watcher.receives(PUBLISHED)
})

scenario(
  '[5.0 MQTT-3.1.2-8] the end of the session ends the delay: by a Session Expiry Interval 0 in DISCONNECT',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
    await device.disconnects({ reasonCode: ReasonCode.DisconnectWithWillMessage, sessionExpirySeconds: 0 })
    await watcher.receives(PUBLISHED)
  }
)

scenario('[5.0 MQTT-3.1.2-8] the end of the session ends the delay: by Clean Start 1', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await clock.advancesSeconds(5)
  await device.reconnects({ cleanStart: true, will: undefined })
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] the end of the session ends the delay: by takeover with Clean Start 1', async ({ connects }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ clientId: 'device', will: WILL, sessionExpirySeconds: 100 })
  await connects({ clientId: 'device', cleanStart: true })
  await device.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
  await watcher.receives(PUBLISHED)
})

scenario(
  '[5.0 MQTT-3.1.3-9] a client that comes back before the delay has passed takes its will back',
  async ({ connects, clock }) => {
    const watcher = await connects()
    await watcher.subscribes('will')
    const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
    await device.dropsConnection()
    await clock.advancesSeconds(9)
    const back = await device.reconnects({ will: undefined })
    await clock.advancesSeconds(1000)
    await watcher.receivesNothing()
    await back.dropsConnection()
    await clock.advancesSeconds(1000)
    await watcher.receivesNothing()
  }
)

scenario('[5.0 MQTT-3.1.3-9] takeover before the delay has passed takes the will back', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ clientId: 'device', will: WILL, sessionExpirySeconds: 100 })
  await connects({ clientId: 'device', cleanStart: false, sessionExpirySeconds: 100 })
  await device.isDisconnected({ reasonCode: ReasonCode.SessionTakenOver })
  await clock.advancesSeconds(1000)
  await watcher.receivesNothing()
})

scenario('[5.0 MQTT-3.1.3-9] the will of the new connection has a delay of its own', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await clock.advancesSeconds(9)
  const back = await device.reconnects({ will: { topicName: 'will', payload: 'again', willDelaySeconds: 20 } })
  await back.dropsConnection()
  await clock.advancesSeconds(19)
  await watcher.receivesNothing()
  await clock.advancesSeconds(1)
  await watcher.receives({ type: PacketType.Publish, payload: 'again' })
})

scenario('[5.0 MQTT-3.1.3-9] a client that comes back too late has had its will published', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ will: WILL, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await clock.advancesSeconds(10)
  await device.reconnects({ will: undefined })
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] a refused CONNECT does not take the will back', async ({ connects, refuses, clock, broker }) => {
  await broker.restarts({ authenticate: ({ userName }) => ({ accepted: userName !== 'bad' }) })
  const watcher = await connects()
  await watcher.subscribes('will')
  const device = await connects({ clientId: 'device', will: WILL, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await refuses({ clientId: 'device', userName: 'bad', cleanStart: false }, ReasonCode.NotAuthorized)
  await clock.advancesSeconds(10)
  await watcher.receives(PUBLISHED)
})

scenario('[5.0 MQTT-3.1.2-8] a delay that runs goes on when the broker is started again', async ({ connects, clock, broker }) => {
  const watcher = await connects({ sessionExpirySeconds: 100 })
  await watcher.subscribes('will', { qos: 1 })
  const device = await connects({ will: { ...WILL, qos: 1 }, sessionExpirySeconds: 100 })
  await device.dropsConnection()
  await clock.advancesSeconds(4)
  await broker.restarts()
  const back = await watcher.reconnects()
  await clock.advancesSeconds(5)
  await back.receivesNothing()
  await clock.advancesSeconds(1)
  await back.receives(PUBLISHED)
})

scenario(
  '[5.0 MQTT-3.1.2-8] a broker that comes back after a crash publishes the wills of the connections it lost',
  async ({ connects, clock, broker }) => {
    const watcher = await connects({ sessionExpirySeconds: 100 })
    await watcher.subscribes('will/#', { qos: 1 })
    const will = { payload: 'gone', qos: 1 } as const
    await connects({ will: { ...will, topicName: 'will/without delay' }, sessionExpirySeconds: 100 })
    await connects({ will: { ...will, topicName: 'will/with delay', willDelaySeconds: 10 }, sessionExpirySeconds: 100 })
    await connects({ will: { ...will, topicName: 'will/without session', willDelaySeconds: 10 } })
    await broker.crashes()
    await broker.starts()
    await clock.advancesMs(100)
    const back = await watcher.reconnects()
    await back.receivesInAnyOrder(
      { type: PacketType.Publish, topicName: 'will/without delay' },
      { type: PacketType.Publish, topicName: 'will/without session' }
    )
    await clock.advancesSeconds(9)
    await back.receivesNothing()
    await clock.advancesSeconds(1)
    await back.receives({ type: PacketType.Publish, topicName: 'will/with delay' })
  }
)

scenario(
  '[5.0 MQTT-3.1.3-9] a client that comes back to a broker that had crashed takes its delayed will back',
  async ({ connects, clock, broker }) => {
    const watcher = await connects({ sessionExpirySeconds: 1000 })
    await watcher.subscribes('will', { qos: 1 })
    const device = await connects({ will: { ...WILL, qos: 1 }, sessionExpirySeconds: 100 })
    await broker.crashes()
    await broker.starts()
    const back = await watcher.reconnects()
    await clock.advancesSeconds(5)
    await device.reconnects({ will: undefined })
    await clock.advancesSeconds(100)
    await back.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-3.1.2-8] a broker that is shut down publishes the wills that are due then, and keeps the delayed ones',
  async ({ connects, clock, broker }) => {
    const watcher = await connects({ sessionExpirySeconds: 100 })
    await watcher.subscribes('will/#', { qos: 1 })
    await watcher.disconnects()
    const will = { payload: 'gone', qos: 1 } as const
    await connects({ will: { ...will, topicName: 'will/1' }, sessionExpirySeconds: 100 })
    await connects({ will: { ...will, topicName: 'will/2', willDelaySeconds: 10 }, sessionExpirySeconds: 100 })
    await broker.restarts()
    const back = await watcher.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 'will/1' })
    await clock.advancesSeconds(9)
    await back.receivesNothing()
    await clock.advancesSeconds(1)
    await back.receives({ type: PacketType.Publish, topicName: 'will/2' })
  }
)
