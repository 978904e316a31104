import { PacketType, ReasonCode, RetainHandling } from '@godwit/protocol'
import { outcome } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, rejection, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-3.8.3-1] [5.0 MQTT-3.8.3-2] [5.0 MQTT-2.2.1-3] SUBSCRIBE has a filter with its options, and an identifier',
  async ({ connects }) => {
    const [client, server] = await connects()
    const options = { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: RetainHandling.DoNotSend } as const
    const subscription = client.subscribe('a/\u20ac/#', { ...options, userProperties: [['k', 'v']] })
    const { packetIdentifier, properties } = await server.receives({
      type: PacketType.Subscribe,
      subscriptions: [{ topicFilter: 'a/\u20ac/#', ...options }]
    })
    expect(packetIdentifier).toBeGreaterThan(0)
    expect(properties.userProperties).toEqual([['k', 'v']])
    expect(properties.subscriptionIdentifier).toBeGreaterThan(0)
    expect(await outcome(subscription.granted)).toEqual({ is: 'pending' })
    await server.sends({ type: PacketType.Suback, packetIdentifier, reasonCodes: [1], properties: {} })
    expect(await outcome(subscription.granted)).toEqual({ is: 'resolved', value: 1 })
  }
)

served(
  '[5.0 MQTT-3.10.3-1] [5.0 MQTT-3.10.3-2] [5.0 MQTT-2.2.1-3] UNSUBSCRIBE has the filter, and an identifier',
  async ({ connects }) => {
    const [client, server] = await connects()
    const subscription = client.subscribe('a/\u20ac/#')
    const { packetIdentifier: before } = await server.grants()
    const unsubscribed = subscription.unsubscribe()
    const { packetIdentifier } = await server.receives({ type: PacketType.Unsubscribe, topicFilters: ['a/\u20ac/#'] })
    expect([0, before]).not.toContain(packetIdentifier)
    expect(await outcome(unsubscribed)).toEqual({ is: 'pending' })
    await server.sends({ type: PacketType.Unsuback, packetIdentifier, reasonCodes: [ReasonCode.Success], properties: {} })
    expect(await outcome(unsubscribed)).toMatchObject({ is: 'resolved' })
  }
)

served('[5.0 MQTT-3.8.3-4] a shared subscription is not noLocal', async ({ connects }) => {
  const [client, server] = await connects()
  expect(() => client.subscribe('$share/g/a', { noLocal: true })).toThrow('A shared subscription cannot be noLocal')
  await server.receivesNothing()
})

served(
  '[5.0 MQTT-4.7.1-1] [5.0 MQTT-4.7.1-2] [5.0 MQTT-4.7.3-1] [5.0 MQTT-4.7.3-2] [5.0 MQTT-4.7.3-3] what is no Topic Filter is not subscribed to',
  async ({ connects }) => {
    const [client, server] = await connects()
    for (const filter of ['', 'a#', '#/a', 'a/#/b', '##', 'a+', '+a/b', 'a/b+', '++', 'a\0b', 'x'.repeat(65_536)]) {
      expect(() => client.subscribe(filter), filter.slice(0, 20)).toThrow('is not a Topic Filter')
    }
    await server.receivesNothing()
    for (const filter of ['#', '+', '/', '+/+', 'a/+/#', '/#', '+/', 'x'.repeat(65_535)]) {
      client.subscribe(filter)
      await server.receives({ type: PacketType.Subscribe, subscriptions: [{ topicFilter: filter, ...DEFAULTS }] })
    }
  },
  { networks: ['whole'] }
)

const DEFAULTS = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: RetainHandling.SendAtSubscribe } as const

served('[5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-2] a shared subscription has a share name and a filter', async ({ connects }) => {
  const [client, server] = await connects()
  for (const filter of ['$share', '$share/', '$share/g', '$share/g/', '$share//a', '$share/a+/b', '$share/#/b']) {
    if (filter === '$share') continue
    expect(() => client.subscribe(filter), filter).toThrow('is not a Topic Filter')
  }
  await server.receivesNothing()
  client.subscribe('$share/g/a/#')
  await server.receives({ type: PacketType.Subscribe, subscriptions: [{ topicFilter: '$share/g/a/#', ...DEFAULTS }] })
})

served('a subscription that the server refuses is told with its reason ([5.0 3.9.3])', async ({ connects }) => {
  const [client, server] = await connects()
  const subscription = client.subscribe('a')
  const { packetIdentifier } = await server.receives({ type: PacketType.Subscribe })
  const properties = { reasonString: 'not you' }
  await server.sends({ type: PacketType.Suback, packetIdentifier, reasonCodes: [ReasonCode.NotAuthorized], properties })
  expect(await rejection(subscription.granted)).toMatchObject({ code: 'refused', reasonCode: ReasonCode.NotAuthorized })
  expect(await rejection(subscription[Symbol.asyncIterator]().next())).toMatchObject({ code: 'refused' })
})

for (const [what, bytes] of [
  ['SUBACK with a code that it does not have', '90 04 fd e9 00 03'],
  ['SUBACK without a code', '90 03 fd e9 00'],
  ['UNSUBACK with a code that it does not have', 'b0 04 fd e9 00 03'],
  ['SUBSCRIBE', '82 07 00 01 00 00 01 74 00'],
  ['UNSUBSCRIBE', 'a2 06 00 01 00 00 01 74'],
  ['PINGREQ', 'c0 00'],
  ['CONNECT', '10 0e 00 04 4d 51 54 54 05 02 00 00 00 00 01 61']
] as const) {
  served(`a server that sends ${what} breaks the protocol ([5.0 4.13])`, async ({ connects }) => {
    const [, server] = await connects()
    await server.sendsBytes(bytes)
    const { reasonCode } = await server.receives({ type: PacketType.Disconnect })
    expect([ReasonCode.ProtocolError, ReasonCode.MalformedPacket]).toContain(reasonCode)
    await server.isClosed()
  })
}

served('[5.0 MQTT-4.13.2-1] a server that breaks the protocol is told, and left', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects()
  await first.sendsBytes('c0 00')
  await isDisconnected(first, ReasonCode.ProtocolError)
  expect(client.state).toBe('waiting')
  await (await isCalledAgain()).accepts()
  expect(client.state).toBe('connected')
})
