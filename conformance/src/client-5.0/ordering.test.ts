import { PacketType } from '@godwit/protocol'
import { outcome, puback, publish, pubrec } from '@godwit/testkit'
import { expect } from 'vitest'
import { publishes, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-4.6.0-1] [5.0 MQTT-4.4.0-1] what is sent again comes in its order, with its identifiers, before what is new',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 60 })
    const topics = ['a', 'b', 'c', 'd', 'e', 'f']
    const identifiers: number[] = []
    for (const [index, topic] of topics.entries()) {
      identifiers.push(await publishes(client, first, topic, { qos: index % 2 === 0 ? 1 : 2 }))
    }
    await first.sends(puback(identifiers[2] ?? 0))
    await first.breaks()
    void client.publish('new', '', { qos: 1 })
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    for (const [index, topicName] of topics.entries()) {
      if (index === 2) continue
      await second.receives({ type: PacketType.Publish, topicName, dup: true, packetIdentifier: identifiers[index] ?? 0 })
    }
    await second.receives({ type: PacketType.Publish, topicName: 'new', dup: false })
    await second.receivesNothing()
  }
)

served('[5.0 MQTT-4.4.0-1] nothing is sent again while the connection lasts', async ({ connects, clock }) => {
  const [client, server] = await connects()
  await publishes(client, server, 'one', { qos: 1 })
  const two = await publishes(client, server, 'two', { qos: 2 })
  await server.sends(pubrec(two))
  await server.receives({ type: PacketType.Pubrel })
  await clock.advancesSeconds(10_000)
  await server.receivesNothing()
})

served(
  '[5.0 MQTT-4.6.0-2] [5.0 MQTT-4.6.0-3] PUBACKs and PUBRECs keep the order of the messages, whatever the order in which they are dealt with',
  async ({ connects }) => {
    const [client, server] = await connects()
    const acks: (() => void)[] = []
    client.subscribe('#', { qos: 2, acknowledge: 'manual' }, (message) => acks.push(() => message.ack()))
    await server.grants()
    for (let packetIdentifier = 1; packetIdentifier <= 6; packetIdentifier++) {
      await server.sends(publish('t', '', { qos: packetIdentifier % 2 === 1 ? 1 : 2, packetIdentifier }))
    }
    acks[5]?.()
    acks[4]?.()
    acks[2]?.()
    await server.receivesNothing()
    acks[0]?.()
    for (const packetIdentifier of [1, 3, 5]) await server.receives({ type: PacketType.Puback, packetIdentifier })
    await server.receivesNothing()
    acks[1]?.()
    await server.receives({ type: PacketType.Pubrec, packetIdentifier: 2 })
    acks[3]?.()
    for (const packetIdentifier of [4, 6]) await server.receives({ type: PacketType.Pubrec, packetIdentifier })
  }
)

served('[5.0 MQTT-4.6.0-4] PUBRELs keep the order of the PUBRECs', async ({ connects }) => {
  const [client, server] = await connects()
  const identifiers: number[] = []
  for (const topic of ['a', 'b', 'c']) identifiers.push(await publishes(client, server, topic, { qos: 2 }))
  const order = [identifiers[2] ?? 0, identifiers[0] ?? 0, identifiers[1] ?? 0]
  await server.sends(...order.map((packetIdentifier) => pubrec(packetIdentifier)))
  for (const packetIdentifier of order) await server.receives({ type: PacketType.Pubrel, packetIdentifier })
})

served('messages of one topic reach the application in their order, at every QoS ([5.0 4.6])', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  const loop = (async () => {
    for await (const message of client.subscribe('#', { qos: 2 })) received.push(message.text())
  })()
  await server.grants()
  const packets = Array.from({ length: 60 }, (_, index) => {
    const qos = ([0, 1, 2] as const)[index % 3] ?? 0
    return publish('t', String(index), { qos, packetIdentifier: qos === 0 ? 0 : index + 1 })
  })
  await server.sends(...packets)
  expect(received).toEqual(Array.from({ length: 60 }, (_, index) => String(index)))
  expect(await outcome(loop)).toEqual({ is: 'pending' })
  server.ignoresTheRest()
})
