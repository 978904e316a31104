import { PacketType, ReasonCode } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, publishes, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-3.3.4-7] [5.0 MQTT-4.9.0-1] [5.0 MQTT-4.9.0-2] no more than the Receive Maximum is under way',
  async ({ connects }) => {
    const [client, server] = await connects({}, { receiveMaximum: 3 })
    for (let count = 1; count <= 6; count++) void client.publish(`t/${count}`, '', { qos: count % 2 === 0 ? 2 : 1 })
    const one = await server.receives({ type: PacketType.Publish, topicName: 't/1' })
    const two = await server.receives({ type: PacketType.Publish, topicName: 't/2' })
    await server.receives({ type: PacketType.Publish, topicName: 't/3' })
    await server.receivesNothing()
    await server.sends(puback(one.packetIdentifier))
    const four = await server.receives({ type: PacketType.Publish, topicName: 't/4' })
    // PUBREC frees no place, PUBCOMP does; a PUBREC that refuses does too.
    await server.sends(pubrec(two.packetIdentifier))
    await server.receives({ type: PacketType.Pubrel })
    await server.receivesNothing()
    await server.sends(pubcomp(two.packetIdentifier))
    await server.receives({ type: PacketType.Publish, topicName: 't/5' })
    await server.sends(pubrec(four.packetIdentifier, ReasonCode.UnspecifiedError))
    await server.receives({ type: PacketType.Publish, topicName: 't/6' })
    expect(client.outbox).toMatchObject({ messages: 3, inflight: 3 })
  }
)

served('[5.0 MQTT-3.3.4-8] [5.0 MQTT-4.9.0-3] everything else goes on while the window is full', async ({ connects, clock }) => {
  const [client, server] = await connects({}, { receiveMaximum: 1 })
  server.answersPings = false
  await publishes(client, server, 'a', { qos: 1 })
  void client.publish('b', '', { qos: 1 })
  const subscription = client.subscribe('f', { qos: 2 }, () => undefined)
  await server.grants()
  await server.sends(publish('f', '', { qos: 1, packetIdentifier: 1 }), publish('f', '', { qos: 2, packetIdentifier: 2 }))
  await server.receives({ type: PacketType.Puback })
  await server.receives({ type: PacketType.Pubrec })
  await server.sendsBytes('62 02 00 02')
  await server.receives({ type: PacketType.Pubcomp })
  void subscription.unsubscribe()
  await server.receives({ type: PacketType.Unsubscribe })
  await clock.advancesSeconds(55)
  await server.receives({ type: PacketType.Pingreq })
})

served('[5.0 MQTT-4.9.0-1] the window begins anew with each connection', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 }, { receiveMaximum: 4 })
  for (let count = 1; count <= 4; count++) await publishes(client, first, `t/${count}`, { qos: 1 })
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true, receiveMaximum: 2 })
  const { packetIdentifier } = await second.receives({ type: PacketType.Publish, topicName: 't/1', dup: true })
  await second.receives({ type: PacketType.Publish, topicName: 't/2', dup: true })
  await second.receivesNothing()
  await second.sends(puback(packetIdentifier))
  await second.receives({ type: PacketType.Publish, topicName: 't/3', dup: true })
})

served('a server that sends more than the Receive Maximum is told so ([5.0 3.3.4])', async ({ connects }) => {
  const [client, server] = await connects({ receiveMaximum: 2 })
  expect(server.connect.properties.receiveMaximum).toBe(2)
  client.subscribe('#', { qos: 1, acknowledge: 'manual' }, () => undefined)
  await server.grants()
  await server.sends(...[1, 2, 3].map((packetIdentifier) => publish('t', '', { qos: 1, packetIdentifier })))
  await isDisconnected(server, ReasonCode.ReceiveMaximumExceeded)
})

served(
  'a Receive Maximum, or Maximum Packet Size, of 0 in CONNACK is a Protocol Error ([5.0 3.2.2.3])',
  async ({ opens, isCalled, isCalledAgain }) => {
    await opens()
    const first = await isCalled()
    await first.receivesConnect()
    await first.sendsBytes('20 06 00 00 03 21 00 00')
    first.ignoresTheRest()
    const second = await isCalledAgain()
    await second.receivesConnect()
    await second.sendsBytes('20 08 00 00 05 27 00 00 00 00')
    second.ignoresTheRest()
    await (await isCalledAgain()).accepts()
  }
)
