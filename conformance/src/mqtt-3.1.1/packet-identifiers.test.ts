import { PacketType } from '@godwit/protocol'
import { puback, publish, pubrec, pubrel, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

scenario('[3.1.1 MQTT-2.3.1-1] packet identifier 0 closes the connection', async ({ connects, broker }) => {
  const packets = ['32 05 00 01 74 00 00', '34 05 00 01 74 00 00', '82 06 00 00 00 01 74 00', 'a2 05 00 00 00 01 74']
  for (const bytes of packets) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(bytes)
    await client.isClosed()
  }
  expect(broker.running.counts.published).toBe(0)
})

scenario(
  '[3.1.1 MQTT-2.3.1-1] a SUBSCRIBE, an UNSUBSCRIBE and a QoS 1 or 2 PUBLISH too short for an identifier close',
  async ({ connects }) => {
    for (const bytes of ['32 04 00 01 74 00', '34 03 00 01 74', '82 01 00', 'a2 01 01']) {
      const client = await connects({ version: 4 })
      await client.sendsBytes(bytes)
      await client.isClosed()
    }
  }
)

scenario(
  '[3.1.1 MQTT-2.3.1-4] [3.1.1 MQTT-4.3.2-1] [3.1.1 MQTT-4.3.3-1] the server gives its PUBLISHes identifiers that are free, not 0 and not those in use',
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4 })
    for (const qos of [1, 2, 1] as const) await publisher.publishes('t', `${qos}`, { qos })
    await subscriber.receives({ type: PacketType.Publish, payload: '1', qos: 1, dup: false, packetIdentifier: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: '2', qos: 2, dup: false, packetIdentifier: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: '1', qos: 1, dup: false, packetIdentifier: 3 })
    await subscriber.sends(puback(1))
    await publisher.publishes('t', 'next', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, payload: 'next', qos: 1, dup: false, packetIdentifier: 4 })
  }
)

scenario(
  '[3.1.1 MQTT-2.3.1-4] an identifier comes back round past 65,535, leaving out those in use',
  { networks: ['whole'] },
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, acknowledges: false })
    await subscriber.subscribes([
      ['kept', { qos: 2 }],
      ['t', { qos: 1 }]
    ])
    const publisher = await connects({ version: 4 })
    await publisher.publishes('kept', '', { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, topicName: 'kept', packetIdentifier: 1 })
    await subscriber.sends(pubrec(1))
    await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier: 1 })
    subscriber.acknowledges = true
    const batch = Array.from({ length: 200 }, (_, index) => publish('t', '', { qos: 1, packetIdentifier: index + 1 }))
    for (let sent = 0; sent < 0xffff; sent += batch.length) await publisher.sends(...batch)
    const identifiers = subscriber.inbox.map((packet) => (packet.type === PacketType.Publish ? packet.packetIdentifier : 0))
    const expected = identifiers.map((_, index) => 2 + (index % (0xffff - 1)))
    expect(identifiers).toEqual(expected)
    expect(identifiers.lastIndexOf(2)).toBe(0xffff - 1)
    subscriber.ignoresTheRest()
    publisher.ignoresTheRest()
  }
)

scenario('[3.1.1 MQTT-2.3.1-5] a QoS 0 PUBLISH has no packet identifier, neither in nor out', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.subscribes('t', { qos: 2 })
  await client.sendsBytes('30 05 00 01 74 00 01')
  await client.receivesBytes('30 05 00 01 74 00 01')
})

scenario(
  '[3.1.1 MQTT-2.3.1-6] PUBACK, PUBREC, PUBCOMP and PUBREL repeat the identifier of their PUBLISH',
  async ({ connects }) => {
    const client = await connects({ version: 4, acknowledges: false })
    await client.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }))
    await client.receivesBytes('40 02 00 01')
    await client.sends(publish('t', '', { qos: 1, packetIdentifier: 65_535 }))
    await client.receivesBytes('40 02 ff ff')
    await client.sends(publish('t', '', { qos: 2, packetIdentifier: 258 }))
    await client.receivesBytes('50 02 01 02')
    await client.sends(pubrel(258))
    await client.receivesBytes('70 02 01 02')
    await client.subscribes('to/me', { qos: 2 })
    const publisher = await connects({ version: 4 })
    await publisher.publishes('to/me', '', { qos: 2 })
    const { packetIdentifier } = await client.receives({ type: PacketType.Publish, topicName: 'to/me' })
    await client.sends(pubrec(packetIdentifier))
    await client.receives({ type: PacketType.Pubrel, packetIdentifier })
  }
)

scenario(
  '[3.1.1 MQTT-2.3.1-7] [3.1.1 MQTT-3.8.4-2] SUBACK and UNSUBACK repeat the identifier of their request',
  async ({ connects }) => {
    const client = await connects({ version: 4 })
    await client.sends(subscribe(4660, ['t']), unsubscribe(65_535, ['t']), subscribe(1, ['u']))
    await client.receivesBytes('90 03 12 34 00')
    await client.receivesBytes('b0 02 ff ff')
    await client.receivesBytes('90 03 00 01 00')
  }
)

scenario('[3.1.1 2.3.1] client and server assign identifiers independently of each other', async ({ connects }) => {
  const client = await connects({ version: 4, acknowledges: false })
  await client.subscribes('t', { qos: 1 })
  await client.sends(publish('t', 'mine', { qos: 1, packetIdentifier: 1 }))
  await client.receivesInAnyOrder(
    { type: PacketType.Publish, payload: 'mine', packetIdentifier: 1 },
    { type: PacketType.Puback, packetIdentifier: 1 }
  )
  await client.sends(publish('u', 'again', { qos: 2, packetIdentifier: 1 }))
  await client.receives({ type: PacketType.Pubrec, packetIdentifier: 1 })
  await client.sends(puback(1), pubrel(1))
  await client.receives({ type: PacketType.Pubcomp, packetIdentifier: 1 })
})
