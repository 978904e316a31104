import { PacketType, PINGREQ, ReasonCode } from '@godwit/protocol'
import { describe, expect, test } from 'vitest'
import { connect, publish } from '../packets.ts'
import { matches } from './expectations.ts'
import { scenario } from './scenario.ts'

scenario('clients connect, talk and go; what they receive is expected in order', async ({ connects }) => {
  const client = await connects({ clientId: 'a' })
  expect([client.clientId, client.connack.sessionPresent]).toEqual(['a', false])
  await client.subscribes('t', { qos: 2 })
  await client.publishes('t', 'one', { qos: 1 })
  await client.publishes('t', 'two', { qos: 2 })
  await client.receives({ type: PacketType.Publish, topicName: 't', payload: 'one', qos: 1 })
  await client.receives({ type: PacketType.Publish, payload: new Uint8Array([0x74, 0x77, 0x6f]) })
  await client.receivesNothing()
  await client.unsubscribes('t')
  await client.disconnects()
  expect(client.inbox).toEqual([])
})

scenario('an expectation that is not met fails, and says what came instead', async ({ connects }) => {
  const client = await connects({ clientId: 'a' })
  await client.sends(PINGREQ, PINGREQ, PINGREQ)
  await expect(client.receivesNothing()).rejects.toThrow(/received what was not expected:\n {2}PINGRESP/)
  await expect(client.receives({ type: PacketType.Publish })).rejects.toThrow(
    /received another packet than expected:\n {2}PINGRESP/
  )
  await expect(client.receivesBytes('d0 01')).rejects.toThrow('what client a received')
  await expect(client.receivesInAnyOrder({ type: PacketType.Suback })).rejects.toThrow(
    'client a did not receive\n  SUBACK {}\nbut\n  PINGRESP'
  )
  await expect(client.receives({ type: PacketType.Pingresp })).rejects.toThrow('received nothing')
  await expect(client.isClosed()).rejects.toThrow('whether the network connection of client a is closed')
  await expect(client.isDisconnected({ reasonCode: ReasonCode.ServerBusy })).rejects.toThrow('received nothing')
  await expect(client.subscribes('a/#/b', { expects: [0] })).rejects.toThrow('the SUBACK to client a')
})

scenario('what is left unexpected at the end is found', async ({ connects }) => {
  const client = await connects({ clientId: 'a' })
  await client.sends(PINGREQ)
  expect(() => client.expectNothingLeft()).toThrow('received what was not expected')
  await client.receives({ type: PacketType.Pingresp })
  client.expectNothingLeft()
  await client.sends(connect({ clientId: 'a' }))
  await client.receives({ type: PacketType.Disconnect })
  expect(() => client.expectNothingLeft()).toThrow('was disconnected, unexpectedly')
  await client.isClosed()
})

scenario('a client whose CONNECT is refused', async ({ refuses, broker }) => {
  await broker.restarts({ authenticate: () => ({ accepted: false, reasonString: 'no' }) })
  const connack = await refuses({ clientId: 'a' }, ReasonCode.NotAuthorized)
  expect(connack?.properties.reasonString).toBe('no')
  await refuses({ version: 4, clientId: 'a' }, 5)
})

scenario('a broken connection, an orderly close and a reader that pauses', async ({ connects, broker }) => {
  const dropped = await connects({ sessionExpirySeconds: 10 })
  await dropped.dropsConnection()
  const closed = await connects()
  await closed.closesConnection()
  expect(broker.running.counts).toMatchObject({ clients: 0, sessions: 1 })
  const back = await dropped.reconnects()
  expect(back.connack.sessionPresent).toBe(true)
  back.pausesReading()
  await back.sends(PINGREQ)
  await back.receivesNothing()
  await back.resumesReading()
  await back.receives({ type: PacketType.Pingresp })
})

scenario('answers wait for commits that are held', async ({ connects, store, settles }) => {
  const client = await connects({ sessionExpirySeconds: 10 })
  await client.subscribes('t', { qos: 1 })
  client.acknowledges = false
  store.holdsCommits()
  await client.sends(publish('t', 'x', { qos: 1, packetIdentifier: 7 }))
  await client.receives({ type: PacketType.Publish, payload: 'x' })
  await client.receivesNothing()
  store.releasesCommits()
  await settles()
  await client.receives({ type: PacketType.Puback, packetIdentifier: 7 })
})

scenario(
  'a broker that stops says goodbye; one that crashes does not; both come back with their sessions',
  async ({ connects, broker }) => {
    const client = await connects({ clientId: 'a', sessionExpirySeconds: 10 })
    await broker.stops()
    await client.isDisconnected({ reasonCode: ReasonCode.ServerShuttingDown })
    expect(broker.isRunning).toBe(false)
    await broker.starts()
    const back = await client.reconnects()
    expect(back.connack.sessionPresent).toBe(true)
    await broker.crashes()
    await back.isClosed()
    await broker.starts()
    const again = await back.reconnects()
    expect(again.connack.sessionPresent).toBe(true)
  }
)

scenario(
  'a broker that crashes does nothing more: no will is published until it comes back',
  async ({ connects, broker, clock }) => {
    const watcher = await connects({ clientId: 'watcher', sessionExpirySeconds: 1000 })
    await watcher.subscribes('will', { qos: 1 })
    await connects({ keepAliveSeconds: 1, will: { topicName: 'will', qos: 1 } })
    await broker.crashes()
    await clock.advancesSeconds(100)
    await broker.starts()
    const back = await watcher.reconnects()
    await back.receives({ type: PacketType.Publish, topicName: 'will' })
  }
)

scenario('errors in the broker’s log are kept for the scenario to see', async ({ connects, broker }) => {
  await broker.restarts({
    authorize: () => {
      throw new Error('rules are gone')
    }
  })
  const client = await connects()
  await client.publishes('t')
  expect(broker.loggedErrors.splice(0)).toEqual([expect.stringContaining('rules are gone')])
})

describe('a packet matches', () => {
  const packet = publish('t', 'x', { qos: 1, packetIdentifier: 7, contentType: 'text' })

  test('where the fields that are named are the same', () => {
    expect(matches(packet, { type: PacketType.Publish })).toBe(true)
    expect(matches(packet, { type: PacketType.Publish, payload: 'x', packetIdentifier: 7 })).toBe(true)
    expect(matches(packet, { type: PacketType.Publish, payload: 'y' })).toBe(false)
    expect(matches(packet, { type: PacketType.Puback, packetIdentifier: 7 })).toBe(false)
  })

  test('where the properties are the same as a whole, but for a Reason String that is not named', () => {
    expect(matches(packet, { type: PacketType.Publish, properties: { contentType: 'text' } })).toBe(true)
    expect(matches(packet, { type: PacketType.Publish, properties: {} })).toBe(false)
    expect(matches(packet, { type: PacketType.Publish, properties: { contentType: 'text', topicAlias: 1 } })).toBe(false)
    const refusal = {
      type: PacketType.Disconnect,
      reasonCode: ReasonCode.ServerBusy,
      properties: { reasonString: 'busy' }
    } as const
    expect(matches(refusal, { type: PacketType.Disconnect, properties: {} })).toBe(true)
    expect(matches(refusal, { type: PacketType.Disconnect, properties: { reasonString: undefined } })).toBe(false)
    expect(matches(refusal, { type: PacketType.Disconnect, properties: { reasonString: 'idle' } })).toBe(false)
  })
})
