import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, publish, pubrel } from '@godwit/testkit'
import { expect } from 'vitest'
import { events, served } from './client-scenario.test.support.ts'
import type { Message } from './message.ts'

served('a message that is held is not delivered again when the server repeats it', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const held: Message[] = []
  client.subscribe('#', { qos: 2, acknowledge: 'manual' }, (message) => held.push(message))
  await first.grants()
  await first.sends(publish('t', 'one', { qos: 1, packetIdentifier: 1 }), publish('t', 'two', { qos: 2, packetIdentifier: 2 }))
  await first.breaks()
  // Acknowledged while there is no connection: it is answered when it comes again.
  held[0]?.ack()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.receivesNothing()
  await second.sends(
    publish('t', 'one', { qos: 1, packetIdentifier: 1, dup: true }),
    publish('t', 'two', { qos: 2, packetIdentifier: 2, dup: true })
  )
  await second.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await second.receivesNothing()
  held[1]?.ack()
  await second.receives({ type: PacketType.Pubrec, packetIdentifier: 2 })
  expect(held.map((message) => message.text())).toEqual(['one', 'two'])
})

served('another message under the identifier of a held one is another message', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const held: Message[] = []
  client.subscribe('#', { acknowledge: 'manual' }, (message) => held.push(message))
  await first.grants()
  await first.sends(publish('t', 'given up', { qos: 1, packetIdentifier: 1 }))
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.sends(publish('t', 'other', { qos: 1, packetIdentifier: 1 }))
  held[0]?.ack()
  await second.receivesNothing()
  held[1]?.ack()
  await second.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  expect(held.map((message) => message.text())).toEqual(['given up', 'other'])
})

served('what was held of a session that the server has lost answers nothing', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ sessionExpirySeconds: 60 })
  const held: Message[] = []
  client.subscribe('#', { qos: 2, acknowledge: 'manual' }, (message) => held.push(message))
  await first.grants()
  await first.sends(publish('t', 'old', { qos: 2, packetIdentifier: 1 }))
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts()
  await second.grants()
  held[0]?.ack()
  await second.sends(publish('t', 'new', { qos: 2, packetIdentifier: 1, dup: true }))
  await second.receivesNothing()
  expect(held.map((message) => message.text())).toEqual(['old', 'new'])
})

served(
  'a loop acknowledges when it asks for the next; a handler when it has returned, or resolved',
  async ({ connects, settles }) => {
    const [client, server] = await connects()
    const work: PromiseWithResolvers<void> = Promise.withResolvers()
    client.subscribe('handled', {}, () => work.promise)
    await server.grants()
    await server.sends(...[1, 2].map((packetIdentifier) => publish('handled', '', { qos: 1, packetIdentifier })))
    await server.receivesNothing()
    work.resolve()
    await settles()
    await server.receives({ type: PacketType.Puback, packetIdentifier: 1 })
    await server.receives({ type: PacketType.Puback, packetIdentifier: 2 })
  }
)

for (const [what, handler] of [
  ['throws', (): unknown => JSON.parse('no JSON')],
  ['rejects', async (): Promise<unknown> => JSON.parse('no JSON')]
] as const) {
  served(`a handler that ${what} rejects its message, and goes on`, async ({ connects }) => {
    const [client, server] = await connects()
    const told = events(client, 'handlerFailed')
    let calls = 0
    client.subscribe('#', {}, () => (calls++ === 0 ? handler() : undefined))
    await server.grants()
    await server.sends(...[1, 2].map((packetIdentifier) => publish('t', '', { qos: 1, packetIdentifier })))
    await server.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.UnspecifiedError })
    await server.receives({ type: PacketType.Puback, packetIdentifier: 2, reasonCode: ReasonCode.Success })
    expect(told).toMatchObject([{ event: { error: { name: 'SyntaxError' }, message: { topic: 't' } } }])
  })
}

served('one that rejects what others have dealt with rejects it for all', async ({ connects }) => {
  const [client, server] = await connects()
  client.subscribe('#', {}, () => undefined)
  client.subscribe('t', {}, (message) => message.reject())
  await server.grants()
  await server.grants()
  await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }))
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.UnspecifiedError })
})

served('a full buffer holds the server back, until half of it is empty', async ({ connects, clock, settles }) => {
  const [client, server] = await connects({ keepAliveSeconds: 60 })
  const loop = client.subscribe('t', { qos: 0, bufferMaximum: 4 })[Symbol.asyncIterator]()
  await server.grants()
  for (let count = 0; count < 10; count++) await server.sends(publish('t', String(count)))
  // Nothing is read, so nothing is heard: that is no dead link.
  await clock.advancesSeconds(600)
  expect(client.state).toBe('connected')
  const received: (string | undefined)[] = []
  for (let count = 0; count < 10; count++) {
    const next = loop.next()
    await settles()
    received.push((await next).value?.text())
  }
  expect(received).toEqual(Array.from({ length: 10 }, (_, count) => String(count)))
})

for (const [whenBufferFull, kept, dropped] of [
  ['drop-oldest', ['2', '3', 'one'], ['0', '1']],
  ['drop-newest', ['0', '1', 'one'], ['2', '3']]
] as const) {
  served(`or QoS 0 messages are dropped: ${whenBufferFull}`, async ({ connects }) => {
    const [client, server] = await connects()
    const told = events(client, 'dropped')
    const loop = client.subscribe('t', { qos: 1, bufferMaximum: 2, whenBufferFull })[Symbol.asyncIterator]()
    await server.grants()
    await server.sends(...['0', '1', '2', '3'].map((payload) => publish('t', payload)))
    await server.sends(publish('t', 'one', { qos: 1, packetIdentifier: 1 }))
    expect(told.map(({ event }) => [event.message.text(), event.reason])).toEqual(
      [...dropped, ...kept.slice(0, 1)].map((text) => [text, 'buffer-full'])
    )
    expect([(await loop.next()).value?.text(), (await loop.next()).value?.text()]).toEqual(kept.slice(1))
  })
}

served('what is left in the buffer of one who unsubscribes is given up, and told', async ({ connects }) => {
  const [client, server] = await connects()
  const told = events(client, 'dropped')
  const subscription = client.subscribe('t')
  await server.grants()
  await server.sends(
    publish('t', 'seen', { qos: 1, packetIdentifier: 1 }),
    publish('t', 'unseen', { qos: 1, packetIdentifier: 2 })
  )
  const loop = subscription[Symbol.asyncIterator]()
  const first = await loop.next()
  void subscription.unsubscribe()
  first.value?.ack()
  await server.receives({ type: PacketType.Unsubscribe })
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1, reasonCode: ReasonCode.Success })
  await server.receives({ type: PacketType.Puback, packetIdentifier: 2, reasonCode: ReasonCode.UnspecifiedError })
  expect(told).toMatchObject([{ event: { message: { qos: 1 }, reason: 'unsubscribed' } }])
  expect(await outcome(loop.next())).toEqual({ is: 'resolved', value: { done: true, value: undefined } })
})

served('a message of a session that an earlier process left waits for its subscriber', async ({ opens, isCalled, clock }) => {
  const client = await opens({ cleanStart: false, sessionExpirySeconds: 3600 })
  const told = events(client, 'unclaimed')
  const server = await isCalled()
  await server.accepts({ sessionPresent: true })
  await server.sends(
    publish('a', 'for a', { qos: 1, packetIdentifier: 1 }),
    publish('b', 'for nobody', { qos: 1, packetIdentifier: 2 })
  )
  await clock.advancesSeconds(9)
  await server.receivesNothing()
  const received: string[] = []
  client.subscribe('a', {}, (message) => received.push(message.text()))
  expect(received).toEqual(['for a'])
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await server.grants()
  await clock.advancesSeconds(1)
  await server.receives({ type: PacketType.Puback, packetIdentifier: 2, reasonCode: ReasonCode.Success })
  expect(told).toMatchObject([{ event: { message: { topic: 'b' } } }])
})

served('one that comes after its subscription is gone holds nobody up', async ({ connects }) => {
  const [client, server] = await connects()
  const told = events(client, 'unclaimed')
  client.subscribe('other', {}, () => undefined)
  await server.grants()
  const subscription = client.subscribe('t')
  await server.grants()
  void subscription.unsubscribe()
  await server.receives({ type: PacketType.Unsubscribe })
  await server.sends(publish('t', '', { qos: 1, packetIdentifier: 1 }), publish('other', '', { qos: 1, packetIdentifier: 2 }))
  await server.receives({ type: PacketType.Puback, packetIdentifier: 1 })
  await server.receives({ type: PacketType.Puback, packetIdentifier: 2 })
  expect(told).toMatchObject([{ event: { message: { topic: 't' } } }])
})

served('a message is its own: text, JSON, properties, and a copy of the payload', async ({ connects }) => {
  const [client, server] = await connects()
  const received: Message[] = []
  client.subscribe('#', { qos: 2 }, (message) => received.push(message))
  await server.grants()
  const properties = { contentType: 'application/json', userProperties: [['k', 'v'] as const], messageExpiryInterval: 9 }
  await server.sends(publish('t', '{"value":1}', { qos: 2, packetIdentifier: 1, retain: true, dup: true, ...properties }))
  await server.sends(publish('t', Uint8Array.of(0xff)), pubrel(1))
  const [first, second] = received
  expect(first).toMatchObject({ topic: 't', qos: 2, retain: true, dup: true, properties, subscriptionIdentifiers: [] })
  expect([first?.text(), first?.json(), second?.text()]).toEqual(['{"value":1}', { value: 1 }, '\ufffd'])
  expect(() => second?.json()).toThrow(SyntaxError)
  expect(() => second?.reply('')).toThrow('no Response Topic')
  server.ignoresTheRest()
})
