import { PacketType, ReasonCode } from '@godwit/protocol'
import { connect, publish, pubrel, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[5.0 MQTT-3.1.2-24] a message is sent up to the client’s Maximum Packet Size, and not beyond', async ({ connects }) => {
  const client = await connects({ maximumPacketSize: 50 })
  await client.subscribes('t')
  const publisher = await connects()
  await publisher.publishes('t', 'x'.repeat(44))
  await client.receives({ type: PacketType.Publish, payload: 'x'.repeat(44) })
  await publisher.publishes('t', 'x'.repeat(45))
  await client.receivesNothing()
})

scenario(
  '[5.0 MQTT-3.1.2-24] the size counts with everything that the server adds: identifiers, properties, a longer length',
  async ({ connects }) => {
    const client = await connects({ maximumPacketSize: 130 })
    await client.subscribes('t', { qos: 1, identifier: 268_435_455 })
    const publisher = await connects()
    // 3 header + 3 topic + 2 identifier + 1 property length + 5 Subscription Identifier
    await publisher.publishes('t', 'x'.repeat(116), { qos: 1 })
    await client.receives({
      type: PacketType.Publish,
      payload: 'x'.repeat(116),
      properties: { subscriptionIdentifiers: [268_435_455] }
    })
    await publisher.publishes('t', 'x'.repeat(117), { qos: 1 })
    await client.receivesNothing()
  }
)

for (const [session, sessionExpirySeconds] of [
  ['that ends with its connection', 0],
  ['that outlives its connection', 100]
] as const) {
  for (const qos of [0, 1, 2] as const) {
    scenario(
      `[5.0 MQTT-3.1.2-25] a QoS ${qos} message too large for a session ${session} counts as delivered`,
      async ({ connects, broker }) => {
        const client = await connects({ maximumPacketSize: 50, receiveMaximum: 1, sessionExpirySeconds })
        await client.subscribes('t', { qos: 2 })
        const other = await connects()
        await other.subscribes('t', { qos: 2 })
        const publisher = await connects()
        await publisher.publishes('t', 'x'.repeat(50), { qos, ...(qos === 0 ? {} : { expects: ReasonCode.Success }) })
        await publisher.publishes('t', 'fits', { qos })
        await client.receives({ type: PacketType.Publish, payload: 'fits', qos })
        await other.receives({ type: PacketType.Publish, payload: 'x'.repeat(50), qos })
        await other.receives({ type: PacketType.Publish, payload: 'fits', qos })
        expect(broker.running.fates.get('too-large-for-client')).toBe(1)
      }
    )
  }
}

scenario(
  '[5.0 MQTT-3.1.2-25] a message that waited counts as delivered if the client comes back with a smaller size',
  async ({ connects, broker }) => {
    const client = await connects({ sessionExpirySeconds: 100 })
    await client.subscribes('t', { qos: 1 })
    await client.disconnects()
    const publisher = await connects()
    await publisher.publishes('t', 'x'.repeat(50), { qos: 1 })
    await publisher.publishes('t', 'fits', { qos: 1 })
    const back = await client.reconnects({ maximumPacketSize: 50 })
    await back.receives({ type: PacketType.Publish, payload: 'fits' })
    expect(broker.running.fates.get('too-large-for-client')).toBe(1)
  }
)

scenario('[5.0 MQTT-3.1.2-24] a retained message that is too large is not sent either', async ({ connects }) => {
  const publisher = await connects()
  await publisher.publishes('t/1', 'x'.repeat(100), { retain: true })
  await publisher.publishes('t/2', 'fits', { retain: true })
  const client = await connects({ maximumPacketSize: 50 })
  await client.subscribes('t/+', { qos: 1 })
  await client.receives({ type: PacketType.Publish, topicName: 't/2', payload: 'fits', retain: true })
})

scenario(
  '[5.0 MQTT-3.1.2-26] the server uses the aliases that the client allows, from 1 up, and no more',
  async ({ connects }) => {
    const client = await connects({ topicAliasMaximum: 2 })
    await client.subscribes('topic/+')
    const publisher = await connects()
    const published = ['topic/a', 'topic/b', 'topic/c', 'topic/a', 'topic/b', 'topic/c']
    await publisher.sends(...published.map((topicName) => publish(topicName)))
    const topics = new Map<number, string>()
    const received: string[] = []
    for (let count = 0; count < 6; count++) {
      const { topicName, properties } = await client.receives({ type: PacketType.Publish })
      const { topicAlias } = properties
      expect([undefined, 1, 2]).toContain(topicAlias)
      if (topicAlias !== undefined && topicName !== '') topics.set(topicAlias, topicName)
      received.push(topicName === '' ? (topics.get(topicAlias ?? 0) ?? 'unknown') : topicName)
    }
    expect(received).toEqual(published)
    expect(topics.size).toBe(2)
  }
)

scenario(
  '[5.0 MQTT-3.1.2-24] [5.0 MQTT-3.1.2-25] an alias is not set where it would make the packet too large',
  async ({ connects }) => {
    const client = await connects({ maximumPacketSize: 50, topicAliasMaximum: 10 })
    await client.subscribes('topic/+')
    const publisher = await connects()
    for (const length of [38, 37, 36, 35, 34, 33, 32]) {
      const payload = 'x'.repeat(length)
      await publisher.publishes(`topic/${length}`, payload)
      if (length === 38) await client.receivesNothing()
      else await client.receives({ type: PacketType.Publish, topicName: `topic/${length}`, payload })
    }
  }
)

scenario('[5.0 MQTT-3.1.2-27] without a Topic Alias Maximum, or with 0, the server uses no alias', async ({ connects }) => {
  const clients = [await connects(), await connects({ topicAliasMaximum: 0 })]
  const publisher = await connects()
  for (const client of clients) await client.subscribes('some/long/topic')
  for (let times = 0; times < 2; times++) {
    await publisher.publishes('some/long/topic')
    for (const client of clients) {
      await client.receives({ type: PacketType.Publish, topicName: 'some/long/topic', properties: {} })
    }
  }
})

scenario(
  '[5.0 MQTT-3.1.2-28] Response Information is told only to who asks for it',
  { responseInformation: 'answers/' },
  async ({ connects }) => {
    const asks = await connects({ requestResponseInformation: true })
    expect(asks.connack.properties.responseInformation).toBe('answers/')
    for (const requestResponseInformation of [false, undefined]) {
      const other = await connects({ requestResponseInformation })
      expect(other.connack.properties).not.toHaveProperty('responseInformation')
    }
  }
)

scenario('[5.0 MQTT-3.1.2-28] a server that has no Response Information tells none', async ({ connects }) => {
  const { connack } = await connects({ requestResponseInformation: true })
  expect(connack.properties).not.toHaveProperty('responseInformation')
})

scenario(
  '[5.0 MQTT-3.1.2-29] Request Problem Information 0: no Reason String on PUBACK, PUBREC and SUBACK',
  async ({ connects, broker }) => {
    await broker.restarts({ authorize: () => false })
    const told = await connects()
    const untold = await connects({ requestProblemInformation: false })
    for (const client of [told, untold]) {
      await client.sends(
        publish('t', '', { qos: 1 }),
        publish('t', '', { qos: 2, packetIdentifier: 2 }),
        subscribe(3, ['t']),
        pubrel(9)
      )
    }
    await untold.receives({
      type: PacketType.Puback,
      reasonCode: ReasonCode.NotAuthorized,
      properties: { reasonString: undefined }
    })
    await untold.receives({
      type: PacketType.Pubrec,
      reasonCode: ReasonCode.NotAuthorized,
      properties: { reasonString: undefined }
    })
    await untold.receives({
      type: PacketType.Suback,
      reasonCodes: [ReasonCode.NotAuthorized],
      properties: { reasonString: undefined }
    })
    await untold.receives({
      type: PacketType.Pubcomp,
      reasonCode: ReasonCode.PacketIdentifierNotFound,
      properties: { reasonString: undefined }
    })
    const puback = await told.receives({ type: PacketType.Puback, reasonCode: ReasonCode.NotAuthorized })
    expect(puback.properties.reasonString).toBeTypeOf('string')
    told.ignoresTheRest()
  }
)

scenario(
  '[5.0 MQTT-3.1.2-29] Request Problem Information 0: PUBLISH, CONNACK and DISCONNECT may explain themselves',
  async ({ connects, refuses, broker }) => {
    const userProperties = [['a', 'b']] as const
    await broker.restarts({
      authenticate: ({ userName }) => ({ accepted: userName !== 'bad', reasonString: 'no', userProperties })
    })
    const connack = await refuses({ clientId: 'a', userName: 'bad', requestProblemInformation: false }, ReasonCode.NotAuthorized)
    expect(connack?.properties.reasonString).toBe('no')
    const client = await connects({ requestProblemInformation: false })
    expect(client.connack.properties.userProperties).toEqual(userProperties)
    await client.subscribes('t')
    await client.publishes('t', '', { userProperties })
    await client.receives({ type: PacketType.Publish, properties: { userProperties } })
    await client.sends(connect({ clientId: 'again' }))
    const disconnect = await client.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.ProtocolError })
    expect(disconnect.properties.reasonString).toBeTypeOf('string')
    await client.isClosed()
  }
)
