import { PacketType, ProtocolVersion } from '@godwit/protocol'
import { outcome, puback, pubcomp, publish, pubrec, pubrel } from '@godwit/testkit'
import { expect } from 'vitest'
import { isRefused, publishes, served } from '../client-scenario.test.support.ts'

const protocolVersion = ProtocolVersion.Mqtt311
/** Of a session that both ends keep. */
const KEPT = { protocolVersion, sessionExpirySeconds: 3600 } as const

served(
  '[3.1.1 MQTT-3.3.2-2] [3.1.1 MQTT-4.7.1-1] [3.1.1 MQTT-4.7.3-1] [3.1.1 MQTT-4.7.3-3] what is no Topic Name is not published',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    for (const topic of ['a/#', '+/a', '', 'x'.repeat(65_536)]) {
      await isRefused(server, client.publish(topic, ''), 'invalid-argument')
    }
  }
)

served(
  '[3.1.1 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] [3.1.1 MQTT-4.7.3-1] [3.1.1 MQTT-4.7.3-3] what is no Topic Filter is not subscribed to',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    for (const filter of ['', 'a#', '#/a', 'a+', '+a/b', 'a/b+', 'x'.repeat(65_536)]) {
      expect(() => client.subscribe(filter), filter.slice(0, 20)).toThrow('is not a Topic Filter')
    }
    await server.receivesNothing()
  }
)

served(
  '[3.1.1 MQTT-2.3.1-1] [3.1.1 MQTT-2.3.1-2] [3.1.1 MQTT-4.3.2-1] every packet under way has an identifier of its own, and none has 0',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion, inflightMaximum: 50 })
    const identifiers = new Set<number>()
    for (let count = 0; count < 50; count++) {
      identifiers.add(await publishes(client, server, `t/${count}`, { qos: count % 2 === 0 ? 1 : 2 }))
      client.subscribe(`f/${count}`)
      identifiers.add((await server.receives({ type: PacketType.Subscribe })).packetIdentifier)
    }
    expect(identifiers.size).toBe(100)
    expect(identifiers.has(0)).toBe(false)
  },
  { networks: ['whole'] }
)

served(
  '[3.1.1 MQTT-3.8.3-1] [3.1.1 MQTT-3.8.3-3] [3.1.1 MQTT-3.10.3-1] [3.1.1 MQTT-3.10.3-2] SUBSCRIBE has a filter and its QoS, UNSUBSCRIBE a filter',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    const subscription = client.subscribe('\u20ac', {
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      userProperties: [['left', 'out']]
    })
    await server.receivesBytes('82 08 fd e9 00 03 e2 82 ac 02')
    await server.sendsBytes('90 03 fd e9 01')
    expect(await outcome(subscription.granted)).toEqual({ is: 'resolved', value: 1 })
    const unsubscribed = subscription.unsubscribe()
    await server.receivesBytes('a2 07 fd ea 00 03 e2 82 ac')
    await server.sendsBytes('b0 02 fd ea')
    expect(await outcome(unsubscribed)).toMatchObject({ is: 'resolved' })
  }
)

served(
  '[3.1.1 MQTT-3.3.1-2] [3.1.1 MQTT-4.3.1-1] QoS 0 has DUP 0, and is finished when it is handed over',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    const delivery = client.publish('a', '')
    await server.receives({ type: PacketType.Publish, qos: 0, dup: false })
    expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
  }
)

served(
  '[3.1.1 MQTT-4.3.2-1] [3.1.1 MQTT-4.3.3-1] [3.1.1 MQTT-2.3.1-3] a message is under way until PUBACK or PUBCOMP',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    const one = client.publish('a', '', { qos: 1 })
    const two = client.publish('a', '', { qos: 2 })
    const first = await server.receives({ type: PacketType.Publish, qos: 1, dup: false })
    const second = await server.receives({ type: PacketType.Publish, qos: 2, dup: false })
    await server.sends(pubrec(second.packetIdentifier))
    await server.receives({ type: PacketType.Pubrel, packetIdentifier: second.packetIdentifier })
    expect([await outcome(one), await outcome(two)]).toEqual([{ is: 'pending' }, { is: 'pending' }])
    await server.sends(puback(first.packetIdentifier), pubcomp(second.packetIdentifier))
    expect([await outcome(one), await outcome(two)]).toMatchObject([{ is: 'resolved' }, { is: 'resolved' }])
  }
)

served(
  '[3.1.1 MQTT-4.4.0-1] [3.1.1 MQTT-2.3.1-3] [3.1.1 MQTT-3.3.1-1] [3.1.1 MQTT-4.3.3-1] [3.1.1 MQTT-4.6.0-1] what is unacknowledged is sent again, in its order, under its identifiers',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects(KEPT)
    const identifiers: number[] = []
    for (const [topic, qos] of [
      ['a', 1],
      ['b', 2],
      ['c', 2],
      ['d', 1]
    ] as const) {
      identifiers.push(await publishes(client, first, topic, { qos }))
    }
    await first.sends(pubrec(identifiers[1] ?? 0))
    await first.receives({ type: PacketType.Pubrel })
    await first.breaks()
    void client.publish('new', '', { qos: 1 })
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    const at = (index: number) => ({ packetIdentifier: identifiers[index] ?? 0 })
    await second.receives({ type: PacketType.Publish, topicName: 'a', dup: true, ...at(0) })
    await second.receives({ type: PacketType.Pubrel, ...at(1) })
    await second.receives({ type: PacketType.Publish, topicName: 'c', dup: true, ...at(2) })
    await second.receives({ type: PacketType.Publish, topicName: 'd', dup: true, ...at(3) })
    await second.receives({ type: PacketType.Publish, topicName: 'new', dup: false })
  }
)

served(
  '[3.1.1 MQTT-3.3.4-1] [3.1.1 MQTT-4.5.0-2] a message is answered as its QoS says, also if nobody wants it',
  async ({ connects }) => {
    const [, server] = await connects({ protocolVersion })
    await server.sends(publish('t', '', { qos: 0 }), publish('t', '', { qos: 1, packetIdentifier: 5 }))
    await server.receives({ type: PacketType.Puback, packetIdentifier: 5 })
    await server.sends(publish('t', '', { qos: 2, packetIdentifier: 6 }))
    await server.receives({ type: PacketType.Pubrec, packetIdentifier: 6 })
  }
)

served('a message that is rejected is acknowledged like others: there is no way to tell ([3.1.1 3.4])', async ({ connects }) => {
  const [client, server] = await connects({ protocolVersion })
  client.subscribe('#', { qos: 2 }, (message) => message.reject())
  await server.grants()
  await server.sends(
    publish('t', '', { qos: 1, packetIdentifier: 1 }),
    publish('t', '', { qos: 2, packetIdentifier: 2 }),
    pubrel(2)
  )
  await server.receivesBytes('40 02 00 01')
  await server.receivesBytes('50 02 00 02')
  await server.receivesBytes('70 02 00 02')
})

served(
  '[3.1.1 MQTT-4.3.2-2] PUBACK leaves when the application has the message; then the identifier means another',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    const loop = client.subscribe('#', { qos: 1 })[Symbol.asyncIterator]()
    await server.grants()
    await server.sends(publish('t', 'one', { qos: 1, packetIdentifier: 9 }))
    await loop.next()
    await server.receivesNothing()
    const next = loop.next()
    await server.receives({ type: PacketType.Puback, packetIdentifier: 9 })
    await server.sends(publish('t', 'two', { qos: 1, packetIdentifier: 9, dup: true }))
    expect((await next).value?.text()).toBe('two')
  }
)

served('[3.1.1 MQTT-4.3.3-2] a QoS 2 message is passed on once, until PUBREL', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects(KEPT)
  const received: string[] = []
  client.subscribe('#', { qos: 2 }, (message) => received.push(message.text()))
  await first.grants()
  await first.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3 }))
  await first.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await first.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3, dup: true }))
  await first.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3, dup: true }), pubrel(3), pubrel(3))
  await second.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await second.receives({ type: PacketType.Pubcomp, packetIdentifier: 3 })
  await second.receives({ type: PacketType.Pubcomp, packetIdentifier: 3 })
  expect(received).toEqual(['one'])
  await second.sends(publish('t', 'two', { qos: 2, packetIdentifier: 3 }))
  await second.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  expect(received).toEqual(['one', 'two'])
})

served(
  '[3.1.1 MQTT-4.6.0-2] [3.1.1 MQTT-4.6.0-3] PUBACKs and PUBRECs keep the order of the messages, whatever the order in which they are dealt with',
  async ({ connects }) => {
    const [client, server] = await connects({ protocolVersion })
    const acks: (() => void)[] = []
    client.subscribe('#', { qos: 2, acknowledge: 'manual' }, (message) => acks.push(() => message.ack()))
    await server.grants()
    for (let packetIdentifier = 1; packetIdentifier <= 4; packetIdentifier++) {
      await server.sends(publish('t', '', { qos: packetIdentifier % 2 === 1 ? 1 : 2, packetIdentifier }))
    }
    acks[3]?.()
    acks[2]?.()
    await server.receivesNothing()
    acks[0]?.()
    for (const packetIdentifier of [1, 3]) await server.receives({ type: PacketType.Puback, packetIdentifier })
    acks[1]?.()
    for (const packetIdentifier of [2, 4]) await server.receives({ type: PacketType.Pubrec, packetIdentifier })
  }
)

served('[3.1.1 MQTT-4.6.0-4] PUBRELs keep the order of the PUBRECs', async ({ connects }) => {
  const [client, server] = await connects({ protocolVersion })
  const one = await publishes(client, server, 'a', { qos: 2 })
  const two = await publishes(client, server, 'b', { qos: 2 })
  await server.sends(pubrec(two), pubrec(one))
  await server.receives({ type: PacketType.Pubrel, packetIdentifier: two })
  await server.receives({ type: PacketType.Pubrel, packetIdentifier: one })
})

served('[3.1.1 MQTT-7.0.0-2] nothing is needed that the standard does not have', async ({ connects }) => {
  // The server of these tests knows MQTT 3.1.1 and nothing else: what it cannot read ends the test.
  const [client, server] = await connects({ protocolVersion, userProperties: [['left', 'out']] })
  expect(server.connect).toMatchObject({ protocolVersion, properties: {} })
  await expect(client.request('service', 'x')).rejects.toMatchObject({ code: 'not-supported' })
  void client.publish('t', 'x', { qos: 2, isUtf8: true })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, properties: {} })
  await server.sends(pubrec(packetIdentifier))
  await server.receives({ type: PacketType.Pubrel, properties: {} })
})
