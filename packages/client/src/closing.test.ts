import { getEventListeners } from 'node:events'
import { PacketType, ReasonCode } from '@godwit/protocol'
import { outcome, puback, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { events, served } from './client-scenario.test.support.ts'
import { HeldOutbox } from './held-outbox.test.support.ts'

served('closing waits for what was published, and tells what it leaves behind', async ({ connects, settles, clock }) => {
  const [client, server] = await connects()
  void client.publish('acknowledged', '', { qos: 1 })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish })
  const closing = client.close()
  expect(client.state).toBe('closing')
  await clock.advancesSeconds(4)
  await server.receivesNothing()
  await server.sends(puback(packetIdentifier))
  await server.receives({ type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection })
  await server.isClosed()
  await settles()
  expect(await outcome(closing)).toEqual({ is: 'resolved', value: { undelivered: 0 } })
  expect(clock.timers).toBe(0)
})

served('but not for ever', async ({ connects, clock }) => {
  const [client, server] = await connects()
  const delivery = client.publish('unanswered', '', { qos: 1 })
  await server.receives({ type: PacketType.Publish })
  const closing = client.close({ drainMs: 100 })
  await clock.advancesMs(100)
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
  expect(await outcome(closing)).toEqual({ is: 'resolved', value: { undelivered: 1 } })
  expect(await outcome(delivery)).toMatchObject({ is: 'rejected', error: { code: 'client-closed' } })
  expect(clock.timers).toBe(0)
})

served('what waits for room is published, too', async ({ connects, settles }) => {
  const [client, server] = await connects({ whenOutboxFull: 'wait', outboxLimits: { messages: 1 } })
  for (const topic of ['a', 'b']) void client.publish(topic, '', { qos: 1 })
  const closing = client.close()
  for (const topicName of ['a', 'b']) {
    const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName })
    await server.sends(puback(packetIdentifier))
  }
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
  await settles()
  expect(await outcome(closing)).toEqual({ is: 'resolved', value: { undelivered: 0 } })
})

served('a link that is half open does not keep a client from closing', async ({ connects, clock }) => {
  const [client, server] = await connects()
  server.goesSilent()
  void client.publish('t', new Uint8Array(100_000))
  const closing = client.close({ drainMs: 0 })
  await clock.advancesSeconds(10)
  expect(await outcome(closing)).toMatchObject({ is: 'resolved' })
  expect(client.state).toBe('closed')
  expect(clock.timers).toBe(0)
})

served('nor does it keep one from leaving a server that breaks the protocol', async ({ connects, clock, isCalledAgain }) => {
  const [client, first] = await connects()
  void client.publish('t', new Uint8Array(100_000))
  await first.receives({ type: PacketType.Publish })
  first.goesSilent()
  first.sendsLater({ type: PacketType.Pingreq })
  void client.publish('t', new Uint8Array(100_000))
  await clock.advancesSeconds(10)
  first.ignoresTheRest()
  await (await isCalledAgain()).accepts({ sessionPresent: true })
})

served('closing twice is closing once; an option that is none closes nothing', async ({ connects }) => {
  const [client, server] = await connects()
  expect(await outcome(client.close({ drainMs: -1 }))).toMatchObject({ is: 'rejected', error: { code: 'invalid-argument' } })
  expect(client.state).toBe('connected')
  const closings = [client.close({ drainMs: 0 }), client.close(), client[Symbol.asyncDispose]()]
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
  expect(await outcome(Promise.all(closings))).toMatchObject({ is: 'resolved' })
})

served('a closed client does nothing more, and says so', async ({ connects, settles }) => {
  const [client, server] = await connects()
  const told = events(client, 'discarded')
  void client.close({ drainMs: 0 })
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
  await settles()
  const closed = { is: 'rejected', error: { name: 'ClientError', code: 'client-closed' } }
  expect(await outcome(client.publish('t', ''))).toMatchObject(closed)
  expect(await outcome(client.request('t', ''))).toMatchObject(closed)
  expect(await outcome(client.drained())).toMatchObject(closed)
  expect(() => client.subscribe('t')).toThrow('The client is closed')
  expect(told).toEqual([])
})

served('loops end; what they have not seen is for the server to send again', async ({ connects }) => {
  const [client, server] = await connects()
  const loop = client.subscribe('t')[Symbol.asyncIterator]()
  const empty = client.subscribe('u')[Symbol.asyncIterator]().next()
  await server.grants()
  await server.grants()
  await server.sends(...[1, 2].map((packetIdentifier) => publish('t', '', { qos: 1, packetIdentifier })))
  await loop.next()
  void client.close({ drainMs: 0 })
  const done = { is: 'resolved', value: { done: true, value: undefined } }
  expect([await outcome(loop.next()), await outcome(empty)]).toEqual([done, done])
  await server.receives({ type: PacketType.Disconnect })
  await server.isClosed()
})

for (const when of ['connecting', 'waiting', 'connected'] as const) {
  served(
    `the signal of a client closes it, while it is ${when}, and no listener is left on any`,
    async ({ opens, isCalled, settles, clock }) => {
      const signals = { client: new AbortController(), other: new AbortController() }
      const client = await opens({ signal: signals.client.signal })
      const server = await isCalled()
      if (when === 'connected') await server.accepts()
      if (when === 'waiting') await server.refuses(ReasonCode.ServerBusy)
      server.ignoresTheRest()
      expect(client.state).toBe(when)
      const { signal } = signals.other
      client.on('state', () => undefined, { signal })
      void client.publish('t', '', { qos: 1, signal })
      client.subscribe('t', { signal })
      const drained = client.drained(signal)
      drained.catch(() => undefined)
      const requested = client.request('service', '', { signal })
      requested.catch(() => undefined)
      await settles()
      signals.client.abort()
      await settles()
      await clock.advancesSeconds(10)
      expect(client.state).toBe('closed')
      expect(await outcome(drained)).toMatchObject({ is: 'rejected', error: { code: 'client-closed' } })
      expect(await outcome(requested)).toMatchObject({ is: 'rejected', error: { code: 'client-closed' } })
      expect(getEventListeners(signal, 'abort')).toEqual([])
      expect(getEventListeners(signals.client.signal, 'abort')).toEqual([])
      expect(clock.timers).toBe(0)
    }
  )
}

served('a signal that is aborted already opens nothing, also while the outbox opens', async ({ cannotOpen, isNotCalled }) => {
  const aborted = { code: 'aborted' }
  expect(await cannotOpen({ signal: AbortSignal.abort() })).toMatchObject(aborted)
  const aborting = new AbortController()
  const outbox = new HeldOutbox()
  const open = outbox.open.bind(outbox)
  outbox.open = async () => {
    aborting.abort()
    return await open()
  }
  expect(await cannotOpen({ signal: aborting.signal, outbox })).toMatchObject(aborted)
  await isNotCalled()
})

served('`drained` resolves when what was accepted is finished, and can be given up', async ({ connects }) => {
  const [client, server] = await connects()
  expect(await outcome(client.drained())).toMatchObject({ is: 'resolved' })
  void client.publish('a', '', { qos: 1 })
  const drained = client.drained()
  void client.publish('b', '', { qos: 1 })
  const aborting = new AbortController()
  const givenUp = client.drained(aborting.signal)
  aborting.abort()
  expect(await outcome(givenUp)).toMatchObject({ is: 'rejected', error: { code: 'aborted' } })
  const { packetIdentifier } = await server.receives({ type: PacketType.Publish, topicName: 'a' })
  await server.receives({ type: PacketType.Publish, topicName: 'b' })
  expect(await outcome(drained)).toEqual({ is: 'pending' })
  await server.sends(puback(packetIdentifier))
  expect(await outcome(drained)).toMatchObject({ is: 'resolved' })
})

served('an outbox that does not close is told, and the client is closed all the same', async ({ connects, settles }) => {
  const outbox = new HeldOutbox()
  const [client, server] = await connects({ outbox, reconnect: false })
  const told = events(client, 'outboxFailed', 'closed')
  outbox.close = () => Promise.reject(new Error('the disk is gone'))
  await server.breaks()
  await settles()
  expect(told).toMatchObject([{ name: 'outboxFailed' }, { name: 'closed', event: { error: { code: 'connection-lost' } } }])
  expect(client.state).toBe('closed')
})
