import { getEventListeners } from 'node:events'
import { PacketType } from '@godwit/protocol'
import { outcome, puback } from '@godwit/testkit'
import { expect } from 'vitest'
import { events, served } from './client-scenario.test.support.ts'
import { HeldOutbox } from './held-outbox.test.support.ts'
import { outboxBytes } from './outbox-store.ts'

const PENDING = { is: 'pending' }
const rejected = (code: string) => ({ is: 'rejected', error: { name: 'ClientError', code } })

served('a full outbox refuses, and says so', async ({ opens, isCalled }) => {
  const client = await opens({ outboxLimits: { messages: 2 } })
  ;(await isCalled()).ignoresTheRest()
  const told = events(client, 'discarded')
  const deliveries = [0, 1, 2].map((qos) => client.publish(`t/${qos}`, 'abc', { qos: qos === 0 ? 0 : 1 }))
  expect(await Promise.all(deliveries.map((each) => outcome(each)))).toMatchObject([PENDING, PENDING, rejected('outbox-full')])
  expect(await Promise.all(deliveries.map((each) => outcome(each.stored)))).toMatchObject([
    PENDING,
    { is: 'resolved' },
    rejected('outbox-full')
  ])
  expect(told).toMatchObject([{ event: { message: { topic: 't/2', qos: 1 }, error: { code: 'outbox-full' } } }])
  const bytes = outboxBytes({ topicName: 't/0', payload: new Uint8Array(3) })
  expect(client.outbox).toEqual({ messages: 2, bytes: 2 * bytes, inflight: 0 })
})

served('bytes are bounded too, and room comes back with each acknowledgement', async ({ connects }) => {
  const [client, server] = await connects({ outboxLimits: { bytes: 200 } })
  const first = client.publish('t', new Uint8Array(100), { qos: 1 })
  expect(await outcome(client.publish('t', new Uint8Array(100), { qos: 1 }))).toMatchObject(rejected('outbox-full'))
  expect(await outcome(client.publish('t', new Uint8Array(1000), { qos: 1 }))).toMatchObject(rejected('outbox-full'))
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
  await server.sends(puback(packetIdentifier))
  expect(await outcome(first)).toMatchObject({ is: 'resolved' })
  void client.publish('t', new Uint8Array(100), { qos: 1 })
  await server.receives({ type: PacketType.Publish })
})

served('or waits, with `stored` held back, in order', async ({ connects }) => {
  const [client, server] = await connects({ whenOutboxFull: 'wait', outboxLimits: { messages: 1 } })
  const deliveries = ['a', 'b', 'c'].map((topic) => client.publish(topic, '', { qos: 1 }))
  const stored = async () => (await Promise.all(deliveries.map((each) => outcome(each.stored)))).map(({ is }) => is)
  expect(client.outbox.messages).toBe(3)
  for (const [index, topicName] of ['a', 'b', 'c'].entries()) {
    expect(await stored()).toEqual(['a', 'b', 'c'].map((_, each) => (each <= index ? 'resolved' : 'pending')))
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName })
    await server.receivesNothing()
    await server.sends(puback(packetIdentifier))
  }
  expect(client.outbox.messages).toBe(0)
})

served(
  'ten thousand may wait, and all of them leave',
  async ({ opens, isCalled, settles }) => {
    const client = await opens({ whenOutboxFull: 'wait', outboxLimits: { messages: 1 } })
    for (let count = 0; count < 10_001; count++) void client.publish('t', String(count))
    expect(await outcome(client.publish('t', 'one too many'))).toMatchObject(rejected('outbox-full'))
    const server = await isCalled()
    await server.accepts()
    await settles()
    let next = 0
    await server.receivesAll((packet) => {
      if (packet.type === PacketType.Publish) expect(Buffer.from(packet.payload).toString()).toBe(String(next++))
      return []
    })
    expect(next).toBe(10_001)
  },
  { networks: ['whole'] }
)

served('or gives up the oldest that has not been sent', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({
    whenOutboxFull: 'drop-oldest',
    outboxLimits: { messages: 3 },
    sessionExpirySeconds: 60
  })
  const told = events(client, 'discarded')
  void client.publish('sent', '', { qos: 1 })
  await first.receives({ type: PacketType.Publish, topicName: 'sent' })
  await first.breaks()
  const deliveries = ['a', 'b', 'c', 'd'].map((topic) => client.publish(topic, '', { qos: topic === 'b' ? 0 : 1 }))
  expect(told.map(({ event }) => [event.message.topic, event.error.code])).toEqual([
    ['a', 'outbox-dropped'],
    ['b', 'outbox-dropped']
  ])
  expect(await Promise.all(deliveries.map((each) => outcome(each)))).toMatchObject([
    rejected('outbox-dropped'),
    rejected('outbox-dropped'),
    PENDING,
    PENDING
  ])
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  for (const topicName of ['sent', 'c', 'd']) await second.receives({ type: PacketType.Publish, topicName })
})

served('where all has been sent there is nothing to give up', async ({ connects }) => {
  const [client, server] = await connects({ whenOutboxFull: 'drop-oldest', outboxLimits: { messages: 1 } })
  void client.publish('sent', '', { qos: 1 })
  await server.receives({ type: PacketType.Publish })
  expect(await outcome(client.publish('more', '', { qos: 1 }))).toMatchObject(rejected('outbox-full'))
})

served(
  'what waits too long is given up: by its own expiry, or by the age that the outbox allows',
  async ({ opens, isCalled, clock }) => {
    const client = await opens({ outboxLimits: { ageMs: 20_000 } })
    const server = await isCalled()
    const told = events(client, 'discarded')
    const expiring = client.publish('expires', '', { qos: 1, expirySeconds: 10 })
    const aging = client.publish('ages', '', { qos: 0 })
    await clock.advancesSeconds(15)
    void client.publish('stays', '', { qos: 1, expirySeconds: 3600 })
    await clock.advancesSeconds(10)
    await server.accepts()
    const { properties } = await server.receives({ type: PacketType.Publish, topicName: 'stays' })
    // What it has waited here is part of its life.
    expect(properties.messageExpiryInterval).toBeLessThan(3600)
    expect(told.map(({ event }) => [event.message.topic, event.error.code])).toEqual([
      ['expires', 'message-expired'],
      ['ages', 'message-expired']
    ])
    expect(await outcome(expiring)).toMatchObject(rejected('message-expired'))
    expect(await outcome(aging)).toMatchObject(rejected('message-expired'))
  }
)

served('a signal takes a message back, as long as it has not been sent', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({ outbox: new HeldOutbox(), sessionExpirySeconds: 60 })
  const { signal, abort } = controller()
  const sent = client.publish('sent', '', { qos: 1, signal })
  await first.receives({ type: PacketType.Publish })
  await first.breaks()
  const waiting = client.publish('waiting', '', { qos: 1, signal })
  const later = client.publish('later', '', { qos: 1 })
  abort()
  expect(await outcome(waiting)).toMatchObject(rejected('aborted'))
  expect(await outcome(client.publish('aborted', '', { signal }))).toMatchObject(rejected('aborted'))
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  const { packetIdentifier } = await second.receives({ type: PacketType.Publish, topicName: 'sent' })
  await second.receives({ type: PacketType.Publish, topicName: 'later' })
  await second.sends(puback(packetIdentifier))
  expect(await outcome(sent)).toMatchObject({ is: 'resolved' })
  expect(await outcome(later)).toEqual({ is: 'pending' })
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

served('also one that waits for room', async ({ connects }) => {
  const [client, server] = await connects({ whenOutboxFull: 'wait', outboxLimits: { messages: 1 } })
  const { signal, abort } = controller()
  void client.publish('first', '', { qos: 1 })
  const second = client.publish('second', '', { qos: 1, signal })
  void client.publish('third', '', { qos: 1, signal: new AbortController().signal })
  abort()
  expect(await outcome(second)).toMatchObject(rejected('aborted'))
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName: 'first' })
  await server.sends(puback(packetIdentifier))
  await server.receives({ type: PacketType.Publish, topicName: 'third' })
})

served(
  'what does not fit into memory waits on disk, and the order is the same, though the link drops in the middle',
  async ({ opens, isCalled, isCalledAgain, settles }) => {
    const COUNT = 7_000
    const outbox = new HeldOutbox()
    const client = await opens({ outbox, sessionExpirySeconds: 3600 })
    const { signal, abort } = controller()
    const deliveries = Array.from({ length: COUNT }, (_, count) =>
      client.publish('t', String(count), { qos: count % 2 === 0 ? 1 : 2, signal: count === 6_000 ? signal : undefined })
    )
    await settles()
    abort()
    expect(client.outbox.messages).toBe(COUNT - 1)
    const expected = Array.from({ length: COUNT }, (_, count) => String(count)).filter((payload) => payload !== '6000')
    const received: string[] = []
    let server = await isCalled()
    await server.accepts({ sessionPresent: false })
    // To the end of the last exchange.
    for (let round = 0; client.outbox.messages > 0; round++) {
      expect(round).toBeLessThan(100)
      let answered = 0
      await server.receivesAll((packet) => {
        // Of each turn the last third is lost with the link, now and then.
        if (round % 4 === 3 && answered++ >= 600) return []
        if (packet.type === PacketType.Pubrel) return [{ ...packet, type: PacketType.Pubcomp }]
        if (packet.type !== PacketType.Publish) return []
        received.push(Buffer.from(packet.payload).toString())
        const { packetIdentifier } = packet
        return [
          { type: packet.qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetIdentifier, reasonCode: 0, properties: {} }
        ]
      })
      if (round % 4 !== 3) continue
      server.ignoresTheRest()
      await server.breaks()
      server = await isCalledAgain()
      await server.accepts({ sessionPresent: true })
    }
    await settles()
    server.ignoresTheRest()
    expect(received).toEqual(expected)
    const outcomes = await Promise.all(deliveries.map((each) => outcome(each)))
    expect(outcomes[6_000]).toMatchObject(rejected('aborted'))
    expect(outcomes.filter(({ is }) => is === 'resolved')).toHaveLength(COUNT - 1)
  },
  { networks: ['whole'] }
)

served(
  'what waits on disk can be taken back and given up like everything else',
  async ({ connects, settles }) => {
    const outbox = new HeldOutbox()
    const options = { outbox, inflightMaximum: 5_000, whenOutboxFull: 'drop-oldest', outboxLimits: { messages: 2_003 } } as const
    const [client, server] = await connects(options, { receiveMaximum: 5_000 })
    const { signal, abort } = controller()
    // As many as memory holds are sent; the rest waits on disk.
    for (let count = 0; count < 2_000; count++) void client.publish('t', String(count), { qos: 1 })
    const deliveries = ['a', 'b', 'c'].map((payload) =>
      client.publish('t', payload, { qos: 1, signal: payload === 'c' ? signal : undefined })
    )
    await settles()
    void client.publish('t', 'd', { qos: 1 })
    expect(await Promise.all(deliveries.map((each) => outcome(each)))).toMatchObject([
      rejected('outbox-dropped'),
      PENDING,
      PENDING
    ])
    const drained = client.drained()
    abort()
    const payloads: string[] = []
    for (let round = 0; round < 4; round++) {
      await server.receivesAll((packet) => {
        if (packet.type !== PacketType.Publish) return []
        payloads.push(Buffer.from(packet.payload).toString())
        return [puback(packet.packetIdentifier)]
      })
    }
    expect(payloads.slice(2_000)).toEqual(['b', 'd'])
    expect(await outcome(drained)).toMatchObject({ is: 'resolved' })
    expect(client.outbox).toEqual({ messages: 0, bytes: 0, inflight: 0 })
  },
  { networks: ['whole'] }
)

served('the last to be taken back ends the wait for all', async ({ opens, isCalled, settles }) => {
  const client = await opens({ outbox: new HeldOutbox() })
  ;(await isCalled()).ignoresTheRest()
  const { signal, abort } = controller()
  for (let count = 0; count < 2_001; count++) void client.publish('t', String(count), { qos: 1, signal })
  await settles()
  const drained = client.drained()
  abort()
  expect(await outcome(drained)).toMatchObject({ is: 'resolved' })
})

served(
  'a disk that cannot be read is asked again',
  async ({ opens, isCalled, clock, settles }) => {
    const outbox = new HeldOutbox()
    const client = await opens({ outbox })
    const told = events(client, 'outboxFailed', 'outboxRecovered')
    for (let count = 0; count < 2_001; count++) void client.publish('t', String(count), { qos: 1 })
    await settles()
    const read = outbox.read.bind(outbox)
    outbox.read = () => Promise.reject(new Error('input/output error'))
    const server = await isCalled()
    await server.accepts()
    let received = 0
    const answers = async (): Promise<void> => {
      await server.receivesAll((packet) => {
        if (packet.type !== PacketType.Publish) return []
        received++
        return [puback(packet.packetIdentifier)]
      })
    }
    for (let round = 0; round < 4; round++) await answers()
    expect(received).toBe(2_000)
    expect(told[0]).toMatchObject({ name: 'outboxFailed', event: { error: { code: 'outbox-failed' } } })
    outbox.read = read
    await clock.advancesSeconds(1)
    await answers()
    expect(received).toBe(2_001)
    expect(told.at(-1)?.name).toBe('outboxRecovered')
  },
  { networks: ['whole'] }
)

function controller(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const made = new AbortController()
  return { signal: made.signal, abort: () => made.abort() }
}
