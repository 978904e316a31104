import { getEventListeners } from 'node:events'
import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { outcome, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { brokered, events, served } from './client-scenario.test.support.ts'

served('overlapping subscriptions get what is theirs, by Subscription Identifier', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  client.subscribe('a/#', {}, ({ topic }) => received.push(`all ${topic}`))
  client.subscribe('a/b', {}, ({ topic }) => received.push(`one ${topic}`))
  const all = (await server.grants()).properties.subscriptionIdentifier ?? 0
  const one = (await server.grants()).properties.subscriptionIdentifier ?? 0
  expect(all).not.toBe(one)
  // One copy for each subscription, as some servers send; or one for both.
  await server.sends(
    publish('a/b', '', { subscriptionIdentifiers: [all] }),
    publish('a/b', '', { subscriptionIdentifiers: [one] })
  )
  await server.sends(publish('a/b', '', { qos: 1, packetIdentifier: 1, subscriptionIdentifiers: [one, all] }))
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  expect(received).toEqual(['all a/b', 'one a/b', 'one a/b', 'all a/b'])
})

served('and by topic where the server has no identifiers', async ({ connects }) => {
  const [client, server] = await connects({}, { subscriptionIdentifiersAvailable: false })
  const received: string[] = []
  client.subscribe('a/#', {}, ({ topic }) => received.push(`all ${topic}`))
  client.subscribe('$share/g/+/b', {}, ({ topic }) => received.push(`shared ${topic}`))
  await server.grants()
  await server.grants()
  await server.sends(publish('a/b'), publish('c/b'), publish('a/c'))
  expect(received).toEqual(['all a/b', 'shared a/b', 'shared c/b', 'all a/c'])
})

served('several may share a filter: the highest QoS is asked for, and all get each message', async ({ connects }) => {
  const [client, server] = await connects()
  const received: string[] = []
  const first = client.subscribe('t', { qos: 2 }, () => received.push('first'))
  await server.receives({ type: PacketType.Subscribe })
  const second = client.subscribe('t', { qos: 0 }, () => received.push('second'))
  expect((await server.grants()).subscriptions[0]?.qos).toBe(2)
  expect(await outcome(Promise.all([first.granted, second.granted]))).toEqual({ is: 'resolved', value: [2, 2] })
  await server.sends(publish('t'))
  expect(received).toEqual(['first', 'second'])
  // The server is told when the last of them goes.
  expect(await outcome(first.unsubscribe())).toMatchObject({ is: 'resolved' })
  await server.receivesNothing()
  await server.sends(publish('t'))
  expect(received).toEqual(['first', 'second', 'second'])
  void second.unsubscribe()
  await server.receives({ type: PacketType.Unsubscribe, topicFilters: ['t'] })
})

served('a message is answered when all who share it have dealt with it', async ({ connects }) => {
  const [client, server] = await connects()
  const acks: (() => void)[] = []
  for (const filter of ['t', 't', '#']) {
    client.subscribe(filter, { acknowledge: 'manual' }, (message) => acks.push(() => message.ack()))
  }
  for (let count = 0; count < 3; count++) await server.receives({ type: PacketType.Subscribe })
  await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }))
  expect(acks).toHaveLength(3)
  for (const ack of acks) {
    await server.receivesNothing()
    ack()
    ack()
  }
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1 })
})

served('after a reconnection only what the server has lost is asked for again', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  client.subscribe('kept')
  await first.grants()
  client.subscribe('unanswered')
  await first.receives({ type: PacketType.Subscribe })
  await first.breaks()
  client.subscribe('new')
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  expect((await second.grants()).subscriptions[0]?.topicFilter).toBe('unanswered')
  expect((await second.grants()).subscriptions[0]?.topicFilter).toBe('new')
  await second.receivesNothing()
  await second.breaks()
  const third = await isCalledAgain()
  await third.accepts({ sessionPresent: false })
  for (const topicFilter of ['kept', 'unanswered', 'new']) {
    expect((await third.grants()).subscriptions[0]?.topicFilter).toBe(topicFilter)
  }
})

for (const protocolVersion of [ProtocolVersion.Mqtt5, ProtocolVersion.Mqtt31]) {
  served('what is not wanted any more is told at the next connection', async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ protocolVersion, sessionExpirySeconds: 60 })
    const subscription = client.subscribe('t')
    await first.grants()
    await first.breaks()
    expect(await outcome(subscription.unsubscribe())).toMatchObject({ is: 'resolved' })
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: protocolVersion !== ProtocolVersion.Mqtt31 })
    const { packetIdentifier } = await second.receives({ type: PacketType.Unsubscribe, topicFilters: ['t'] })
    const reasonCodes = protocolVersion === ProtocolVersion.Mqtt5 ? [ReasonCode.Success] : []
    await second.sends({ type: PacketType.Unsuback, packetIdentifier, reasonCodes, properties: {} })
    await second.breaks()
    const third = await isCalledAgain()
    await third.accepts({ sessionPresent: protocolVersion !== ProtocolVersion.Mqtt31 })
    await third.receivesNothing()
  })
}

served('one that is asked for again at once is there again, and whoever unsubscribed goes on', async ({ connects }) => {
  const [client, server] = await connects()
  const before = client.subscribe('t')
  await server.grants()
  const gone = before.unsubscribe()
  const again = client.subscribe('t', { qos: 2 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Unsubscribe })
  const reasonCodes = [ReasonCode.Success]
  await server.sends({ type: PacketType.Unsuback, packetIdentifier, reasonCodes, properties: {} })
  expect(await outcome(gone)).toMatchObject({ is: 'resolved' })
  await server.grants()
  expect(await outcome(again.granted)).toEqual({ is: 'resolved', value: 2 })
})

served('an UNSUBACK that comes before the SUBACK of the same filter counts', async ({ connects }) => {
  const [client, server] = await connects()
  const gone = client.subscribe('t').unsubscribe()
  await server.receives({ type: PacketType.Subscribe })
  const { packetIdentifier } = await server.receives({ type: PacketType.Unsubscribe })
  await server.sends({ type: PacketType.Unsuback, packetIdentifier, reasonCodes: [ReasonCode.Success], properties: {} })
  expect(await outcome(gone)).toMatchObject({ is: 'resolved' })
})

served(
  'more than there are identifiers wait for their turn, also where some are not wanted any more',
  async ({ connects, settles }) => {
    const [client, server] = await connects()
    const COUNT = 2_000
    const subscriptions = Array.from({ length: COUNT }, (_, index) => client.subscribe(`t/${index}`))
    const gone = subscriptions.slice(100).map((each) => each.unsubscribe())
    const filters = new Set<string>()
    for (let round = 0; round < 20; round++) {
      await server.receivesAll((packet) => {
        if (packet.type === PacketType.Subscribe) {
          filters.add(packet.subscriptions[0]?.topicFilter ?? '')
          return [{ type: PacketType.Suback, packetIdentifier: packet.packetIdentifier, reasonCodes: [0], properties: {} }]
        }
        if (packet.type !== PacketType.Unsubscribe) return []
        filters.delete(packet.topicFilters[0] ?? '')
        return [{ type: PacketType.Unsuback, packetIdentifier: packet.packetIdentifier, reasonCodes: [0], properties: {} }]
      })
    }
    await settles()
    expect([...filters]).toEqual(subscriptions.slice(0, 100).map(({ filter }) => filter))
    expect(await outcome(Promise.all(gone))).toMatchObject({ is: 'resolved' })
  },
  { networks: ['whole'] }
)

served('one that is refused later ends with its reason, and holds nobody up', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const told = events(client, 'subscribeFailed')
  const subscription = client.subscribe('t', { qos: 0, bufferMaximum: 1 })
  await first.grants()
  await first.sends(publish('t', 'fills the buffer'))
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts()
  // It was full when the server refused it: nobody will ever empty it.
  const { packetIdentifier } = await second.receives({ type: PacketType.Subscribe })
  expect(client.state).toBe('connected')
  void subscription[Symbol.asyncIterator]().next()
  await second.sends({ type: PacketType.Suback, packetIdentifier, reasonCodes: [ReasonCode.NotAuthorized], properties: {} })
  expect(told).toMatchObject([{ event: { filter: 't', error: { code: 'refused', reasonCode: ReasonCode.NotAuthorized } } }])
  const other = client.subscribe('other', {}, () => undefined)
  await second.grants()
  expect(await outcome(other.granted)).toMatchObject({ is: 'resolved' })
})

served('a signal unsubscribes; no listener is left on it when the subscription ends otherwise', async ({ connects, settles }) => {
  const [client, server] = await connects()
  const aborted = new AbortController()
  const subscription = client.subscribe('t', { signal: aborted.signal })
  await server.grants()
  const next = subscription[Symbol.asyncIterator]().next()
  aborted.abort()
  expect(await outcome(next)).toEqual({ is: 'resolved', value: { done: true, value: undefined } })
  await server.receives({ type: PacketType.Unsubscribe })
  expect(await outcome(client.subscribe('t', { signal: aborted.signal }).granted)).toMatchObject({
    is: 'rejected',
    error: { code: 'aborted' }
  })
  const other = new AbortController()
  const left = client.subscribe('u', { signal: other.signal })
  await server.grants()
  client.subscribe('v', { signal: other.signal })
  await server.grants()
  expect(getEventListeners(other.signal, 'abort')).toHaveLength(2)
  void left.unsubscribe()
  await server.receives({ type: PacketType.Unsubscribe })
  expect(getEventListeners(other.signal, 'abort')).toHaveLength(1)
  server.ignoresTheRest()
  void client.close({ drainMs: 0 })
  await settles()
  expect(getEventListeners(other.signal, 'abort')).toHaveLength(0)
})

brokered('members of a shared subscription get each message once between them', async ({ opens, settles }) => {
  const received: string[] = []
  for (const clientId of ['one', 'two']) {
    const worker = await opens({ clientId })
    worker.subscribe('$share/workers/jobs/#', { qos: 1 }, (message) => received.push(message.text()))
    await settles()
  }
  const writer = await opens({ clientId: 'writer' })
  for (let count = 0; count < 20; count++) void writer.publish('jobs/a', String(count), { qos: 1 })
  await settles()
  expect(received.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, count) => String(count)))
})

brokered(
  'leaving a loop unsubscribes, and acknowledges the message that it was left with',
  async ({ opens, settles, broker }) => {
    const reader = await opens({ clientId: 'reader', sessionExpirySeconds: 60 })
    const received: string[] = []
    const loop = (async () => {
      for await (const message of reader.subscribe('t', { qos: 1 })) {
        received.push(message.text())
        if (received.length === 2) break
      }
    })()
    await settles()
    const writer = await opens({ clientId: 'writer' })
    for (const payload of ['1', '2', '3']) void writer.publish('t', payload, { qos: 1 })
    await settles()
    expect(await outcome(loop)).toMatchObject({ is: 'resolved' })
    expect(received).toEqual(['1', '2'])
    expect(broker.isRunning).toBe(true)
  }
)
