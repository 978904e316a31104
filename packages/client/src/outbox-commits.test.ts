import { PacketType } from '@godwit/protocol'
import { outcome, puback, pubcomp, publish, pubrec, pubrel } from '@godwit/testkit'
import { expect } from 'vitest'
import { events, served } from './client-scenario.test.support.ts'
import { HeldOutbox } from './held-outbox.test.support.ts'

served('a QoS 2 PUBLISH leaves when it is stored, and not before', async ({ connects, settles }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  outbox.holds()
  const delivery = client.publish('t', '', { qos: 2 })
  await server.receivesNothing()
  expect(await outcome(delivery.stored)).toEqual({ is: 'pending' })
  outbox.commits()
  await settles()
  await server.receives({ type: PacketType.Publish, topicName: 't' })
  expect(await outcome(delivery.stored)).toMatchObject({ is: 'resolved' })
  outbox.releases()
})

served('a QoS 1 PUBLISH does not wait for the disk, but keeps its place behind what does', async ({ connects }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  outbox.holds()
  const delivery = client.publish('one', '', { qos: 1 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName: 'one' })
  expect(await outcome(delivery.stored)).toEqual({ is: 'pending' })
  void client.publish('two', '', { qos: 2 })
  void client.publish('three', '', { qos: 1 })
  await server.receivesNothing()
  await server.sends(puback(packetIdentifier))
  // Acknowledged: there is nothing left to be stored.
  expect(await outcome(delivery.stored)).toMatchObject({ is: 'resolved' })
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
  outbox.releases()
  await server.receives({ type: PacketType.Publish, topicName: 'two' })
  await server.receives({ type: PacketType.Publish, topicName: 'three' })
})

served('what is acknowledged before its commit begins is never written', async ({ connects, settles }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  outbox.holds()
  void client.publish('first', '', { qos: 2 })
  await settles()
  expect(outbox.waiting).toBe(1)
  void client.publish('second', '', { qos: 2 })
  void client.publish('third', '', { qos: 1 })
  await settles()
  expect(outbox.waiting).toBe(1)
  outbox.commits()
  await settles()
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName: 'first' })
  await server.sends(pubrec(packetIdentifier))
  // One commit for two messages; the release gathers in the next.
  expect(outbox.waiting).toBe(1)
  outbox.commits()
  await server.receives({ type: PacketType.Publish, topicName: 'second' })
  const third = await server.receives({ type: PacketType.Publish, topicName: 'third' })
  await server.sends(puback(third.packetIdentifier))
  outbox.releases()
  await server.receives({ type: PacketType.Pubrel, packetIdentifier })
  expect(outbox.committed.map(({ put }) => put.map(({ topicName }) => topicName))).toEqual([
    [],
    ['first'],
    ['second', 'third'],
    [],
    []
  ])
})

served('PUBREL leaves when the release is stored, and not before', async ({ connects }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  void client.publish('t', '', { qos: 2 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
  outbox.holds()
  await server.sends(pubrec(packetIdentifier))
  await server.receivesNothing()
  // A server that asks again is not answered sooner.
  await server.sends(pubrec(packetIdentifier))
  await server.receivesNothing()
  outbox.commits()
  await server.receives({ type: PacketType.Pubrel, packetIdentifier })
  await server.sends(pubcomp(packetIdentifier))
  outbox.releases()
})

served('PUBREC leaves when the identifier is stored, PUBCOMP when it is forgotten, and not before', async ({ connects }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  const received: string[] = []
  client.subscribe('#', { qos: 2 }, (message) => received.push(message.text()))
  await server.grants()
  outbox.holds()
  await server.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7 }))
  expect(received).toEqual(['once'])
  await server.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7, dup: true }))
  await server.receivesNothing()
  outbox.commits()
  await server.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
  await server.sends(pubrel(7))
  await server.receivesNothing()
  outbox.commits()
  await server.receives({ type: PacketType.Pubcomp, packetIdentifier: 7 })
  expect(received).toEqual(['once'])
  outbox.releases()
})

served('a release that is stored after the link has gone is sent on the next', async ({ connects, isCalledAgain }) => {
  const outbox = new HeldOutbox()
  const [client, first] = await connects({ outbox })
  void client.publish('t', '', { qos: 2 })
  const { packetIdentifier } = await first.receives({ type: PacketType.Publish })
  outbox.holds()
  await first.sends(pubrec(packetIdentifier))
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ sessionPresent: true })
  await second.receivesNothing()
  outbox.commits()
  await second.receives({ type: PacketType.Pubrel, packetIdentifier })
  outbox.releases()
})

served(
  'a received identifier that is stored after the link has gone is answered when it comes again',
  async ({ connects, isCalledAgain }) => {
    const outbox = new HeldOutbox()
    const [client, first] = await connects({ outbox })
    const received: string[] = []
    client.subscribe('#', { qos: 2 }, (message) => received.push(message.text()))
    await first.grants()
    outbox.holds()
    await first.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7 }))
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.sends(publish('t', 'once', { qos: 2, packetIdentifier: 7, dup: true }))
    await second.receivesNothing()
    outbox.commits()
    await second.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
    await second.receivesNothing()
    expect(received).toEqual(['once'])
    outbox.releases()
  }
)

served('a commit that fails is tried again, and told', async ({ connects, clock, settles }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox })
  const told = events(client, 'outboxFailed', 'outboxRecovered')
  outbox.fails(new Error('no space left on device'))
  const delivery = client.publish('t', '', { qos: 2 })
  await settles()
  expect(told).toMatchObject([
    {
      name: 'outboxFailed',
      event: { error: { code: 'outbox-failed', message: 'The outbox cannot store: no space left on device' } }
    }
  ])
  await clock.advancesSeconds(3)
  expect(told.length).toBeGreaterThan(1)
  expect(await outcome(delivery.stored)).toEqual({ is: 'pending' })
  await server.receivesNothing()
  outbox.fails(undefined)
  await clock.advancesSeconds(1)
  expect(told.at(-1)?.name).toBe('outboxRecovered')
  expect(await outcome(delivery.stored)).toMatchObject({ is: 'resolved' })
  await server.receives({ type: PacketType.Publish, topicName: 't' })
})

served(
  'what is stored is kept, also when the client closes while its disk is slow',
  async ({ connects, opens, settles, isCalled }) => {
    const outbox = new HeldOutbox()
    const [client, server] = await connects({ outbox })
    outbox.holds()
    void client.publish('t', 'kept', { qos: 2 })
    const closing = client.close({ drainMs: 0 })
    await server.receives({ type: PacketType.Disconnect })
    await server.isClosed()
    expect(await outcome(closing)).toEqual({ is: 'pending' })
    outbox.releases()
    await settles()
    expect(await outcome(closing)).toEqual({ is: 'resolved', value: { undelivered: 1 } })
    await opens({ outbox })
    const again = await isCalled()
    await again.accepts({ sessionPresent: true })
    await again.receives({ type: PacketType.Publish, payload: 'kept' })
  }
)
