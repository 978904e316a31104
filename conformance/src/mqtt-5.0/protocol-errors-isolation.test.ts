import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { connect, puback, publish, pubrec, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'
import { packetHex } from '../packet-bytes.ts'

/** An error of every kind: unreadable, not allowed, too large, of a feature, of an alias. */
const ERRORS = [
  { what: 'Malformed Packet', packet: "36 [0001 't' 0001 []]", reasonCode: ReasonCode.MalformedPacket },
  { what: 'Protocol Error', packet: '82 [0001 []]', reasonCode: ReasonCode.ProtocolError },
  { what: 'Topic Alias invalid', packet: "30 [0001 't' [23 ffff]]", reasonCode: ReasonCode.TopicAliasInvalid },
  { what: 'Packet too large', packet: '30 ff ff ff 7f', reasonCode: ReasonCode.PacketTooLarge },
  { what: 'a second CONNECT', packet: "10 [0004 'MQTT' 05 02 0000 [] 0001 'c']", reasonCode: ReasonCode.ProtocolError }
] as const

const BEFORE = packetHex("30 [0001 't' [] 'before']")
const BEHIND = packetHex("30 [0001 't' [] 'behind'] 82 [0001 [] 0001 '#' 02] c0 [] e0 []")

for (const { what, packet, reasonCode } of ERRORS) {
  scenario(
    `[5.0 4.13.1] ${what}: what came before it in the chunk is done, nothing of the rest, and DISCONNECT is the last packet`,
    async ({ connects, broker }) => {
      const watcher = await connects({ clientId: 'watcher' })
      await watcher.subscribes(['t', 'will'], { qos: 1 })
      const client = await connects({ clientId: 'client', will: { topicName: 'will', payload: 'gone' } })
      await client.sendsBytes(`${BEFORE} ${packetHex(packet)} ${BEHIND}`)
      await client.isDisconnected({ reasonCode })
      await watcher.receives({ type: PacketType.Publish, topicName: 't', payload: 'before' })
      await watcher.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone' })
      await watcher.receivesNothing()
      expect(broker.running.counts).toMatchObject({ clients: 1, subscriptions: 2 })
    }
  )

  scenario(`[5.0 4.13.1] ${what}: what arrives after the DISCONNECT is not processed either`, async ({ connects, broker }) => {
    const watcher = await connects({ clientId: 'watcher' })
    await watcher.subscribes('t', { qos: 1 })
    const client = await connects({ clientId: 'client' })
    client.pausesReading()
    await client.sendsBytes(packetHex(packet))
    await client.sendsBytes(BEHIND)
    await client.resumesReading()
    await client.isDisconnected({ reasonCode })
    await watcher.receivesNothing()
    expect(broker.running.counts.subscriptions).toBe(1)
  })

  scenario(`[5.0 4.13.1] ${what}: the session outlives it as it was`, async ({ connects }) => {
    const publisher = await connects({ clientId: 'publisher' })
    const client = await connects({ clientId: 'client', sessionExpirySeconds: 60, acknowledges: false })
    await client.subscribes('mine', { qos: 2 })
    await publisher.publishes('mine', 'one', { qos: 1 })
    await publisher.publishes('mine', 'two', { qos: 2 })
    await client.receives({ type: PacketType.Publish, payload: 'one', packetIdentifier: 1 })
    await client.receives({ type: PacketType.Publish, payload: 'two', packetIdentifier: 2 })
    await client.sends(pubrec(2))
    await client.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await client.sendsBytes(`${packetHex('40 [0001]')} ${packetHex(packet)} ${packetHex('70 [0002]')}`)
    await client.isDisconnected({ reasonCode })
    await publisher.publishes('mine', 'three', { qos: 1 })
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
    await back.receives({ type: PacketType.Publish, payload: 'three', dup: false })
    await back.receivesNothing()
  })
}

scenario('[5.0 4.13.1] others keep their connections, sessions, aliases and messages in flight', async ({ connects, broker }) => {
  const other = await connects({ clientId: 'other', acknowledges: false, topicAliasMaximum: 10 })
  await other.subscribes('long/topic', { qos: 1 })
  const publisher = await connects({ clientId: 'publisher' })
  await publisher.publishes('long/topic', 'one', { qos: 1, topicAlias: 1 })
  await other.receives({ type: PacketType.Publish, topicName: 'long/topic', payload: 'one', packetIdentifier: 1 })
  for (const { packet, reasonCode } of ERRORS) {
    const client = await connects({ clientId: 'client' })
    await client.sendsBytes(packetHex(packet))
    await client.isDisconnected({ reasonCode })
  }
  await publisher.publishes('', 'two', { qos: 1, topicAlias: 1 })
  await other.receives({ type: PacketType.Publish, topicName: '', payload: 'two', packetIdentifier: 2 })
  await other.sends(puback(1), puback(2), PINGREQ)
  await other.receives({ type: PacketType.Pingresp })
  expect(broker.running.counts.clients).toBe(2)
})

scenario(
  '[5.0 4.13.1] an error while its earlier packets wait for the store: they are kept, and not acknowledged',
  async ({ connects, store, settles }) => {
    const away = await connects({ clientId: 'away', sessionExpirySeconds: 60 })
    await away.subscribes('t', { qos: 1 })
    await away.dropsConnection()
    const client = await connects({ clientId: 'client' })
    store.holdsCommits()
    await client.sends(publish('t', 'kept', { qos: 1 }))
    await client.sendsBytes(packetHex('00 []'))
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
    store.releasesCommits()
    await settles()
    const back = await away.reconnects()
    await back.receives({ type: PacketType.Publish, payload: 'kept' })
  }
)

scenario('[5.0 4.13.1] an error behind a packet that waits for a verdict comes after it', async ({ connects, broker }) => {
  const verdict = Promise.withResolvers<boolean>()
  await broker.restarts({ authorize: (_client, { action }) => (action === 'publish' ? verdict.promise : true) })
  const watcher = await connects({ clientId: 'watcher' })
  await watcher.subscribes('t')
  const client = await connects({ clientId: 'client' })
  await client.sendsBytes(`${packetHex("32 [0001 't' 0001 [] 'm']")} ${packetHex('00 []')} ${BEHIND}`)
  await client.receivesNothing()
  verdict.resolve(true)
  await client.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  await watcher.receives({ type: PacketType.Publish, payload: 'm' })
  await watcher.receivesNothing()
})

scenario('[5.0 4.13.1] an error behind a CONNECT that waits for its verdict', async ({ raw, broker }) => {
  const verdict = Promise.withResolvers<{ readonly accepted: true }>()
  await broker.restarts({ authenticate: () => verdict.promise })
  const client = await raw()
  await client.sends(connect({ clientId: 'client' }), subscribe(1, ['t']))
  await client.sendsBytes(packetHex('00 []'))
  await client.receivesNothing()
  verdict.resolve({ accepted: true })
  await client.receives({ type: PacketType.Connack, reasonCode: ReasonCode.Success })
  await client.receives({ type: PacketType.Suback, packetIdentifier: 1 })
  await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  expect(broker.running.counts).toMatchObject({ clients: 0, sessions: 0 })
})

scenario('[5.0 4.13.1] a connection that ends within a packet leaves nothing of it', async ({ connects, raw, broker }) => {
  const watcher = await connects({ clientId: 'watcher' })
  await watcher.subscribes(['t', 'will'])
  const whole = packetHex("30 [0001 't' [01 01] 'never whole']").split(' ')
  for (let length = 1; length < whole.length; length++) {
    const client = await connects({ clientId: 'client', will: { topicName: 'will', payload: `${length}` } })
    await client.sendsBytes(whole.slice(0, length).join(' '))
    await client.receivesNothing()
    await (length % 2 === 0 ? client.dropsConnection() : client.closesConnection())
    await watcher.receives({ type: PacketType.Publish, topicName: 'will', payload: `${length}` })
  }
  const stranger = await raw()
  await stranger.sendsBytes(packetHex("10 [0004 'MQTT' 05 02 0000 [] 0001 'c']").slice(0, -3))
  await stranger.receivesNothing()
  await stranger.dropsConnection()
  await watcher.receivesNothing()
  expect(broker.running.counts).toMatchObject({ clients: 1, sessions: 1 })
})
