import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, pubrel, scenario, type SimBrokerOptions } from '@godwit/testkit'
import { expect } from 'vitest'

/** Nobody may publish to `secret`, nor subscribe to it. */
const guarded: SimBrokerOptions = {
  authorize: (_client, request) => (request.action === 'publish' ? request.topicName : request.topicFilter) !== 'secret'
}

scenario(
  '[3.1.1 MQTT-3.3.5-2] a PUBLISH that is not authorized is acknowledged as usual and goes nowhere',
  guarded,
  async ({ connects, broker }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('#', { qos: 2 })
    const client = await connects({ version: 4, acknowledges: false })
    await client.sends(publish('secret', 'zero', { retain: true }))
    await client.receivesNothing()
    await client.sends(publish('secret', 'one', { qos: 1, retain: true, packetIdentifier: 1 }))
    await client.receivesBytes('40 02 00 01')
    await client.sends(publish('secret', 'two', { qos: 2, packetIdentifier: 2 }))
    await client.receivesBytes('50 02 00 02')
    await client.sends(publish('secret', 'two', { qos: 2, packetIdentifier: 2, dup: true }))
    await client.receivesBytes('50 02 00 02')
    await client.sends(pubrel(2))
    await client.receivesBytes('70 02 00 02')
    await watcher.receivesNothing()
    await client.publishes('open', 'three')
    await watcher.receives({ type: PacketType.Publish, topicName: 'open', payload: 'three' })
    expect(broker.running.counts.retainedMessages).toBe(0)
    expect(broker.running.fates.get('not-authorized')).toBe(4)
    expect(broker.running.recentDrops.map(({ topicName }) => topicName)).toEqual(['secret', 'secret', 'secret', 'secret'])
  }
)

scenario(
  '[3.1.1 MQTT-3.3.5-2] or it closes the connection, where the operator wants that',
  { ...guarded, unauthorizedPublishMqtt3: 'close' },
  async ({ connects, broker }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('#', { qos: 2 })
    for (const qos of [0, 1, 2] as const) {
      const client = await connects({ version: 4 })
      await client.sends(publish('secret', 'unheard', { qos }), publish('open', 'behind', { qos }))
      await client.isClosed()
    }
    await watcher.receivesNothing()
    expect(broker.running.fates.get('not-authorized')).toBe(3)
  }
)

scenario('[3.1.1 MQTT-3.3.5-2] 5.0 clients are told, and stay connected, either way', guarded, async ({ broker, connects }) => {
  for (const unauthorizedPublishMqtt3 of ['acknowledge', 'close'] as const) {
    await broker.restarts({ ...guarded, unauthorizedPublishMqtt3 })
    const client = await connects({ version: 5 })
    await client.publishes('secret', '', { qos: 1, expects: ReasonCode.NotAuthorized })
    await client.publishes('secret', '', { qos: 2, expects: ReasonCode.NotAuthorized })
  }
})

scenario(
  '[3.1.1 MQTT-3.8.4-5] a subscription that is not authorized gets 0x80 and is not made',
  guarded,
  async ({ connects, broker }) => {
    const client = await connects({ version: 4, cleanStart: false })
    await client.subscribes(['secret', 'open'], { qos: 1, expects: [0x80, 1] })
    expect(broker.running.counts.subscriptions).toBe(1)
    await broker.running.publish({ topicName: 'secret', payload: 'unheard' })
    await client.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-3.8.4-5] a hook that answers later is waited for, and one that fails refuses',
  async ({ broker, connects }) => {
    await broker.restarts({
      authorize: (_client, request) => {
        if (request.action === 'publish') return true
        return request.topicFilter === 'broken' ? Promise.reject(new Error('no database')) : Promise.resolve(true)
      }
    })
    const client = await connects({ version: 4 })
    await client.subscribes(['a', 'broken', 'b'], { expects: [0, 0x80, 0] })
    expect(broker.loggedErrors.splice(0)).toHaveLength(1)
    await client.publishes('b', 'heard')
    await client.receives({ type: PacketType.Publish, topicName: 'b' })
  }
)

scenario(
  '[3.1.1 3.1.4] user name and password reach the authenticate hook as they were sent',
  async ({ broker, connects, refuses }) => {
    await broker.restarts({
      authenticate: ({ userName, password }) => {
        const isKnown =
          userName === 'user' && password !== undefined && Buffer.from(password).equals(Buffer.from([0, 0xff, 0x80]))
        return isKnown ? { accepted: true } : { accepted: false, reasonCode: ReasonCode.BadUserNameOrPassword }
      }
    })
    await connects({ version: 4, userName: 'user', password: Uint8Array.of(0, 0xff, 0x80) })
    await refuses({ version: 4, clientId: 'a', userName: 'user', password: 'wrong' }, 4)
    await refuses({ version: 4, clientId: 'a', userName: 'user' }, 4)
    await refuses({ version: 4, clientId: 'a' }, 4)
  }
)

scenario('[3.1.1 3.1.3.4] an empty user name and an empty password are values', async ({ broker, connects }) => {
  const seen: unknown[] = []
  await broker.restarts({
    authenticate: ({ userName, password }) => ({ accepted: seen.push([userName, password?.byteLength]) > 0 })
  })
  await connects({ version: 4, userName: '', password: '' })
  await connects({ version: 4, userName: '' })
  expect(seen).toEqual([
    ['', 0],
    ['', undefined]
  ])
})
