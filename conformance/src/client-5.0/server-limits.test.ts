import { PacketType, ReasonCode } from '@godwit/protocol'
import { pubrec, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, isRefused, publishes, served } from '../client-scenario.test.support.ts'
import { packetHex } from '../packet-bytes.ts'

for (const maximumQoS of [0, 1] as const) {
  served(`[5.0 MQTT-3.2.2-11] nothing is published above a Maximum QoS of ${maximumQoS}`, async ({ connects }) => {
    const [client, server] = await connects({}, { maximumQoS })
    for (const qos of [0, 1, 2] as const) {
      if (qos <= maximumQoS) await publishes(client, server, 't', { qos })
      else await isRefused(server, client.publish('t', '', { qos }), 'not-supported')
    }
  })
}

served('[5.0 MQTT-3.2.2-14] nothing is published retained where that is not available', async ({ connects }) => {
  const [client, server] = await connects({}, { retainAvailable: false })
  await isRefused(server, client.publish('t', '', { retain: true }), 'not-supported')
  await publishes(client, server, 't')
})

served('[5.0 MQTT-3.2.2-15] no packet is larger than the server takes', async ({ connects }) => {
  const [client, server] = await connects(
    { userProperties: [] },
    { maximumPacketSize: 20, subscriptionIdentifiersAvailable: false }
  )
  await publishes(client, server, 'five')
  await isRefused(server, client.publish('t', new Uint8Array(15)), 'packet-too-large')
  await isRefused(server, client.subscribe('a/filter/of/19/bytes').granted, 'packet-too-large')
  void client.publish('t', new Uint8Array(14))
  await server.receives({ type: PacketType.Publish })
  client.subscribe('fits')
  await server.receives({ type: PacketType.Subscribe })
})

served('[5.0 MQTT-3.2.2-15] [5.0 MQTT-3.2.2-17] a Topic Alias is not what makes it too large', async ({ connects }) => {
  const [client, server] = await connects({}, { maximumPacketSize: 20, topicAliasMaximum: 5 })
  void client.publish('t', new Uint8Array(14))
  await server.receives({ type: PacketType.Publish, topicName: 't', properties: {} })
})

served(
  '[5.0 MQTT-3.4.2-2] [5.0 MQTT-3.4.2-3] [5.0 MQTT-3.5.2-2] [5.0 MQTT-3.5.2-3] an answer to a message has no Reason String and no User Property',
  async ({ connects }) => {
    const [client, server] = await connects({}, { maximumPacketSize: 20 })
    client.subscribe('#', { qos: 2 }, () => {
      throw new Error('a reason that is much longer than what the server takes')
    })
    await server.receives({ type: PacketType.Subscribe })
    await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }), publish('t', '', { qos: 2, packetIdentifier: 2 }))
    await server.receives({
      type: PacketType.Puback,
      reasonCode: ReasonCode.UnspecifiedError,
      properties: { reasonString: undefined }
    })
    await server.receives({
      type: PacketType.Pubrec,
      reasonCode: ReasonCode.UnspecifiedError,
      properties: { reasonString: undefined }
    })
  }
)

served(
  '[5.0 MQTT-3.6.2-2] [5.0 MQTT-3.6.2-3] [5.0 MQTT-3.7.2-2] [5.0 MQTT-3.7.2-3] and neither has a PUBREL or PUBCOMP for what we do not know',
  async ({ connects }) => {
    const [, server] = await connects({}, { maximumPacketSize: 20 })
    await server.sends(pubrec(77))
    await server.receives({
      type: PacketType.Pubrel,
      packetIdentifier: 77,
      reasonCode: ReasonCode.PacketIdentifierNotFound,
      properties: { reasonString: undefined }
    })
    await server.sendsBytes('62 02 00 4e')
    await server.receives({
      type: PacketType.Pubcomp,
      packetIdentifier: 78,
      reasonCode: ReasonCode.PacketIdentifierNotFound,
      properties: { reasonString: undefined }
    })
  }
)

served('[5.0 MQTT-3.14.2-3] [5.0 MQTT-3.14.2-4] a DISCONNECT tells why, as far as there is room', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes('ff 00')
  const { properties } = await server.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.MalformedPacket })
  expect(properties.reasonString).not.toBe('')
  await server.isClosed()
})

served('[5.0 MQTT-3.14.2-3] [5.0 MQTT-3.14.2-4] and else does not', async ({ connects }) => {
  const [, server] = await connects({}, { maximumPacketSize: 10 })
  await server.sendsBytes('ff 00')
  await server.receives({
    type: PacketType.Disconnect,
    reasonCode: ReasonCode.MalformedPacket,
    properties: { reasonString: undefined }
  })
  await server.isClosed()
})

served('a packet above the Maximum Packet Size of CONNECT ends the connection ([5.0 3.1.2.11.4])', async ({ connects }) => {
  const [, server] = await connects({ maximumPacketSize: 20 })
  expect(server.connect.properties.maximumPacketSize).toBe(20)
  await server.sends(publish('t', new Uint8Array(14)))
  await server.sends(publish('t', new Uint8Array(15)))
  await isDisconnected(server, ReasonCode.PacketTooLarge)
})

served('what the server does not offer is not asked for ([5.0 3.2.2.3])', async ({ connects }) => {
  const [client, server] = await connects(
    {},
    { wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false, subscriptionIdentifiersAvailable: false }
  )
  await isRefused(server, client.subscribe('a/#').granted, 'not-supported')
  await isRefused(server, client.subscribe('a/+/b').granted, 'not-supported')
  await isRefused(server, client.subscribe('$share/g/a').granted, 'not-supported')
  client.subscribe('a')
  const { properties } = await server.receives({ type: PacketType.Subscribe })
  expect(properties.subscriptionIdentifier).toBeUndefined()
})

served('[5.0 MQTT-3.2.2-18] [5.0 MQTT-3.3.2-9] without a Topic Alias Maximum there are no aliases', async ({ connects }) => {
  const [client, server] = await connects()
  for (let count = 0; count < 3; count++) {
    void client.publish('a/b', 'x')
    await server.receivesBytes(packetHex("30 [0003 'a/b' 00 'x']"))
  }
})
