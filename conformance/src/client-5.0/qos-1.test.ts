import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, puback, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, publishes, rejection, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-2.2.1-3] [5.0 MQTT-4.3.2-1] [5.0 MQTT-4.3.3-1] every message under way has an identifier of its own, and none has 0',
  async ({ connects }) => {
    const [client, server] = await connects({ inflightMaximum: 200 })
    const identifiers = new Set<number>()
    for (let count = 0; count < 200; count++) {
      identifiers.add(await publishes(client, server, `t/${count}`, { qos: count % 2 === 0 ? 1 : 2 }))
    }
    for (let count = 0; count < 50; count++) {
      client.subscribe(`f/${count}`)
      identifiers.add((await server.receives({ type: PacketType.Subscribe })).packetIdentifier)
    }
    expect(identifiers.size).toBe(250)
    expect(identifiers.has(0)).toBe(false)
  },
  { networks: ['whole'] }
)

served(
  '[5.0 MQTT-2.2.1-3] [5.0 MQTT-4.3.2-1] an identifier that is still in use is passed over, however often the others come round',
  async ({ connects }) => {
    const [client, server] = await connects({ inflightMaximum: 1000 })
    const kept = await publishes(client, server, 'kept', { qos: 1 })
    let sent = 0
    for (let round = 0; round < 80; round++) {
      for (let count = 0; count < 900; count++) void client.publish('t', '', { qos: 1 })
      await server.receivesAll((packet) => {
        if (packet.type !== PacketType.Publish) return []
        sent++
        expect(packet.packetIdentifier).not.toBe(kept)
        return [puback(packet.packetIdentifier)]
      })
    }
    // Every other identifier was used once; then the client stands still until this one is free.
    expect(sent).toBe(64_999)
    await server.sends(puback(kept))
    await server.receives({ type: PacketType.Publish, packetIdentifier: kept })
    server.ignoresTheRest()
  },
  { networks: ['whole'] }
)

served('[5.0 MQTT-4.3.2-2] [5.0 MQTT-4.3.2-3] a message is under way until its PUBACK, and no other', async ({ connects }) => {
  const [client, server] = await connects()
  const delivery = client.publish('a', '', { qos: 1 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, qos: 1, dup: false })
  await server.sends(puback(packetIdentifier + 1))
  expect(await outcome(delivery)).toEqual({ is: 'pending' })
  expect(client.outbox).toMatchObject({ messages: 1, inflight: 1 })
  await server.sends(puback(packetIdentifier, ReasonCode.NoMatchingSubscribers))
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved', value: { reasonCode: ReasonCode.NoMatchingSubscribers } })
  expect(client.outbox).toEqual({ messages: 0, bytes: 0, inflight: 0 })
})

served('[5.0 MQTT-4.3.2-4] PUBACK leaves when the application has the message', async ({ connects }) => {
  const [client, server] = await connects()
  const loop = client.subscribe('#', { qos: 1 })[Symbol.asyncIterator]()
  await server.receives({ type: PacketType.Subscribe })
  await server.sends(publish('t', '', { qos: 1, packetIdentifier: 9 }))
  await loop.next()
  await server.receivesNothing()
  void loop.next()
  await server.receives({ type: PacketType.Puback, packetIdentifier: 9, reasonCode: ReasonCode.Success })
})

served('[5.0 MQTT-4.3.2-5] after PUBACK the identifier means another message, even with DUP', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  client.subscribe('#', { qos: 1 }, (message) => received.push(message.text()))
  await server.receives({ type: PacketType.Subscribe })
  for (const payload of ['one', 'two']) {
    await server.sends(publish('t', payload, { qos: 1, packetIdentifier: 9, dup: payload === 'two' }))
    await server.receives({ type: PacketType.Puback, packetIdentifier: 9 })
  }
  expect(received).toEqual(['one', 'two'])
})

served('[5.0 MQTT-4.4.0-2] a PUBACK of 0x80 or above settles the message', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const delivery = client.publish('a', '', { qos: 1 })
  const { packetIdentifier } = await first.receives({ type: PacketType.Publish })
  await first.sends(puback(packetIdentifier, ReasonCode.NotAuthorized, { reasonString: 'no' }))
  expect(await rejection(delivery)).toMatchObject({ code: 'refused', reasonCode: ReasonCode.NotAuthorized })
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.receivesNothing()
})

for (const [packet, bytes] of [
  ['PUBACK', '40 03 00 02 18'],
  ['PUBREC', '50 03 00 02 18'],
  ['PUBREL', '62 03 00 02 10'],
  ['PUBCOMP', '70 03 00 02 10']
] as const) {
  served(
    `[5.0 MQTT-3.4.2-1] [5.0 MQTT-3.5.2-1] [5.0 MQTT-3.6.2-1] [5.0 MQTT-3.7.2-1] a ${packet} with a code that it does not have ends the connection`,
    async ({ connects }) => {
      const [, server] = await connects()
      await server.sendsBytes(bytes)
      await isDisconnected(server, ReasonCode.ProtocolError)
    }
  )
}

served(
  '[5.0 MQTT-3.4.2-1] [5.0 MQTT-3.5.2-1] [5.0 MQTT-3.6.2-1] [5.0 MQTT-3.7.2-1] the codes that we send are theirs',
  async ({ connects }) => {
    // The server of these tests reads what it gets as strictly as our broker does.
    const [client, server] = await connects()
    client.subscribe('#', { qos: 2 }, (message) => message.reject())
    await server.receives({ type: PacketType.Subscribe })
    await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }), publish('t', '', { qos: 2, packetIdentifier: 2 }))
    await server.receivesBytes('40 03 00 01 80')
    await server.receivesBytes('50 03 00 02 80')
    await server.sendsBytes('50 02 00 07 62 02 00 08')
    await server.receivesBytes('62 03 00 07 92')
    await server.receivesBytes('70 03 00 08 92')
  }
)
