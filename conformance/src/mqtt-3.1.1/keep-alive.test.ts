import { PacketType, PINGREQ } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'

for (const keepAliveSeconds of [1, 10, 60, 65_535]) {
  scenario(
    `[3.1.1 MQTT-3.1.2-24] with a keep alive of ${keepAliveSeconds} s a silent client is disconnected after ${keepAliveSeconds * 1.5} s`,
    async ({ connects, clock }) => {
      const client = await connects({ version: 4, keepAliveSeconds })
      await clock.advancesMs(keepAliveSeconds * 1500 - 1)
      await client.receivesNothing()
      await clock.advancesMs(101)
      await client.isClosed()
    }
  )
}

scenario('[3.1.1 MQTT-3.1.2-24] keep alive 0 turns it off', async ({ connects, clock }) => {
  const client = await connects({ version: 4, keepAliveSeconds: 0 })
  await clock.advancesSeconds(1_000_000)
  await client.receivesNothing()
})

scenario('[3.1.1 MQTT-3.1.2-24] any packet from the client begins the time anew', async ({ connects, clock }) => {
  const client = await connects({ version: 4, keepAliveSeconds: 10 })
  await clock.advancesSeconds(14)
  await client.sends(publish('t'))
  await clock.advancesSeconds(14)
  await client.sends(PINGREQ)
  await client.receives({ type: PacketType.Pingresp })
  await clock.advancesSeconds(14)
  await client.subscribes('u')
  await clock.advancesSeconds(14)
  await client.receivesNothing()
  await clock.advancesSeconds(2)
  await client.isClosed()
})

scenario('[3.1.1 MQTT-3.1.2-24] what the server sends does not count', async ({ connects, clock }) => {
  const client = await connects({ version: 4, keepAliveSeconds: 10 })
  await client.subscribes('t')
  const publisher = await connects({ version: 4 })
  await clock.advancesSeconds(10)
  await publisher.publishes('t', 'hello')
  await client.receives({ type: PacketType.Publish, payload: 'hello' })
  await clock.advancesSeconds(6)
  await client.isClosed()
})

scenario(
  '[3.1.1 MQTT-3.1.2-24] the 3.1.1 client’s own value holds, whatever the server asks of 5.0 clients',
  { limits: { keepAliveSecondsMax: 10 } },
  async ({ connects, clock }) => {
    const client = await connects({ version: 4, keepAliveSeconds: 60 })
    const silent = await connects({ version: 4, keepAliveSeconds: 0 })
    await clock.advancesSeconds(89)
    await client.receivesNothing()
    await clock.advancesSeconds(2)
    await client.isClosed()
    await silent.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.1.2-24] the session of a client that fell silent is kept, as after a broken network',
  async ({ connects, clock }) => {
    const client = await connects({ version: 4, cleanStart: false, keepAliveSeconds: 10 })
    await client.subscribes('t', { qos: 1 })
    await clock.advancesSeconds(16)
    await client.isClosed()
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t', 'later', { qos: 1 })
    const back = await client.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'later' })
  }
)

scenario(
  '[3.1.1 3.1.4] a client that sends no CONNECT in time is disconnected',
  { limits: { connectTimeoutSeconds: 10 } },
  async ({ raw, clock }) => {
    const silent = await raw({ version: 4 })
    const slow = await raw({ version: 4 })
    await slow.sendsBytes('10 0d 00 04 4d 51 54 54')
    await clock.advancesSeconds(9)
    await silent.receivesNothing()
    await clock.advancesSeconds(2)
    await silent.isClosed()
    await slow.isClosed()
  }
)

scenario('[3.1.1 MQTT-3.12.4-1] every PINGREQ is answered with PINGRESP', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.sendsBytes('c0 00')
  await client.receivesBytes('d0 00')
  await client.sendsBytes('c0 00 c0 00 c0 00')
  await client.receivesBytes('d0 00')
  await client.receivesBytes('d0 00')
  await client.receivesBytes('d0 00')
  await client.receivesNothing()
})

scenario('[3.1.1 MQTT-3.12.4-1] PINGRESP does not wait for the store', async ({ connects, store, settles }) => {
  const client = await connects({ version: 4, cleanStart: false })
  await client.subscribes('t', { qos: 1 })
  store.holdsCommits()
  await client.sends(publish('t', '', { qos: 1 }), PINGREQ)
  await client.receivesInAnyOrder({ type: PacketType.Pingresp }, { type: PacketType.Publish, topicName: 't' })
  store.releasesCommits()
  await settles()
  await client.receives({ type: PacketType.Puback, packetIdentifier: 1 })
})
