import { PacketType } from '@godwit/protocol'
import { outcome, puback, pubcomp, publish, pubrec, pubrel } from '@godwit/testkit'
import { expect } from 'vitest'
import { brokered, events, served } from './client-scenario.test.support.ts'
import { HeldOutbox } from './held-outbox.test.support.ts'
import { memoryOutbox } from './memory-outbox.ts'

served('another process goes on where the one before was killed', async ({ connects, opens, isCalled }) => {
  const before = new HeldOutbox()
  const [client, first] = await connects({ clientId: 'pump-7', outbox: before })
  for (const [topic, qos] of [
    ['a', 1],
    ['b', 2],
    ['c', 2]
  ] as const) {
    void client.publish(topic, topic, { qos })
  }
  const a = await first.receives({ type: PacketType.Publish, topicName: 'a' })
  const b = await first.receives({ type: PacketType.Publish, topicName: 'b' })
  const c = await first.receives({ type: PacketType.Publish, topicName: 'c' })
  await first.sends(pubrec(b.packetIdentifier))
  await first.receives({ type: PacketType.Pubrel })
  const outbox = await before.dies()
  await first.breaks()

  const again = await opens({ clientId: undefined, outbox })
  expect(again.clientId).toBe('pump-7')
  expect(again.outbox).toMatchObject({ messages: 3, inflight: 0 })
  const second = await isCalled()
  await second.receivesConnect({ clientId: 'pump-7', cleanStart: false })
  await second.accepts({ sessionPresent: true })
  await second.receives({ type: PacketType.Publish, topicName: 'a', dup: true, packetIdentifier: a.packetIdentifier })
  await second.receives({ type: PacketType.Pubrel, packetIdentifier: b.packetIdentifier })
  await second.receives({ type: PacketType.Publish, topicName: 'c', dup: true, packetIdentifier: c.packetIdentifier })
  void again.publish('d', '', { qos: 1 })
  const d = await second.receives({ type: PacketType.Publish, topicName: 'd', dup: false })
  expect([a, b, c].map(({ packetIdentifier }) => packetIdentifier)).not.toContain(d.packetIdentifier)
  await second.sends(
    puback(a.packetIdentifier),
    pubcomp(b.packetIdentifier),
    pubrec(c.packetIdentifier),
    puback(d.packetIdentifier)
  )
  await second.receives({ type: PacketType.Pubrel, packetIdentifier: c.packetIdentifier })
  await second.sends(pubcomp(c.packetIdentifier))
  expect(again.outbox).toEqual({ messages: 0, bytes: 0, inflight: 0 })
})

served('what was received at QoS 2 is known in the next process', async ({ connects, opens, isCalled }) => {
  const before = new HeldOutbox()
  const [client, first] = await connects({ outbox: before })
  client.subscribe('#', { qos: 2 }, () => undefined)
  await first.grants()
  await first.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7 }))
  await first.receives({ type: PacketType.Pubrec })
  const outbox = await before.dies()
  await first.breaks()

  const again = await opens({ outbox })
  const received: string[] = []
  again.subscribe('#', { qos: 2 }, (message) => received.push(message.text()))
  const second = await isCalled()
  await second.accepts({ sessionPresent: true })
  await second.grants()
  await second.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7, dup: true }), pubrel(7))
  await second.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  await second.receives({ type: PacketType.Pubcomp, packetIdentifier: 7 })
  expect(received).toEqual([])
  await second.sends(publish('t', 'next', { qos: 2, packetIdentifier: 7 }))
  await second.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  expect(received).toEqual(['next'])
})

served(
  'where the server has lost the session meanwhile, nothing is lost or left behind',
  async ({ connects, opens, isCalled }) => {
    const before = new HeldOutbox()
    const [client, first] = await connects({ outbox: before })
    void client.publish('unanswered', '', { qos: 2 })
    await first.receives({ type: PacketType.Publish })
    void client.publish('released', '', { qos: 2 })
    const { packetIdentifier } = await first.receives({ type: PacketType.Publish })
    await first.sends(pubrec(packetIdentifier))
    await first.receives({ type: PacketType.Pubrel })
    const outbox = await before.dies()
    await first.breaks()

    const again = await opens({ outbox })
    const told = events(again, 'sessionLost')
    const second = await isCalled()
    await second.accepts({ sessionPresent: false })
    await second.receives({ type: PacketType.Publish, topicName: 'unanswered', dup: false })
    await second.receivesNothing()
    expect(told).toEqual([{ name: 'sessionLost', event: { resent: 1, released: 1 } }])
    expect(again.outbox.messages).toBe(1)
  }
)

served('an outbox belongs to one client', async ({ connects, cannotOpen }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ clientId: 'one', outbox })
  const closing = client.close({ drainMs: 0 })
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
  await closing
  expect(await cannotOpen({ clientId: 'two', outbox })).toMatchObject({
    code: 'invalid-argument',
    message: 'The outbox belongs to client "one", not to "two"'
  })
})

served(
  'a clean start that is asked for is made, also with an outbox that knows a session',
  async ({ connects, opens, isCalled }) => {
    const before = new HeldOutbox()
    const [client, first] = await connects({ outbox: before })
    void client.publish('t', '', { qos: 1 })
    await first.receives({ type: PacketType.Publish })
    const outbox = await before.dies()
    await first.breaks()
    await opens({ outbox, cleanStart: true })
    const second = await isCalled()
    await second.receivesConnect({ cleanStart: true })
    await second.accepts()
    await second.receives({ type: PacketType.Publish, topicName: 't', dup: false })
  }
)

served(
  'only what an earlier process may have sent is sent again as such',
  async ({ opens, isCalled, settles }) => {
    const before = new HeldOutbox()
    const writer = await opens({ outbox: before })
    const refused = await isCalled()
    refused.ignoresTheRest()
    for (let count = 0; count < 2_600; count++) void writer.publish(`t/${count}`, '', { qos: 1 })
    const { stored } = writer.publish('last', '', { qos: 1 })
    await settles()
    expect(await outcome(stored)).toMatchObject({ is: 'resolved' })
    const outbox = await before.dies()
    await opens({ outbox })
    const server = await isCalled()
    await server.accepts({ sessionPresent: true })
    const dups: boolean[] = []
    for (let isMore = true; isMore;) {
      const from = dups.length
      await server.receivesAll((packet) => {
        if (packet.type !== PacketType.Publish) return []
        expect(packet.topicName).toBe(dups.length < 2_600 ? `t/${dups.length}` : 'last')
        dups.push(packet.dup)
        return [puback(packet.packetIdentifier)]
      })
      isMore = dups.length > from
    }
    expect(dups).toHaveLength(2_601)
    expect(dups.lastIndexOf(true)).toBe(999)
  },
  { networks: ['whole'] }
)

served('what is in a memoryOutbox is there for the next client, however much it is', async ({ opens, isCalled }) => {
  const outbox = memoryOutbox()
  const writer = await opens({ outbox })
  ;(await isCalled()).ignoresTheRest()
  const COUNT = 2_500
  for (let count = 0; count < COUNT; count++) void writer.publish(`t/${count}`, '', { qos: 1 })
  expect(await writer.close({ drainMs: 0 })).toEqual({ undelivered: COUNT })
  const client = await opens({ outbox })
  void client.publish(`t/${COUNT}`, '', { qos: 1 })
  const server = await isCalled()
  await server.accepts()
  const topics: string[] = []
  for (let isMore = true; isMore;) {
    const from = topics.length
    await server.receivesAll((packet) => {
      if (packet.type !== PacketType.Publish) return []
      topics.push(packet.topicName)
      return [puback(packet.packetIdentifier)]
    })
    isMore = topics.length > from
  }
  expect(topics).toEqual(Array.from({ length: COUNT + 1 }, (_, count) => `t/${count}`))
  expect(client.outbox.messages).toBe(0)
})

brokered(
  'what was accepted arrives exactly once, in order, though client, broker and link fail in turn',
  async ({ broker, opens, settles, clock, breaksConnections }) => {
    const reader = await opens({ clientId: 'reader', sessionExpirySeconds: 3600 })
    const received: string[] = []
    reader.subscribe('t', { qos: 2 }, (message) => received.push(message.text()))
    await settles()
    let outbox = new HeldOutbox()
    let sent = 0
    for (let round = 0; round < 6; round++) {
      const goesOn = round % 2 === 0
      const writer = await opens({ clientId: 'writer', outbox, sessionExpirySeconds: 3600, reconnect: goesOn ? {} : false })
      for (let count = 0; count < 20; count++) void writer.publish('t', String(sent++), { qos: 2 })
      await settles()
      if (round % 3 === 0) {
        await broker.crashes()
        await broker.starts()
      }
      if (goesOn) {
        await clock.advancesSeconds(120)
        await Promise.all([writer.close({ drainMs: 0 }), settles()])
      } else {
        outbox = await outbox.dies()
        await breaksConnections()
      }
    }
    await opens({ clientId: 'writer', outbox, sessionExpirySeconds: 3600 })
    await clock.advancesSeconds(120)
    expect(received).toEqual(Array.from({ length: sent }, (_, index) => String(index)))
  }
)

brokered(
  "a message in a session that another process left is not taken for one of the other's",
  async ({ opens, settles, store, clock, breaksConnections }) => {
    const reader = await opens({ clientId: 'reader' })
    const received: string[] = []
    reader.subscribe('t', { qos: 2 }, (message) => received.push(message.text()))
    await settles()
    const session = { clientId: 'writer', cleanStart: false, sessionExpirySeconds: 3600 } as const
    const writer = await opens({ ...session, reconnect: false })
    // The broker has the message, and PUBREC is on its way, when the process dies.
    store.holdsCommits()
    void writer.publish('t', 'of another process', { qos: 2 })
    await settles()
    await breaksConnections()
    store.releasesCommits()
    // The reader comes back.
    await clock.advancesSeconds(20)
    const again = await opens(session)
    const delivery = again.publish('t', 'mine', { qos: 2 })
    await settles()
    expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
    expect(again.connection?.sessionPresent).toBe(true)
    expect(received).toContain('mine')
  }
)
