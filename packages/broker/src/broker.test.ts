import { type MessageProperties, PacketType } from '@godwit/protocol'
import { MemoryStore } from '@godwit/storage'
import { memoryTransportPair } from '@godwit/transport'
import { describe, expect, it } from 'vitest'
import { type Broker, type BrokerOptions, createBroker, type ReceivedMessage } from './broker.ts'
import { Client, World } from './world.test.support.ts'

/** A client on a connection in memory; what happens takes turns of the event loop, and no time. */
async function connected(broker: Broker, clientId: string, sessionExpiryInterval = 0): Promise<Client> {
  const [ours, theirs] = memoryTransportPair()
  const client = new Client({ settle }, ours)
  broker.attach(theirs)
  await client.connects({ clientId, sessionExpiryInterval })
  return client
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('an embedded broker', () => {
  it('given what its README shows, then application and clients exchange messages', async () => {
    const received: string[] = []
    const broker = await createBroker({
      authorize: ({ clientId }, request) => request.action === 'subscribe' || request.topicName.startsWith(`devices/${clientId}/`)
    })
    const stop = broker.subscribe('devices/+/state', ({ topicName, payload }) => {
      received.push(`${topicName}: ${Buffer.from(payload).toString()}`)
    })
    await broker.publish({ topicName: 'news', payload: 'welcome', qos: 1, retain: true })
    const lamp = await connected(broker, 'lamp')
    await lamp.subscribes('news')
    expect(await lamp.drains()).toEqual(['welcome'])
    lamp.publishes('devices/lamp/state', 'on', 0)
    lamp.publishes('devices/other/state', 'not allowed', 1)
    await settle()
    expect(received).toEqual(['devices/lamp/state: on'])
    expect(broker.fates.get('not-authorized')).toBe(1)
    stop()
    lamp.publishes('devices/lamp/state', 'off', 0)
    await settle()
    expect(received).toHaveLength(1)
    expect(broker.counts).toEqual({ clients: 1, sessions: 1, subscriptions: 1, retainedMessages: 1, published: 3 })
    expect([...broker.clients()]).toEqual([{ clientId: 'lamp', userName: undefined }])
    await broker.close()
  })

  it.each<[string, BrokerOptions]>([
    ['limits.clientsMax is 0', { limits: { clientsMax: 0 } }],
    ['limits.inflightMax is 65536', { limits: { inflightMax: 65_536 } }]
  ])('given an option out of its bounds, then it is refused: %s', async (reason, options) => {
    await expect(createBroker(options)).rejects.toThrow(reason)
  })

  it('given a topic that is none, then publish and subscribe refuse it', async () => {
    const broker = await createBroker()
    await expect(broker.publish({ topicName: 'a/+', payload: '' })).rejects.toThrow(RangeError)
    await expect(broker.publish({ topicName: '', payload: '' })).rejects.toThrow(RangeError)
    expect(() => broker.subscribe('a/b#', () => {})).toThrow(RangeError)
    expect(() => broker.subscribe('$share/g/a', () => {})).toThrow('Shared Subscription')
    await broker.close()
  })

  it.each<[string, MessageProperties]>([
    ['a Content Type with U+0000', { contentType: 'a\0' }],
    ['a negative Message Expiry Interval', { messageExpiryInterval: -1 }],
    ['a User Property that is not well-formed', { userProperties: [['k', '\uD800']] }]
  ])('given a message that cannot be sent, %s, then publish refuses it and no subscriber suffers', async (_, properties) => {
    const broker = await createBroker()
    const [online, offline] = [await connected(broker, 'online', 100), await connected(broker, 'offline', 100)]
    await online.subscribes('t')
    await offline.subscribes('t')
    offline.send({ type: PacketType.Disconnect, reasonCode: 0, properties: {} })
    await settle()
    await expect(broker.publish({ topicName: 't', payload: 'bad', qos: 1, properties })).rejects.toThrow(RangeError)
    await broker.publish({ topicName: 't', payload: 'good', qos: 1 })
    expect(await online.drains()).toEqual(['good'])
    expect(await (await connected(broker, 'offline', 100)).drains()).toEqual(['good'])
    await broker.close()
  })

  it('given a listener that publishes, then its message comes after the one it was called for', async () => {
    const broker = await createBroker()
    const order: string[] = []
    const publishing: Promise<void>[] = []
    const record = ({ topicName, payload }: ReceivedMessage) => order.push(`${topicName} ${Buffer.from(payload).toString()}`)
    broker.subscribe('request', () => void publishing.push(broker.publish({ topicName: 'response', payload: 'pong' })))
    broker.subscribe('#', record)
    await broker.publish({ topicName: 'request', payload: 'ping' })
    await Promise.all(publishing)
    expect(order).toEqual(['request ping', 'response pong'])
    await broker.close()
  })

  it('given a listener for events that throws, then subscribers still get their messages', async () => {
    const world = await World.open()
    world.engine.events.on('messageDropped', () => {
      throw new Error('mistake')
    })
    const offline = await world.connects({ clientId: 'offline', sessionExpiryInterval: 60 })
    await offline.subscribes('t', { qos: 0 })
    await offline.drops()
    const online = await world.connects({ clientId: 'online' })
    await online.subscribes('t', { qos: 0 })
    world.publish('t', { payload: 'x', qos: 0 })
    await world.settle()
    expect(world.engine.fates.count('subscriber-offline')).toBe(1)
    expect(online.takesPayloads()).toEqual(['x'])
  })

  it('given payload and properties, then a listener gets them as they were published', async () => {
    const broker = await createBroker()
    const received: ReceivedMessage[] = []
    broker.subscribe('#', (message) => received.push(message))
    const properties: MessageProperties = { contentType: 'text/plain', userProperties: [['k', 'v']] }
    await broker.publish({ topicName: 't', payload: Uint8Array.of(0, 127, 128, 255), qos: 2, properties })
    expect(received).toMatchObject([{ topicName: 't', qos: 2, retain: false, properties, publisherClientId: '' }])
    expect([...(received[0]?.payload ?? [])]).toEqual([0, 127, 128, 255])
    await broker.close()
  })

  it('given a client to disconnect, then it is told why; given an unknown one, then that is said', async () => {
    const broker = await createBroker()
    const client = await connected(broker, 'c')
    client.takes()
    expect([broker.disconnect('c', { reason: 'maintenance' }), broker.disconnect('unknown')]).toEqual([true, false])
    await settle()
    expect(client.takes()).toMatchObject([
      { type: PacketType.Disconnect, reasonCode: 0x98, properties: { reasonString: 'maintenance' } }
    ])
    expect(client.isClosed).toBe(true)
    await broker.close()
  })

  it('given close, then clients are told, wills are published, and nobody is let in any more', async () => {
    const broker = await createBroker()
    const published: string[] = []
    broker.subscribe('will', ({ payload }) => published.push(Buffer.from(payload).toString()))
    const [ours, theirs] = memoryTransportPair()
    const client = new Client({ settle }, ours)
    broker.attach(theirs)
    await client.connects({ clientId: 'c', will: { topicName: 'will', payload: 'gone' } })
    client.takes()
    await broker.close()
    await settle()
    expect(client.takes()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8b }])
    expect([client.isClosed, published, broker.counts.clients]).toEqual([true, ['gone'], 0])
    const [late, theirEnd] = memoryTransportPair()
    const refused = new Client({ settle }, late)
    broker.attach(theirEnd)
    await settle()
    expect(refused.isClosed).toBe(true)
  })
})

describe('a store that fails once it is open', () => {
  class FailingStore extends MemoryStore {
    isClosed = false

    override get retainedCount(): number {
      throw new Error('page 7 is damaged')
    }

    override close(): Promise<void> {
      this.isClosed = true
      return super.close()
    }
  }

  it('given what it holds cannot be restored, then there is no broker, and the store is closed', async () => {
    const store = new FailingStore()
    await expect(createBroker({ store })).rejects.toThrow('page 7 is damaged')
    expect(store.isClosed).toBe(true)
  })
})
