import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { connect, publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.2.0-1] CONNACK comes before what a resumed session has waiting', async ({ connects, raw }) => {
  const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 100 })
  await subscriber.subscribes('t', { qos: 1 })
  await subscriber.dropsConnection()
  const publisher = await connects()
  await publisher.publishes('t', 'waiting', { qos: 1 })
  const back = await raw({ clientId: 'subscriber' })
  await back.sends(connect({ clientId: 'subscriber', cleanStart: false, sessionExpirySeconds: 100 }), PINGREQ)
  await back.receives({ type: PacketType.Connack, sessionPresent: true })
  await back.receivesInAnyOrder({ type: PacketType.Publish, payload: 'waiting' }, { type: PacketType.Pingresp })
})

scenario(
  '[5.0 MQTT-3.2.0-1] no message overtakes a CONNACK that waits for the store',
  async ({ connects, raw, store, settles }) => {
    const subscriber = await connects({ clientId: 'subscriber', sessionExpirySeconds: 100 })
    await subscriber.subscribes([['t', { qos: 1 }], 'zero'])
    await subscriber.dropsConnection()
    const publisher = await connects()
    const back = await raw({ clientId: 'subscriber' })
    store.holdsCommits()
    await back.sends(connect({ clientId: 'subscriber', cleanStart: false, sessionExpirySeconds: 100 }))
    await publisher.sends(publish('t', 'meanwhile', { qos: 1 }), publish('zero', 'meanwhile'))
    await back.receivesNothing()
    store.releasesCommits()
    await settles()
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success })
    await back.receives({ type: PacketType.Connack, sessionPresent: true })
    await back.receives({ type: PacketType.Publish, topicName: 't', payload: 'meanwhile', qos: 1, dup: false })
  }
)

scenario('[5.0 MQTT-3.2.0-2] there is one CONNACK on a network connection, also after a second CONNECT', async ({ connects }) => {
  const client = await connects({ clientId: 'a' })
  await client.sends(connect({ clientId: 'a' }), connect({ clientId: 'b' }))
  await client.isDisconnected({ reasonCode: ReasonCode.ProtocolError })
})

scenario('[5.0 MQTT-3.2.2-1] the Connect Acknowledge Flags are 0 or 1', async ({ raw }) => {
  const client = await raw({ clientId: 'a' })
  await client.sends(connect({ clientId: 'a', sessionExpirySeconds: 100 }))
  await client.receivesBytes('20 0e 00 00 0b 21 04 00 27 00 10 00 00 22 00 20')
  await client.disconnects()
  const back = await raw({ clientId: 'a' })
  await back.sends(connect({ clientId: 'a', sessionExpirySeconds: 100, cleanStart: false }))
  await back.receivesBytes('20 0e 01 00 0b 21 04 00 27 00 10 00 00 22 00 20')
})

scenario(
  '[5.0 MQTT-3.2.2-2] Clean Start 1 is accepted with Session Present 0, though a session was there',
  async ({ connects }) => {
    const client = await connects({ sessionExpirySeconds: 100 })
    await client.disconnects()
    const again = await client.reconnects({ cleanStart: true })
    expect(again.connack).toMatchObject({ sessionPresent: false, reasonCode: ReasonCode.Success })
  }
)

scenario(
  '[5.0 MQTT-3.2.2-3] Clean Start 0 is accepted with Session Present 1 if there is a session, else 0',
  async ({ connects }) => {
    const client = await connects({ clientId: 'a', cleanStart: false, sessionExpirySeconds: 100 })
    expect(client.connack.sessionPresent).toBe(false)
    await client.disconnects()
    const again = await client.reconnects()
    expect(again.connack).toMatchObject({ sessionPresent: true, reasonCode: ReasonCode.Success })
  }
)

scenario(
  '[5.0 MQTT-3.2.2-6] a refusal has Session Present 0, though there is a session',
  async ({ connects, refuses, broker }) => {
    await broker.restarts({ authenticate: ({ userName }) => ({ accepted: userName !== 'bad' }) })
    const client = await connects({ clientId: 'a', sessionExpirySeconds: 100 })
    await client.disconnects()
    const connack = await refuses({ clientId: 'a', cleanStart: false, userName: 'bad' }, ReasonCode.NotAuthorized)
    expect(connack?.sessionPresent).toBe(false)
    const again = await client.reconnects()
    expect(again.connack.sessionPresent).toBe(true)
  }
)

const CONNECT_REASON_CODES = [
  0x80, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f
] as const

scenario(
  '[5.0 MQTT-3.2.2-7] after every CONNACK of 0x80 or above the network connection is closed',
  async ({ refuses, broker }) => {
    for (const reasonCode of CONNECT_REASON_CODES) {
      await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode }) })
      await refuses({ clientId: 'a' }, reasonCode)
    }
  }
)

scenario('[5.0 MQTT-3.2.2-8] a reason that no CONNACK has becomes one that it has', async ({ refuses, broker }) => {
  for (const reasonCode of [
    ReasonCode.TopicFilterInvalid,
    ReasonCode.PacketIdentifierInUse,
    ReasonCode.ReceiveMaximumExceeded,
    ReasonCode.SessionTakenOver,
    ReasonCode.MaximumConnectTime
  ]) {
    await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode }) })
    await refuses({ clientId: 'a' }, ReasonCode.UnspecifiedError)
  }
})

scenario(
  '[5.0 MQTT-3.2.2-15] a packet above the announced Maximum Packet Size is refused',
  { limits: { packetBytesMax: 200 } },
  async ({ connects }) => {
    const client = await connects()
    expect(client.connack.properties.maximumPacketSize).toBe(200)
    await client.subscribes('t')
    await client.publishes('t', 'x'.repeat(200 - 7))
    await client.receives({ type: PacketType.Publish, payload: 'x'.repeat(193) })
    await client.sends(publish('t', 'x'.repeat(200 - 6)))
    await client.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
  }
)

scenario(
  '[5.0 MQTT-3.2.2-15] it is refused at its Remaining Length, before its bytes arrive',
  { limits: { packetBytesMax: 200 } },
  async ({ connects }) => {
    const client = await connects()
    await client.sendsBytes('30 c6 01')
    await client.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
  }
)

scenario(
  '[5.0 MQTT-3.2.2-15] a CONNECT that is too large is closed without an answer: its version is not known yet',
  { limits: { packetBytesMax: 200 } },
  async ({ raw }) => {
    const client = await raw()
    await client.sends(connect({ clientId: 'a'.repeat(200) }))
    await client.isClosed()
  }
)

scenario('[5.0 MQTT-3.2.2-16] each client without a ClientID is assigned one that nobody has', async ({ connects }) => {
  const clients = [await connects({ clientId: '' }), await connects({ clientId: '' }), await connects({ clientId: '' })]
  const assigned = clients.map(({ connack }) => connack.properties.assignedClientIdentifier)
  expect(assigned.every((clientId) => clientId !== undefined && clientId !== '')).toBe(true)
  expect(new Set(assigned).size).toBe(3)
  for (const client of clients) await client.receivesNothing()
})

scenario('[5.0 MQTT-3.2.2-16] a client with a ClientID is assigned none', async ({ connects }) => {
  const { connack } = await connects({ clientId: 'a' })
  expect(connack.properties).not.toHaveProperty('assignedClientIdentifier')
})

scenario(
  '[5.0 MQTT-3.2.2-17] a Topic Alias above the announced maximum is refused',
  { limits: { topicAliasMaximum: 3 } },
  async ({ connects }) => {
    const client = await connects()
    expect(client.connack.properties.topicAliasMaximum).toBe(3)
    await client.publishes('t', '', { topicAlias: 3 })
    await client.sends(publish('t', '', { topicAlias: 4 }))
    await client.isDisconnected({ reasonCode: ReasonCode.TopicAliasInvalid })
  }
)

scenario(
  '[5.0 MQTT-3.2.2-18] without a Topic Alias Maximum every alias is refused',
  { limits: { topicAliasMaximum: 0 } },
  async ({ connects }) => {
    const client = await connects()
    expect(client.connack.properties.topicAliasMaximum ?? 0).toBe(0)
    await client.sends(publish('t', '', { topicAlias: 1 }))
    await client.isDisconnected({ reasonCode: ReasonCode.TopicAliasInvalid })
  }
)

const LONG = 'r'.repeat(200)

scenario(
  '[5.0 MQTT-3.2.2-19] a Reason String that does not fit the client is left out of CONNACK',
  async ({ refuses, broker }) => {
    await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode: ReasonCode.Banned, reasonString: LONG }) })
    const told = await refuses({ clientId: 'a', maximumPacketSize: 210 }, ReasonCode.Banned)
    expect(told?.properties).toEqual({ reasonString: LONG })
    const short = await refuses({ clientId: 'a', maximumPacketSize: 209 }, ReasonCode.Banned)
    expect(short?.properties).toEqual({})
  }
)

scenario(
  '[5.0 MQTT-3.2.2-20] User Properties that do not fit the client are left out of CONNACK',
  async ({ connects, broker }) => {
    const userProperties = [['region', LONG]] as const
    await broker.restarts({ authenticate: () => ({ accepted: true, userProperties }) })
    const told = await connects()
    expect(told.connack.properties.userProperties).toEqual(userProperties)
    const short = await connects({ maximumPacketSize: 100 })
    expect(short.connack.properties).not.toHaveProperty('userProperties')
    expect(short.connack.properties.receiveMaximum).toBe(1024)
  }
)

scenario('the limits are announced as they are set [5.0 3.2.2.3]', async ({ connects, broker }) => {
  await broker.restarts({
    limits: { receiveMaximum: 20, packetBytesMax: 4096, topicAliasMaximum: 5, sessionExpirySecondsMax: 60 },
    features: {
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false
    }
  })
  const client = await connects({ sessionExpirySeconds: 61 })
  expect(client.connack.properties).toEqual({
    sessionExpiryInterval: 60,
    receiveMaximum: 20,
    maximumPacketSize: 4096,
    topicAliasMaximum: 5,
    wildcardSubscriptionAvailable: false,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: false
  })
})

scenario(
  '[5.0 MQTT-3.2.2-20] a client that takes not even the shortest CONNACK is closed, with nothing it cannot take',
  async ({ raw, broker }) => {
    const client = await raw()
    await client.sends(connect({ clientId: 'a', maximumPacketSize: 4, sessionExpirySeconds: 100 }))
    await client.isClosed()
    const other = await raw()
    await other.sends(connect({ clientId: 'b', maximumPacketSize: 5 }))
    await other.receivesBytes('20 03 00 95 00')
    await other.isClosed()
    expect(broker.running.counts.clients).toBe(0)
  }
)
