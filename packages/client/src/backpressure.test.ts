import { PacketType } from '@godwit/protocol'
import { outcome, puback, publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { brokered, events, served } from './client-scenario.test.support.ts'

for (const qos of [0, 1, 2] as const) {
  brokered(
    `a loop over QoS ${qos} messages awaits what it publishes itself, though its buffer is full`,
    async ({ opens, settles }) => {
      const reader = await opens({ clientId: 'reader' })
      const dropped = events(reader, 'dropped')
      const seen: string[] = []
      const loop = async (): Promise<void> => {
        for await (const message of reader.subscribe('in', { qos, bufferMaximum: 2 })) {
          await reader.publish('out', message.payload, { qos: 1 })
          seen.push(message.text())
        }
      }
      const looping = loop()
      await settles()
      const writer = await opens({ clientId: 'writer' })
      const sent = Array.from({ length: 20 }, (_, index) => String(index))
      for (const each of sent) writer.publish('in', each, { qos })
      await settles()
      if (qos > 0) expect(seen).toEqual(sent)
      // What has no room at QoS 0 is told, and nothing else is missing.
      const told = dropped.map(({ event: { message } }) => message.text())
      expect([...seen, ...told].toSorted((first, second) => Number(first) - Number(second))).toEqual(sent)
      const closing = reader.close({ drainMs: 0 })
      await settles()
      await Promise.all([closing, looping])
    }
  )
}

brokered('a loop awaits a reply, though its buffer is full', async ({ opens, settles }) => {
  const service = await opens({ clientId: 'service' })
  service.subscribe('svc', {}, (request) => request.reply('yes'))
  const reader = await opens({ clientId: 'reader' })
  const replies: string[] = []
  const loop = async (): Promise<void> => {
    for await (const message of reader.subscribe('in', { bufferMaximum: 1 })) {
      replies.push(`${message.text()}: ${(await reader.request('svc', message.payload)).text()}`)
    }
  }
  const looping = loop()
  await settles()
  for (const each of ['a', 'b', 'c']) service.publish('in', each, { qos: 1 })
  await settles()
  expect(replies).toEqual(['a: yes', 'b: yes', 'c: yes'])
  const closing = reader.close({ drainMs: 0 })
  await settles()
  await Promise.all([closing, looping])
})

served('while nothing is awaited a full buffer holds the server back, and nothing is dropped', async ({ connects, settles }) => {
  const [client, server] = await connects()
  const dropped = events(client, 'dropped')
  const subscription = client.subscribe('t', { qos: 0, bufferMaximum: 1 })
  await server.grants()
  for (const payload of ['1', '2', '3']) await server.sends(publish('t', payload))
  // Now an answer is awaited: to hear it, what lies before it is read, and has no room.
  const delivery = client.publish('out', 'x', { qos: 1 })
  expect(dropped).toEqual([])
  const published = await server.receives({ type: PacketType.Publish, topicName: 'out' })
  await server.sends(puback(published.packetIdentifier))
  expect(await outcome(delivery)).toMatchObject({ is: 'resolved' })
  expect(dropped.map(({ event: { message } }) => message.text())).toEqual(['2', '3'])
  // It has come: the server is held back again.
  await server.sends(publish('t', '4'))
  const iterator = subscription[Symbol.asyncIterator]()
  const next = async (): Promise<string | undefined> => (await iterator.next()).value?.text()
  const received = Promise.all([next(), next()])
  await settles()
  expect(await received).toEqual(['1', '4'])
  expect(dropped).toHaveLength(2)
})

brokered(
  'a client that is held back is closed without delay, with everything acknowledged',
  async ({ opens, settles, clock }) => {
    const client = await opens()
    client.subscribe('t', { bufferMaximum: 1 })
    await settles()
    const other = await opens({ clientId: 'other' })
    for (const payload of ['1', '2', '3']) other.publish('t', payload, { qos: 1 })
    await settles()
    client.publish('out', 'x', { qos: 1 })
    const startedAt = clock.now()
    const closing = client.close()
    await settles()
    expect(await closing).toEqual({ undelivered: 0 })
    expect(clock.now()).toBe(startedAt)
  }
)
