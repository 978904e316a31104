import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const KEEP_ALIVE_TIMEOUT = { reasonCode: ReasonCode.KeepAliveTimeout }

scenario(
  '[5.0 MQTT-3.1.2-22] a client that is silent for 1.5 times its Keep Alive is disconnected',
  async ({ connects, clock }) => {
    const client = await connects({ keepAliveSeconds: 10 })
    await clock.advancesMs(14_900)
    await client.receivesNothing()
    await clock.advancesMs(200)
    await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
  }
)

scenario('[5.0 MQTT-3.1.2-22] every packet keeps the connection alive, not only PINGREQ', async ({ connects, clock }) => {
  const client = await connects({ keepAliveSeconds: 10 })
  for (let times = 0; times < 3; times++) {
    await clock.advancesSeconds(14)
    await client.sends(PINGREQ)
    await client.receives({ type: PacketType.Pingresp })
    await clock.advancesSeconds(14)
    await client.sends(publish('t'))
    await clock.advancesSeconds(14)
    await client.subscribes('none')
  }
  await clock.advancesMs(15_100)
  await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
})

scenario('[5.0 MQTT-3.1.2-22] what the server sends does not keep the connection alive', async ({ connects, clock }) => {
  const client = await connects({ keepAliveSeconds: 10, acknowledges: false })
  await client.subscribes('t', { qos: 1 })
  const publisher = await connects()
  await clock.advancesSeconds(14)
  await publisher.publishes('t', 'message', { qos: 1 })
  await client.receives({ type: PacketType.Publish, payload: 'message' })
  await clock.advancesMs(1100)
  await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
})

scenario('[5.0 MQTT-3.1.2-22] the close is as if the network had failed: the will is published', async ({ connects, clock }) => {
  const watcher = await connects()
  await watcher.subscribes('will')
  const client = await connects({ keepAliveSeconds: 1, will: { topicName: 'will', payload: 'silent' } })
  await clock.advancesMs(1600)
  await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
  await watcher.receives({ type: PacketType.Publish, topicName: 'will', payload: 'silent' })
})

scenario('[5.0 MQTT-3.1.2-22] Keep Alive 0 switches it off', async ({ connects, clock }) => {
  const client = await connects({ keepAliveSeconds: 0 })
  await clock.advancesSeconds(1_000_000)
  await client.receivesNothing()
})

scenario('[5.0 MQTT-3.1.2-22] the longest Keep Alive is kept to', async ({ connects, clock }) => {
  const client = await connects({ keepAliveSeconds: 65_535 })
  await clock.advancesSeconds(98_302)
  await client.receivesNothing()
  await clock.advancesSeconds(1)
  await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
})

scenario(
  '[5.0 MQTT-3.1.2-21] [5.0 MQTT-3.2.2-21] a Server Keep Alive counts in place of a longer one of the client',
  { limits: { keepAliveSecondsMax: 20 } },
  async ({ connects, clock }) => {
    const client = await connects({ keepAliveSeconds: 100 })
    expect(client.connack.properties.serverKeepAlive).toBe(20)
    await clock.advancesMs(29_900)
    await client.receivesNothing()
    await clock.advancesMs(200)
    await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
  }
)

scenario(
  '[5.0 MQTT-3.2.2-21] a Server Keep Alive counts for clients that asked for none',
  { limits: { keepAliveSecondsMax: 20 } },
  async ({ connects, clock }) => {
    const client = await connects({ keepAliveSeconds: 0 })
    expect(client.connack.properties.serverKeepAlive).toBe(20)
    await clock.advancesMs(30_100)
    await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
  }
)

scenario(
  '[5.0 MQTT-3.2.2-22] without a Server Keep Alive the client’s own counts',
  { limits: { keepAliveSecondsMax: 20 } },
  async ({ connects, clock }) => {
    const client = await connects({ keepAliveSeconds: 20 })
    const shorter = await connects({ keepAliveSeconds: 4 })
    for (const { connack } of [client, shorter]) expect(connack.properties).not.toHaveProperty('serverKeepAlive')
    await clock.advancesMs(6100)
    await shorter.isDisconnected(KEEP_ALIVE_TIMEOUT)
    await clock.advancesMs(23_000)
    await client.receivesNothing()
    await clock.advancesMs(1000)
    await client.isDisconnected(KEEP_ALIVE_TIMEOUT)
  }
)

scenario(
  '[5.0 MQTT-3.1.2-22] time in which the server itself holds the client’s packets back is not silence',
  async ({ connects, clock, broker, settles }) => {
    const verdict = Promise.withResolvers<boolean>()
    await broker.restarts({ authorize: () => verdict.promise })
    const client = await connects({ keepAliveSeconds: 10 })
    await client.sends(publish('t'), PINGREQ)
    await clock.advancesSeconds(60)
    await client.receivesNothing()
    verdict.resolve(true)
    await settles()
    await client.receives({ type: PacketType.Pingresp })
  }
)

scenario('[5.0 MQTT-3.12.4-1] PINGREQ is answered with PINGRESP', async ({ connects }) => {
  const client = await connects()
  await client.sendsBytes('c0 00 c0 00')
  await client.receivesBytes('d0 00')
  await client.receivesBytes('d0 00')
})
