import { PacketType, ReasonCode } from '@godwit/protocol'
import { connect, publish, pubrec, scenario, type Scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const FOR_EVER = 0xffff_ffff

scenario('[5.0 MQTT-3.1.2-4] [5.0 MQTT-3.1.4-4] Clean Start 1 discards the session and begins another', async ({ connects }) => {
  const before = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
  await before.subscribes('t', { qos: 1 })
  await before.disconnects()
  const publisher = await connects()
  await publisher.publishes('t', 'for the old session', { qos: 1 })
  const after = await before.reconnects({ cleanStart: true })
  expect(after.connack.sessionPresent).toBe(false)
  await publisher.publishes('t', 'for nobody', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
  await after.receivesNothing()
})

scenario(
  '[5.0 MQTT-3.1.2-4] Clean Start 1 discards unfinished exchanges: an identifier in use before is new',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('t')
    const before = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
    await before.sends(publish('t', 'unreleased', { qos: 2, packetIdentifier: 5 }))
    await before.receives({ type: PacketType.Pubrec, packetIdentifier: 5 })
    await before.dropsConnection()
    const after = await before.reconnects({ cleanStart: true })
    await after.publishes('t', 'released', { qos: 2, packetIdentifier: 5 })
    await watcher.receives({ type: PacketType.Publish, payload: 'released' })
  }
)

scenario(
  '[5.0 MQTT-3.1.2-5] Clean Start 0 goes on in the session: its subscriptions and what waits for it',
  async ({ connects }) => {
    const before = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
    await before.subscribes([
      ['one', { qos: 1 }],
      ['two', { qos: 2 }]
    ])
    await before.disconnects()
    const publisher = await connects()
    await publisher.publishes('one', 'first', { qos: 1 })
    await publisher.publishes('two', 'second', { qos: 2 })
    const after = await before.reconnects()
    expect(after.connack.sessionPresent).toBe(true)
    await after.receives({ type: PacketType.Publish, topicName: 'one', payload: 'first', qos: 1, dup: false })
    await after.receives({ type: PacketType.Publish, topicName: 'two', payload: 'second', qos: 2, dup: false })
    await publisher.publishes('one', 'third', { qos: 1 })
    await after.receives({ type: PacketType.Publish, topicName: 'one', payload: 'third', qos: 1 })
  }
)

scenario(
  '[5.0 MQTT-3.1.2-5] the QoS 2 identifiers that the server has received are part of the session',
  async ({ connects }) => {
    const watcher = await connects()
    await watcher.subscribes('t')
    const before = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
    await before.sends(publish('t', 'once', { qos: 2, packetIdentifier: 5 }))
    await before.receives({ type: PacketType.Pubrec, packetIdentifier: 5 })
    await before.dropsConnection()
    const after = await before.reconnects()
    await after.publishes('t', 'once', { qos: 2, packetIdentifier: 5, dup: true })
    await watcher.receives({ type: PacketType.Publish, payload: 'once' })
  }
)

scenario(
  '[5.0 MQTT-3.1.2-5] a PUBREC that is repeated gets its PUBREL again, also where nothing is left to be stored',
  async ({ connects }) => {
    const subscriber = await connects({ sessionExpirySeconds: 100, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', 'message', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'message', packetIdentifier: 1 })
    for (let times = 0; times < 2; times++) {
      await subscriber.sends(pubrec(1))
      await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1, reasonCode: ReasonCode.Success })
    }
  }
)

scenario('[5.0 MQTT-3.1.2-6] Clean Start 0 without a session begins one', async ({ connects }) => {
  const client = await connects({ clientId: 'a', cleanStart: false })
  expect(client.connack.sessionPresent).toBe(false)
  await client.subscribes('t')
  await client.publishes('t', 'works')
  await client.receives({ type: PacketType.Publish, payload: 'works' })
})

scenario(
  '[5.0 MQTT-3.1.2-23] a Session Expiry Interval above 0 keeps the session after the connection, however it closes',
  async ({ connects, clock }) => {
    const endings = [
      async (client: Awaited<ReturnType<Scenario['connects']>>) => client.disconnects(),
      async (client: Awaited<ReturnType<Scenario['connects']>>) => client.dropsConnection(),
      async (client: Awaited<ReturnType<Scenario['connects']>>) => {
        await client.sendsBytes('ff ff')
        await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
      }
    ]
    for (const ends of endings) {
      const client = await connects({ clientId: 'a', sessionExpirySeconds: 10 })
      await ends(client)
      await clock.advancesSeconds(9)
      const back = await client.reconnects()
      expect(back.connack.sessionPresent).toBe(true)
      await back.disconnects()
    }
  }
)

scenario('[5.0 MQTT-3.1.2-23] without a Session Expiry Interval, or with 0, nothing is kept', async ({ connects, broker }) => {
  for (const sessionExpirySeconds of [undefined, 0]) {
    const client = await connects({ clientId: 'a', cleanStart: false, sessionExpirySeconds })
    await client.subscribes('t', { qos: 1 })
    await client.dropsConnection()
    expect(broker.running.counts).toMatchObject({ sessions: 0, subscriptions: 0 })
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(false)
    await back.disconnects()
  }
})

scenario('[5.0 MQTT-3.1.3-2] the ClientID is what a session is found by', async ({ connects }) => {
  const a = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
  const b = await connects({ clientId: 'A', sessionExpirySeconds: 100 })
  await a.subscribes('t', { qos: 1 })
  await a.disconnects()
  await b.disconnects()
  const publisher = await connects()
  await publisher.publishes('t', 'for a', { qos: 1 })
  const backB = await b.reconnects()
  expect(backB.connack.sessionPresent).toBe(true)
  await backB.receivesNothing()
  const other = await connects({ clientId: 'aa', cleanStart: false })
  expect(other.connack.sessionPresent).toBe(false)
  const backA = await a.reconnects()
  await backA.receives({ type: PacketType.Publish, payload: 'for a' })
})

scenario(
  '[5.0 MQTT-4.1.0-1] session state is kept as long as the connection is open, though the interval is shorter',
  async ({ connects, clock }) => {
    const client = await connects({ sessionExpirySeconds: 1 })
    await client.subscribes('t', { qos: 1 })
    await clock.advancesSeconds(1000)
    await client.publishes('t', 'still there', { qos: 1, expects: ReasonCode.Success })
    await client.receives({ type: PacketType.Publish, payload: 'still there' })
  }
)

scenario('[5.0 MQTT-4.1.0-1] nor does a session expire that was resumed in time', async ({ connects, clock }) => {
  const client = await connects({ sessionExpirySeconds: 10 })
  await client.subscribes('t', { qos: 1 })
  await client.dropsConnection()
  await clock.advancesSeconds(9)
  const back = await client.reconnects()
  await clock.advancesSeconds(100)
  await back.publishes('t', 'still there', { qos: 1, expects: ReasonCode.Success })
  await back.receives({ type: PacketType.Publish, payload: 'still there' })
})

scenario(
  '[5.0 MQTT-4.1.0-2] a session is deleted once its interval has passed after the close',
  async ({ connects, clock, broker }) => {
    const client = await connects({ sessionExpirySeconds: 10 })
    await client.subscribes('t', { qos: 1 })
    await clock.advancesSeconds(100)
    await client.dropsConnection()
    await clock.advancesSeconds(9)
    expect(broker.running.counts).toMatchObject({ sessions: 1, subscriptions: 1 })
    await clock.advancesSeconds(1)
    expect(broker.running.counts).toMatchObject({ sessions: 0, subscriptions: 0 })
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(false)
  }
)

scenario(
  '[5.0 MQTT-4.1.0-2] the interval counts from the last close, and is that of the last CONNECT',
  async ({ connects, clock, broker }) => {
    const client = await connects({ sessionExpirySeconds: 10 })
    await client.disconnects()
    await clock.advancesSeconds(9)
    const back = await client.reconnects({ sessionExpirySeconds: 30 })
    await back.disconnects()
    await clock.advancesSeconds(29)
    expect(broker.running.counts.sessions).toBe(1)
    const last = await back.reconnects({ sessionExpirySeconds: 0 })
    expect(last.connack.sessionPresent).toBe(true)
    await last.disconnects()
    expect(broker.running.counts.sessions).toBe(0)
  }
)

scenario('[5.0 MQTT-4.1.0-2] 0xFFFFFFFF: the session does not expire', async ({ connects, clock }) => {
  const client = await connects({ sessionExpirySeconds: FOR_EVER })
  expect(client.connack.properties).not.toHaveProperty('sessionExpiryInterval')
  await client.disconnects()
  await clock.advancesSeconds(FOR_EVER + 1)
  const back = await client.reconnects()
  expect(back.connack.sessionPresent).toBe(true)
})

scenario('[5.0 MQTT-4.1.0-2] 0xFFFFFFFE is an interval like any other', async ({ connects, clock, broker }) => {
  const client = await connects({ sessionExpirySeconds: FOR_EVER - 1 })
  await client.disconnects()
  await clock.advancesSeconds(FOR_EVER - 2)
  expect(broker.running.counts.sessions).toBe(1)
  await clock.advancesSeconds(1)
  expect(broker.running.counts.sessions).toBe(0)
})

scenario(
  'the server may grant less than the client asked for, and says so [5.0 3.2.2.3.2]',
  { limits: { sessionExpirySecondsMax: 60 } },
  async ({ connects, clock, broker }) => {
    const modest = await connects({ sessionExpirySeconds: 60 })
    expect(modest.connack.properties).not.toHaveProperty('sessionExpiryInterval')
    await modest.disconnects({ sessionExpirySeconds: 0 })
    const client = await connects({ sessionExpirySeconds: FOR_EVER })
    expect(client.connack.properties.sessionExpiryInterval).toBe(60)
    await client.disconnects()
    await clock.advancesSeconds(59)
    expect(broker.running.counts.sessions).toBe(1)
    await clock.advancesSeconds(1)
    expect(broker.running.counts.sessions).toBe(0)
  }
)

scenario('[5.0 MQTT-4.1.0-2] the interval runs on while the broker is down', async ({ connects, clock, broker }) => {
  const client = await connects({ sessionExpirySeconds: 10 })
  const other = await connects({ sessionExpirySeconds: 20 })
  await client.disconnects()
  await other.disconnects()
  await broker.stops()
  await clock.advancesSeconds(11)
  await broker.starts()
  await clock.advancesMs(100)
  expect(broker.running.counts.sessions).toBe(1)
  const back = await other.reconnects()
  expect(back.connack.sessionPresent).toBe(true)
})

scenario('[5.0 MQTT-3.1.2-23] a session is on record before CONNACK speaks of it', async ({ raw, store, settles }) => {
  store.holdsCommits()
  const client = await raw()
  await client.sends(connect({ clientId: 'a', sessionExpirySeconds: 100 }))
  await client.receivesNothing()
  store.releasesCommits()
  await settles()
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
})

scenario('a store that cannot keep the session has the client refused [5.0 3.1.4]', async ({ refuses, store, broker }) => {
  store.failsNextCommit()
  await refuses({ clientId: 'a', sessionExpirySeconds: 100 }, ReasonCode.ImplementationSpecificError)
  expect(broker.loggedErrors.splice(0).length).toBeGreaterThan(0)
})
