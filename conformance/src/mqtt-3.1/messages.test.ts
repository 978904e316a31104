import { PacketType } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec, pubrel, scenario, subscribe } from '@godwit/testkit'
import { expect } from 'vitest'

for (const qos of [0, 1, 2] as const) {
  scenario(`[3.1 4.1] a message is published and delivered at QoS ${qos}`, async ({ connects }) => {
    const subscriber = await connects({ version: 3 })
    await subscriber.subscribes('a/+', { qos: 2 })
    const publisher = await connects({ version: 3 })
    await publisher.publishes('a/b', 'm', { qos })
    await subscriber.receives({ type: PacketType.Publish, topicName: 'a/b', payload: 'm', qos, dup: false, retain: false })
    await subscriber.receivesNothing()
  })
}

scenario('[3.1 4.1] both halves of each exchange, byte by byte', async ({ connects }) => {
  const client = await connects({ version: 3, acknowledges: false })
  await client.sendsBytes('82 06 00 07 00 01 74 02')
  await client.receivesBytes('90 03 00 07 02')
  await client.sendsBytes('30 04 00 01 74 30')
  await client.receivesBytes('30 04 00 01 74 30')
  const publisher = await connects({ version: 3, acknowledges: false })
  await publisher.sendsBytes('32 06 00 01 74 00 01 31')
  await publisher.receivesBytes('40 02 00 01')
  await client.receivesBytes('32 06 00 01 74 00 01 31')
  await client.sendsBytes('40 02 00 01')
  await publisher.sendsBytes('34 06 00 01 74 00 02 32')
  await publisher.receivesBytes('50 02 00 02')
  await publisher.sendsBytes('62 02 00 02')
  await publisher.receivesBytes('70 02 00 02')
  await client.receivesBytes('34 06 00 01 74 00 02 32')
  await client.sendsBytes('50 02 00 02')
  await client.receivesBytes('62 02 00 02')
  await client.sendsBytes('70 02 00 02')
  await client.sendsBytes('a2 05 00 08 00 01 74')
  await client.receivesBytes('b0 02 00 08')
  await client.sendsBytes('e0 00')
  await client.isClosed()
})

scenario('[3.1 2.1] requests and PUBREL may be repeated with DUP', async ({ connects, broker }) => {
  const client = await connects({ version: 3, acknowledges: false })
  await client.sendsBytes('82 06 00 01 00 01 74 01')
  await client.receivesBytes('90 03 00 01 01')
  await client.sendsBytes('8a 06 00 01 00 01 74 01')
  await client.receivesBytes('90 03 00 01 01')
  await client.sendsBytes('34 05 00 01 75 00 02')
  await client.receivesBytes('50 02 00 02')
  await client.sendsBytes('62 02 00 02')
  await client.receivesBytes('70 02 00 02')
  await client.sendsBytes('6a 02 00 02')
  await client.receivesBytes('70 02 00 02')
  await client.sendsBytes('aa 05 00 03 00 01 74')
  await client.receivesBytes('b0 02 00 03')
  expect(broker.running.counts).toMatchObject({ subscriptions: 0, published: 1 })
})

scenario('[3.1 3.8] SUBACK has the granted QoS of each topic, in their order', async ({ connects }) => {
  const client = await connects({ version: 3 })
  await client.sends(
    subscribe(9, [
      ['a', { qos: 2 }],
      ['b', { qos: 0 }],
      ['c', { qos: 1 }]
    ])
  )
  await client.receivesBytes('90 05 00 09 02 00 01')
})

scenario(
  '[3.1 3.8] a subscription that is not authorized is acknowledged like any other, for there is no way to tell, but it is not made',
  async ({ broker, connects }) => {
    await broker.restarts({ authorize: (_client, request) => request.action === 'publish' || request.topicFilter !== 'secret' })
    const client = await connects({ version: 3 })
    await client.subscribes(
      [
        ['secret', { qos: 1 }],
        ['open', { qos: 2 }]
      ],
      { expects: [1, 2] }
    )
    expect(broker.running.counts.subscriptions).toBe(1)
    await client.publishes('secret', 'unheard', { qos: 1 })
    await client.publishes('open', 'heard', { qos: 1 })
    await client.receives({ type: PacketType.Publish, topicName: 'open' })
    await client.receivesNothing()
  }
)

scenario('[3.1 3.3] a PUBLISH that is not authorized is acknowledged and goes nowhere', async ({ broker, connects }) => {
  await broker.restarts({ authorize: (_client, request) => request.action === 'subscribe' })
  const watcher = await connects({ version: 3 })
  await watcher.subscribes('#')
  const client = await connects({ version: 3 })
  for (const qos of [0, 1, 2] as const) await client.publishes('t', 'unheard', { qos })
  await watcher.receivesNothing()
  expect(broker.running.fates.get('not-authorized')).toBe(3)
})

scenario(
  '[3.1 3.3] [3.1 2.1] retained messages: RETAIN 1 to new subscribers, 0 to those there are; an empty one removes',
  async ({ connects }) => {
    const established = await connects({ version: 3 })
    await established.subscribes('t', { qos: 1 })
    const publisher = await connects({ version: 3 })
    await publisher.publishes('t', 'kept', { qos: 1, retain: true })
    await established.receives({ type: PacketType.Publish, payload: 'kept', retain: false })
    const late = await connects({ version: 3 })
    await late.subscribes('t', { qos: 1 })
    await late.receives({ type: PacketType.Publish, payload: 'kept', qos: 1, retain: true })
    await late.disconnects()
    await publisher.publishes('t', '', { qos: 1, retain: true })
    await established.receives({ type: PacketType.Publish, payload: '', retain: false })
    const later = await connects({ version: 3 })
    await later.subscribes('t', { qos: 1 })
    await later.receivesNothing()
  }
)

for (const qos of [0, 1, 2] as const) {
  scenario(`[3.1 3.1] a will of QoS ${qos} goes out when the client is lost, not when it disconnects`, async ({ connects }) => {
    const watcher = await connects({ version: 3 })
    await watcher.subscribes('will', { qos: 2 })
    const will = { topicName: 'will', payload: 'gone', qos } as const
    const polite = await connects({ version: 3, will })
    await polite.disconnects()
    await watcher.receivesNothing()
    const lost = await connects({ version: 3, will })
    await lost.dropsConnection()
    await watcher.receives({ type: PacketType.Publish, ...will, retain: false })
  })
}

scenario('[3.1 3.1] a retained will is there for those who subscribe later', async ({ connects }) => {
  const lost = await connects({ version: 3, will: { topicName: 'will', payload: 'gone', qos: 1, retain: true } })
  await lost.dropsConnection()
  const late = await connects({ version: 3 })
  await late.subscribes('will', { qos: 1 })
  await late.receives({ type: PacketType.Publish, topicName: 'will', payload: 'gone', qos: 1, retain: true })
})

scenario('[3.1 3.1] without Clean Session the session waits for the client, and goes on where it was', async ({ connects }) => {
  const device = await connects({ version: 3, clientId: 'device', cleanStart: false, acknowledges: false })
  await device.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 3 })
  await publisher.publishes('t', 'one', { qos: 1 })
  await publisher.publishes('t', 'two', { qos: 2 })
  await device.receives({ type: PacketType.Publish, payload: 'one', dup: false, packetIdentifier: 1 })
  await device.receives({ type: PacketType.Publish, payload: 'two', dup: false, packetIdentifier: 2 })
  await device.sends(pubrec(2))
  await device.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
  await device.dropsConnection()
  await publisher.publishes('t', 'three', { qos: 1 })
  const back = await device.reconnects()
  await back.receives({ type: PacketType.Pubrel, packetIdentifier: 2 })
  await back.receives({ type: PacketType.Publish, payload: 'one', dup: true, packetIdentifier: 1 })
  await back.receives({ type: PacketType.Publish, payload: 'three', dup: false, packetIdentifier: 3 })
  await back.sends(pubcomp(2), puback(1), puback(3))
  await back.disconnects()
  const clean = await device.reconnects({ cleanStart: true })
  await publisher.publishes('t', 'four', { qos: 1 })
  await clean.receivesNothing()
})

scenario('[3.1 4.1] a repeated QoS 2 PUBLISH is delivered once', async ({ connects }) => {
  const subscriber = await connects({ version: 3 })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 3, acknowledges: false })
  for (const dup of [false, true]) {
    await publisher.sends(publish('t', 'once', { qos: 2, packetIdentifier: 5, dup }))
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 5 })
  }
  await publisher.sends(pubrel(5))
  await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 5 })
  await subscriber.receives({ type: PacketType.Publish, payload: 'once' })
  await subscriber.receivesNothing()
})

const VIOLATIONS = [
  { what: 'a PUBLISH with QoS 3', bytes: '36 05 00 01 74 00 01' },
  { what: 'a PUBLISH with a wildcard', bytes: '30 03 00 01 2b' },
  { what: 'a PUBLISH with identifier 0', bytes: '32 05 00 01 74 00 00' },
  { what: 'a SUBSCRIBE of QoS 3', bytes: '82 06 00 01 00 01 74 03' },
  { what: 'a SUBSCRIBE without a topic', bytes: '82 02 00 01' },
  { what: 'a SUBSCRIBE to "a#"', bytes: '82 07 00 01 00 02 61 23 00' },
  { what: 'an UNSUBSCRIBE without a topic', bytes: 'a2 02 00 01' },
  { what: 'a CONNACK', bytes: '20 02 00 00' },
  { what: 'a packet of type 15', bytes: 'f0 00' },
  { what: 'a packet of type 0', bytes: '00 00' }
]

for (const { what, bytes } of VIOLATIONS) {
  scenario(`[3.1 2.1] ${what} closes the connection, and nothing behind it is processed`, async ({ connects }) => {
    const other = await connects({ version: 3 })
    await other.subscribes('#')
    const client = await connects({ version: 3 })
    await client.sendsBytes(`${bytes} 30 03 00 01 74`)
    await client.isClosed()
    await other.receivesNothing()
  })
}
