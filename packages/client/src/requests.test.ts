import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, puback, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { brokered, served } from './client-scenario.test.support.ts'

const rejected = (code: string) => ({ is: 'rejected', error: { name: 'ClientError', code } })

brokered('requests find their replies, however many there are and whatever their order', async ({ opens, settles }) => {
  const service = await opens({ clientId: 'service' })
  const held: (() => void)[] = []
  service.subscribe('square', { qos: 1 }, (message) => {
    held.push(() => void message.reply(Number(message.json()) ** 2, { contentType: 'number' }))
  })
  await settles()
  const asking = await opens({ clientId: 'asking' })
  const replies = [1, 2, 3, 4].map((number) => asking.request('square', number))
  await settles()
  for (const reply of held.toReversed()) reply()
  await settles()
  const result = await outcome(Promise.all(replies))
  expect(result.is === 'resolved' && result.value.map((message) => message.json())).toEqual([1, 4, 9, 16])
})

brokered('a request that reaches nobody says so', async ({ opens, settles }) => {
  const asking = await opens({ clientId: 'asking' })
  const reply = asking.request('nobody', '')
  reply.catch(() => undefined)
  await settles()
  expect(await outcome(reply)).toMatchObject(rejected('no-responders'))
})

served("the Response Topic is made of the server's Response Information, and asked for once", async ({ connects }) => {
  const [client, server] = await connects({}, { responseInformation: 'replies/of/device' })
  const first = client.request('a', '')
  const second = client.request('b', '')
  first.catch(() => undefined)
  const { subscriptions } = await server.grants()
  const responseTopic = subscriptions[0]?.topicFilter ?? ''
  expect(responseTopic).toMatch(/^replies\/of\/device\/[0-9a-z]{16}$/)
  const asked = await server.receives({ type: PacketType.Publish, topicName: 'a', qos: 1 })
  const alsoAsked = await server.receives({ type: PacketType.Publish, topicName: 'b', qos: 1 })
  expect(asked.properties.responseTopic).toBe(responseTopic)
  expect(alsoAsked.properties.correlationData).not.toEqual(asked.properties.correlationData)
  await server.sends(puback(asked.packetIdentifier), puback(alsoAsked.packetIdentifier))
  // A reply that nobody waits for is no one's.
  const { correlationData } = alsoAsked.properties
  await server.sends(publish(responseTopic, 'stray'), publish(responseTopic, 'for b', { correlationData }))
  expect(await outcome(first)).toEqual({ is: 'pending' })
  expect((await second).text()).toBe('for b')
})

served('a request ends in time, with its signal, with a refusal, and with the client', async ({ connects, clock, settles }) => {
  const [client, server] = await connects()
  const aborting = new AbortController()
  const requests = [
    client.request('a', '', { timeoutMs: 1_000 }),
    client.request('b', '', { signal: aborting.signal }),
    client.request('c', ''),
    client.request('d', ''),
    client.request('e', '', { signal: AbortSignal.abort() })
  ]
  for (const each of requests) each.catch(() => undefined)
  await server.grants()
  for (const topicName of ['a', 'b', 'c', 'd']) {
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName })
    if (topicName === 'c') await server.sends(puback(packetIdentifier, ReasonCode.NotAuthorized))
  }
  // One that was given up before it began is not sent.
  await server.receivesNothing()
  await clock.advancesMs(1_000)
  aborting.abort()
  void client.close({ drainMs: 0 })
  await settles()
  const outcomes = await Promise.all(requests.map((each) => outcome(each)))
  expect(outcomes).toMatchObject(['timeout', 'aborted', 'refused', 'client-closed', 'aborted'].map(rejected))
  expect(clock.timers).toBe(0)
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
})

served('a Response Topic that the server refuses fails the request, and the next one asks again', async ({ connects }) => {
  const [client, server] = await connects({ responseTopicPrefix: 'mine/' })
  const first = client.request('a', '')
  first.catch(() => undefined)
  const { packetIdentifier, subscriptions } = await server.receives({ type: PacketType.Subscribe })
  expect(subscriptions[0]?.topicFilter).toMatch(/^mine\/[0-9a-z]{16}$/)
  await server.receives({ type: PacketType.Publish })
  await server.sends({ type: PacketType.Suback, packetIdentifier, reasonCodes: [ReasonCode.NotAuthorized], properties: {} })
  expect(await outcome(first)).toMatchObject(rejected('refused'))
  client.request('b', '').catch(() => undefined)
  await server.grants()
  await server.receives({ type: PacketType.Publish })
})
