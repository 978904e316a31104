import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, puback, pubcomp, pubrec } from '@godwit/testkit'
import { expect } from 'vitest'
import { brokered, served } from './client-scenario.test.support.ts'

served('a QoS 1 message is delivered when its PUBACK has come', async ({ connects }) => {
  const [client, server] = await connects()
  const delivery = client.publish('pump/7', 'on', { qos: 1 })
  const { packetIdentifier } = await server.receives({
    type: PacketType.Publish,
    topicName: 'pump/7',
    payload: 'on',
    qos: 1,
    dup: false
  })
  expect(await outcome(delivery)).toEqual({ is: 'pending' })
  await server.sends(puback(packetIdentifier))
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved', value: { reasonCode: ReasonCode.Success } })
})

served('a QoS 2 message is delivered when its PUBCOMP has come', async ({ connects }) => {
  const [client, server] = await connects()
  const delivery = client.publish('pump/7', 'on', { qos: 2 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, qos: 2, dup: false })
  await server.sends(pubrec(packetIdentifier))
  await server.receives({ type: PacketType.Pubrel, packetIdentifier })
  expect(await outcome(delivery)).toEqual({ is: 'pending' })
  await server.sends(pubcomp(packetIdentifier))
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
})

brokered('what one client publishes another receives', async ({ opens, settles }) => {
  const reader = await opens({ clientId: 'reader' })
  const messages: string[] = []
  reader.subscribe('pump/+', { qos: 2 }, (message) => messages.push(`${message.qos} ${message.text()}`))
  await settles()
  const writer = await opens({ clientId: 'writer' })
  for (const qos of [0, 1, 2] as const) writer.publish('pump/7', `at ${qos}`, { qos })
  await settles()
  expect(messages).toEqual(['0 at 0', '1 at 1', '2 at 2'])
})
