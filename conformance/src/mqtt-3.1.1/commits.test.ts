import { PacketType } from '@godwit/protocol'
import { connect, publish, pubrec, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario(
  '[3.1.1 MQTT-4.3.2-2] PUBACK waits until the store has the message, for it tells that the server owns it',
  async ({ connects, store, settles }) => {
    const away = await connects({ version: 4, cleanStart: false })
    await away.subscribes('t', { qos: 1 })
    await away.dropsConnection()
    const publisher = await connects({ version: 4 })
    store.holdsCommits()
    await publisher.sends(publish('t', 'kept', { qos: 1, packetIdentifier: 5 }))
    await publisher.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 5 })
  }
)

scenario(
  '[3.1.1 MQTT-4.3.2-2] [3.1.1 MQTT-3.3.1-5] so it does for a message that is to be retained',
  async ({ connects, store, settles }) => {
    const publisher = await connects({ version: 4 })
    store.holdsCommits()
    await publisher.sends(publish('t', 'kept', { qos: 1, retain: true, packetIdentifier: 5 }))
    await publisher.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 5 })
  }
)

scenario('[3.1.1 MQTT-4.3.2-2] where nothing has to be kept, PUBACK does not wait', async ({ connects, store }) => {
  const clean = await connects({ version: 4, cleanStart: true })
  await clean.subscribes('t', { qos: 1 })
  const publisher = await connects({ version: 4, cleanStart: true })
  store.holdsCommits()
  await publisher.publishes('t', 'heard', { qos: 1 })
  await publisher.publishes('u', 'unheard', { qos: 2 })
  await clean.receives({ type: PacketType.Publish, payload: 'heard' })
})

scenario(
  '[3.1.1 MQTT-4.3.3-2] PUBREC and PUBCOMP wait until the store has what they promise',
  async ({ connects, store, settles }) => {
    const away = await connects({ version: 4, cleanStart: false })
    await away.subscribes('t', { qos: 2 })
    await away.dropsConnection()
    const publisher = await connects({ version: 4, cleanStart: false, acknowledges: false })
    store.holdsCommits()
    await publisher.sends(publish('t', 'kept', { qos: 2, packetIdentifier: 5 }))
    await publisher.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 5 })
    store.holdsCommits()
    await publisher.sends(pubrel(5))
    await publisher.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 5 })
  }
)

scenario(
  '[3.1.1 MQTT-4.3.3-1] a QoS 2 PUBLISH, and its PUBREL, wait until the store knows how far it has come',
  async ({ connects, store, settles }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    await publisher.sends(publish('t', 'm', { qos: 2 }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
    store.holdsCommits()
    await publisher.sends(pubrel(1))
    await subscriber.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'm', packetIdentifier: 1 })
    store.holdsCommits()
    await subscriber.sends(pubrec(1))
    await subscriber.receivesNothing()
    store.releasesCommits()
    await settles()
    await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
  }
)

scenario(
  '[3.1.1 MQTT-3.8.4-1] [3.1.1 MQTT-3.10.4-4] SUBACK and UNSUBACK of a stored session wait for the store, those of a clean one do not',
  async ({ connects, store, settles }) => {
    const stored = await connects({ version: 4, cleanStart: false })
    const clean = await connects({ version: 4, cleanStart: true })
    store.holdsCommits()
    for (const client of [stored, clean]) await client.sends(subscribe(1, ['t']))
    await clean.receives({ type: PacketType.Suback, packetIdentifier: 1 })
    await stored.receivesNothing()
    store.releasesCommits()
    await settles()
    await stored.receives({ type: PacketType.Suback, packetIdentifier: 1 })
    store.holdsCommits()
    for (const client of [stored, clean]) await client.sends(unsubscribe(2, ['t']))
    await clean.receives({ type: PacketType.Unsuback, packetIdentifier: 2 })
    await stored.receivesNothing()
    store.releasesCommits()
    await settles()
    await stored.receives({ type: PacketType.Unsuback, packetIdentifier: 2 })
  }
)

scenario(
  '[3.1.1 MQTT-3.1.4-4] [3.1.1 MQTT-3.1.2-8] CONNACK waits until the store has the session and the will',
  async ({ raw, store, settles }) => {
    store.holdsCommits()
    const clean = await raw({ version: 4 })
    await clean.sends(connect({ version: 4, clientId: 'clean' }))
    await clean.receives({ type: PacketType.Connack, sessionPresent: false })
    const stored = await raw({ version: 4 })
    await stored.sends(connect({ version: 4, clientId: 'stored', cleanStart: false }))
    const willing = await raw({ version: 4 })
    await willing.sends(connect({ version: 4, clientId: 'willing', will: { topicName: 't' } }))
    await stored.receivesNothing()
    await willing.receivesNothing()
    store.releasesCommits()
    await settles()
    await stored.receives({ type: PacketType.Connack, sessionPresent: false })
    await willing.receives({ type: PacketType.Connack, sessionPresent: false })
  }
)

scenario(
  '[3.1.1 MQTT-4.8.0-2] a store that fails closes the connections that wait for it, and only those; nothing is acknowledged',
  async ({ connects, store, settles, broker }) => {
    const away = await connects({ version: 4, cleanStart: false })
    await away.subscribes('t', { qos: 1 })
    await away.dropsConnection()
    const publisher = await connects({ version: 4 })
    const other = await connects({ version: 4 })
    await other.subscribes('u')
    store.failsNextCommit()
    await publisher.sends(publish('t', 'not kept', { qos: 1 }))
    await settles()
    await publisher.isClosed()
    expect(broker.loggedErrors.splice(0)).toHaveLength(1)
    await other.publishes('u', 'as ever')
    await other.receives({ type: PacketType.Publish, payload: 'as ever' })
  }
)

scenario(
  '[3.1.1 MQTT-4.8.0-2] a message that there is no room for closes the connection, so that the client keeps it',
  { limits: { retainedMessagesMax: 1 } },
  async ({ connects }) => {
    const publisher = await connects({ version: 4 })
    await publisher.publishes('t/1', 'kept', { qos: 1, retain: true })
    await publisher.publishes('t/1', 'replaced', { qos: 1, retain: true })
    for (const qos of [1, 2] as const) {
      const client = await connects({ version: 4 })
      await client.sends(publish('t/2', 'no room', { qos, retain: true }))
      await client.isClosed()
    }
    await publisher.sends(publish('t/2', 'no room', { qos: 0, retain: true }))
    await publisher.receivesNothing()
  }
)
