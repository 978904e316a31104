import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import {
  connect,
  disconnect,
  publish,
  puback,
  pubcomp,
  pubrec,
  pubrel,
  type Scenario,
  scenario,
  subscribe,
  type TestClient,
  unsubscribe
} from '@godwit/testkit'
import { expect } from 'vitest'

/** A session that is not connected, and gets what is published to `t`. */
async function absentSubscriber(connects: Scenario['connects'], qos: 1 | 2 = 2): Promise<TestClient> {
  const client = await connects({ clientId: 'absent', sessionExpirySeconds: 600 })
  await client.subscribes('t', { qos })
  await client.dropsConnection()
  return client
}

scenario(
  '[5.0 MQTT-4.3.2-4] PUBACK waits until the message is in the store: queued for a session, or retained',
  async ({ connects, store }) => {
    await absentSubscriber(connects)
    const publisher = await connects()
    for (const message of [
      publish('t', 'queued', { qos: 1, packetIdentifier: 1 }),
      publish('u', 'retained', { qos: 1, packetIdentifier: 1, retain: true }),
      publish('u', '', { qos: 1, packetIdentifier: 1, retain: true })
    ]) {
      store.holdsCommits()
      await publisher.sends(message)
      await publisher.receivesNothing()
      store.releasesCommits()
      await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success })
    }
  }
)

scenario('[5.0 MQTT-4.3.2-4] PUBACK does not wait where the store has no part in it', async ({ connects, store }) => {
  const transient = await connects()
  await transient.subscribes('t', { qos: 1 })
  const publisher = await connects({ sessionExpirySeconds: 600 })
  store.holdsCommits()
  await publisher.sends(publish('t', 'live', { qos: 1, packetIdentifier: 1 }))
  await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await transient.receives({ type: PacketType.Publish, payload: 'live' })
  await publisher.sends(publish('nobody', '', { qos: 1, packetIdentifier: 2 }))
  await publisher.receives({ type: PacketType.Puback, packetIdentifier: 2, reasonCode: ReasonCode.NoMatchingSubscribers })
  store.releasesCommits()
})

scenario(
  '[5.0 MQTT-4.3.3-8] PUBREC waits until a durable publisher’s message and identifier are in the store, each time it is asked for',
  async ({ connects, store }) => {
    await absentSubscriber(connects)
    const publisher = await connects({ sessionExpirySeconds: 600 })
    for (const dup of [false, true]) {
      store.holdsCommits()
      await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 9, dup }))
      await publisher.receivesNothing()
      store.releasesCommits()
      await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 9, reasonCode: ReasonCode.Success })
    }
  }
)

scenario('[5.0 MQTT-4.3.3-11] PUBCOMP waits until the message is in the store', async ({ connects, store }) => {
  await absentSubscriber(connects)
  for (const sessionExpirySeconds of [0, 600]) {
    const publisher = await connects({ sessionExpirySeconds })
    await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 9 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 9 })
    store.holdsCommits()
    await publisher.sends(pubrel(9))
    await publisher.receivesNothing()
    store.releasesCommits()
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 9, reasonCode: ReasonCode.Success })
  }
})

scenario(
  '[5.0 MQTT-3.8.4-1] [5.0 MQTT-3.10.4-4] SUBACK and UNSUBACK wait until the change is in the store, for a durable session',
  async ({ connects, store }) => {
    const durable = await connects({ sessionExpirySeconds: 600 })
    const transient = await connects()
    store.holdsCommits()
    for (const client of [durable, transient]) await client.sends(subscribe(1, [['t', { qos: 1 }]]))
    await durable.receivesNothing()
    await transient.receives({ type: PacketType.Suback, packetIdentifier: 1 })
    store.releasesCommits()
    await durable.receives({ type: PacketType.Suback, packetIdentifier: 1 })
    store.holdsCommits()
    for (const client of [durable, transient]) await client.sends(unsubscribe(2, ['t']))
    await durable.receivesNothing()
    await transient.receives({ type: PacketType.Unsuback, packetIdentifier: 2 })
    store.releasesCommits()
    await durable.receives({ type: PacketType.Unsuback, packetIdentifier: 2 })
    store.holdsCommits()
    await durable.sends(unsubscribe(3, ['t']))
    await durable.receives({ type: PacketType.Unsuback, packetIdentifier: 3, reasonCodes: [ReasonCode.NoSubscriptionExisted] })
    store.releasesCommits()
  }
)

scenario('[5.0 MQTT-3.8.4-1] retained messages come after the SUBACK that waited', async ({ connects, store }) => {
  const publisher = await connects()
  await publisher.publishes('t', 'kept', { qos: 1, retain: true })
  const durable = await connects({ sessionExpirySeconds: 600 })
  store.holdsCommits()
  await durable.sends(subscribe(1, ['t']))
  await durable.receivesNothing()
  store.releasesCommits()
  await durable.receives({ type: PacketType.Suback, packetIdentifier: 1 })
  await durable.receives({ type: PacketType.Publish, payload: 'kept', retain: true })
})

scenario(
  '[5.0 MQTT-3.1.2-4] [5.0 MQTT-3.2.2-3] CONNACK waits until the session is in the store: made, gone on with, or removed; and the will',
  async ({ raw, store }) => {
    const steps = [
      { what: 'made', options: { sessionExpirySeconds: 600, cleanStart: false }, sessionPresent: false },
      { what: 'gone on with', options: { sessionExpirySeconds: 600, cleanStart: false }, sessionPresent: true },
      { what: 'replaced', options: { sessionExpirySeconds: 600, cleanStart: true }, sessionPresent: false },
      { what: 'removed', options: { cleanStart: true }, sessionPresent: false },
      { what: 'with a will', options: { cleanStart: true, will: { topicName: 't' } }, sessionPresent: false }
    ]
    for (const { what, options, sessionPresent } of steps) {
      const client = await raw()
      store.holdsCommits()
      await client.sends(connect({ clientId: 'client', ...options }), PINGREQ)
      expect(client.inbox, `before a session is ${what} in the store`).toEqual([])
      store.releasesCommits()
      await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success, sessionPresent })
      await client.receives({ type: PacketType.Pingresp })
      await client.sends(disconnect())
      await client.isClosed()
    }
  }
)

scenario('[5.0 MQTT-3.2.0-1] CONNACK does not wait where nothing is stored', async ({ raw, store }) => {
  store.holdsCommits()
  const client = await raw()
  await client.sends(connect({ clientId: 'client' }))
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  store.releasesCommits()
})

scenario(
  '[5.0 MQTT-4.3.3-2] a QoS 2 PUBLISH to a durable session waits until its identifier is in the store, QoS 1 does not',
  async ({ connects, store, settles }) => {
    const durable = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    const transient = await connects({ acknowledges: false })
    for (const client of [durable, transient]) await client.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.sends(publish('t', 'two', { qos: 2, packetIdentifier: 9 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 9 })
    store.holdsCommits()
    await publisher.sends(pubrel(9), publish('t', 'one', { qos: 1, packetIdentifier: 10 }))
    await durable.receives({ type: PacketType.Publish, payload: 'one', qos: 1, packetIdentifier: 2 })
    await durable.receivesNothing()
    await transient.receives({ type: PacketType.Publish, payload: 'two', qos: 2, packetIdentifier: 1 })
    await transient.receives({ type: PacketType.Publish, payload: 'one', qos: 1, packetIdentifier: 2 })
    store.releasesCommits()
    await settles()
    await durable.receives({ type: PacketType.Publish, payload: 'two', qos: 2, packetIdentifier: 1, dup: false })
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 9 })
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 10 })
    await durable.sends(puback(2))
  }
)

scenario(
  '[5.0 MQTT-4.3.3-4] PUBREL to a durable session waits until it is in the store that the client has the message',
  async ({ connects, store }) => {
    const durable = await connects({ sessionExpirySeconds: 600, acknowledges: false })
    const transient = await connects({ acknowledges: false })
    for (const client of [durable, transient]) await client.subscribes('t', { qos: 2 })
    const publisher = await connects()
    await publisher.publishes('t', 'two', { qos: 2 })
    for (const client of [durable, transient]) {
      await client.receives({ type: PacketType.Publish, payload: 'two', packetIdentifier: 1 })
    }
    for (let time = 0; time < 2; time++) {
      store.holdsCommits()
      await durable.sends(pubrec(1))
      await durable.receivesNothing()
      await transient.sends(pubrec(1))
      await transient.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
      store.releasesCommits()
      await durable.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    }
    for (const client of [durable, transient]) await client.sends(pubcomp(1))
  }
)

scenario(
  '[5.0 MQTT-4.3.2-4] what need not wait itself still waits behind what must, so that answers keep their order',
  async ({ connects, store }) => {
    await absentSubscriber(connects)
    const publisher = await connects()
    store.holdsCommits()
    await publisher.sends(
      publish('t', '', { qos: 1, packetIdentifier: 5 }),
      publish('nobody', '', { qos: 1, packetIdentifier: 4 }),
      publish('nobody', '', { qos: 2, packetIdentifier: 3 }),
      subscribe(2, ['v'])
    )
    await publisher.receivesNothing()
    store.releasesCommits()
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 5 })
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 4 })
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
    await publisher.receives({ type: PacketType.Suback, packetIdentifier: 2 })
  }
)

scenario(
  '[5.0 MQTT-4.3.2-4] live subscribers do not wait for the commit that the publisher waits for',
  async ({ connects, store }) => {
    await absentSubscriber(connects)
    const present = await connects({ sessionExpirySeconds: 600 })
    await present.subscribes('t', { qos: 1 })
    const publisher = await connects()
    store.holdsCommits()
    await publisher.sends(publish('t', 'live', { qos: 1, packetIdentifier: 1 }))
    await present.receives({ type: PacketType.Publish, payload: 'live', qos: 1 })
    await publisher.receivesNothing()
    store.releasesCommits()
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  }
)

scenario(
  '[5.0 MQTT-4.3.2-4] what the store could not keep is not acknowledged: the connection ends',
  async ({ connects, store, broker }) => {
    await absentSubscriber(connects)
    const publisher = await connects()
    store.failsNextCommit()
    await publisher.sends(publish('t', 'lost', { qos: 1, packetIdentifier: 1 }))
    await publisher.isDisconnected({ reasonCode: ReasonCode.ImplementationSpecificError })
    expect(broker.loggedErrors.splice(0)).toHaveLength(1)
    const again = await connects()
    await again.publishes('t', 'kept', { qos: 1 })
  }
)
