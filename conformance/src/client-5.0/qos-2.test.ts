import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, pubcomp, publish, pubrec, pubrel } from '@godwit/testkit'
import { expect } from 'vitest'
import { publishes, rejection, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-4.3.3-2] [5.0 MQTT-4.3.3-3] [5.0 MQTT-4.3.3-4] [5.0 MQTT-4.3.3-5] PUBLISH, PUBREC, PUBREL, PUBCOMP, under one identifier',
  async ({ connects }) => {
    const [client, server] = await connects()
    const delivery = client.publish('a', '', { qos: 2 })
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish, qos: 2, dup: false })
    await server.sends(pubrec(packetIdentifier + 1), pubcomp(packetIdentifier))
    await server.receives({ type: PacketType.Pubrel, packetIdentifier: packetIdentifier + 1 })
    expect(client.outbox).toMatchObject({ messages: 1, inflight: 1 })
    await server.sends(pubrec(packetIdentifier, ReasonCode.NoMatchingSubscribers))
    await server.receives({ type: PacketType.Pubrel, packetIdentifier, reasonCode: ReasonCode.Success })
    expect(await outcome(delivery)).toEqual({ is: 'pending' })
    expect(client.outbox).toMatchObject({ messages: 1, inflight: 1 })
    await server.sends(pubcomp(packetIdentifier))
    expect(await outcome(delivery)).toMatchObject({ is: 'resolved', value: { reasonCode: ReasonCode.NoMatchingSubscribers } })
    expect(client.outbox).toEqual({ messages: 0, bytes: 0, inflight: 0 })
  }
)

served(
  '[5.0 MQTT-4.3.3-6] [5.0 MQTT-4.4.0-1] after PUBREL it is PUBREL that is sent again',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 60 })
    const released = await publishes(client, first, 'released', { qos: 2 })
    const unanswered = await publishes(client, first, 'unanswered', { qos: 2 })
    await first.sends(pubrec(released))
    await first.receives({ type: PacketType.Pubrel, packetIdentifier: released })
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Pubrel, packetIdentifier: released })
    await second.receives({ type: PacketType.Publish, topicName: 'unanswered', dup: true, packetIdentifier: unanswered })
    await second.sends(pubcomp(released), pubrec(unanswered))
    await second.receives({ type: PacketType.Pubrel, packetIdentifier: unanswered })
  }
)

served('[5.0 MQTT-4.3.3-7] what has been sent does not expire', async ({ connects, isCalledAgain, clock }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 3600 })
  const delivery = client.publish('a', '', { qos: 2, expirySeconds: 5 })
  const { packetIdentifier } = await first.receives({ type: PacketType.Publish })
  await clock.advancesSeconds(10)
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.receives({ type: PacketType.Publish, topicName: 'a', dup: true, packetIdentifier })
  await second.sends(pubrec(packetIdentifier))
  await second.receives({ type: PacketType.Pubrel })
  await second.sends(pubcomp(packetIdentifier))
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
})

served('[5.0 MQTT-4.4.0-2] a PUBREC of 0x80 or above settles the message', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const delivery = client.publish('a', '', { qos: 2 })
  const { packetIdentifier } = await first.receives({ type: PacketType.Publish })
  await first.sends(pubrec(packetIdentifier, ReasonCode.QuotaExceeded))
  expect(await rejection(delivery)).toMatchObject({ code: 'refused', reasonCode: ReasonCode.QuotaExceeded })
  await first.receivesNothing()
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.receivesNothing()
})

served(
  '[5.0 MQTT-4.3.3-8] [5.0 MQTT-4.3.3-10] [5.0 MQTT-4.3.3-11] [5.0 MQTT-4.3.3-12] a message is passed on once, until its exchange is over',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 60 })
    const received: string[] = []
    client.subscribe('#', { qos: 2 }, (message) => received.push(message.text()))
    await first.grants()
    await first.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3 }))
    await first.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3, dup: true }))
    await second.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    await second.sends(pubrel(3))
    await second.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
    expect(received).toEqual(['one'])
    await second.sends(publish('t', 'two', { qos: 2, packetIdentifier: 3, dup: true }))
    await second.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
    expect(received).toEqual(['one', 'two'])
  }
)

served('[5.0 MQTT-4.3.3-9] after a PUBREC of 0x80 the identifier means another message', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  client.subscribe('#', { qos: 2 }, (message) => {
    received.push(message.text())
    if (received.length === 1) message.reject()
  })
  await server.receives({ type: PacketType.Subscribe })
  await server.sends(publish('t', 'one', { qos: 2, packetIdentifier: 3 }))
  await server.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.UnspecifiedError })
  await server.sends(publish('t', 'two', { qos: 2, packetIdentifier: 3 }))
  await server.receives({ type: PacketType.Pubrec, packetIdentifier: 3, reasonCode: ReasonCode.Success })
  expect(received).toEqual(['one', 'two'])
})

served('[5.0 MQTT-4.3.3-13] a message that has expired goes to the end of its exchange', async ({ connects, clock }) => {
  const [client, server] = await connects()
  client.subscribe('#', { qos: 2 }, () => undefined)
  await server.receives({ type: PacketType.Subscribe })
  await server.sends(publish('t', '', { qos: 2, packetIdentifier: 3, messageExpiryInterval: 1 }))
  await server.receives({ type: PacketType.Pubrec, packetIdentifier: 3 })
  await clock.advancesSeconds(10)
  await server.sends(pubrel(3))
  await server.receives({ type: PacketType.Pubcomp, packetIdentifier: 3, reasonCode: ReasonCode.Success })
})
