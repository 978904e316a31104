import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { Broker } from './broker.ts'
import { World } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }

describe('a commit that fails', () => {
  it('given a PUBLISH that waits for it, then it is not acknowledged, its client is told, and others go on', async () => {
    const world = await World.open()
    const failures: string[] = []
    world.engine.events.on('storeFailed', ({ message }) => failures.push(message))
    const subscriber = await world.connects({ clientId: 's', ...DURABLE })
    await subscriber.subscribes('t')
    const [publisher, bystander] = [await world.connects({ clientId: 'p' }), await world.connects({ clientId: 'b' })]
    publisher.takes()
    world.store.isFull = true
    publisher.publishes('t', 'x')
    await world.settle()
    expect(failures).toContain('no space left')
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: ReasonCode.ImplementationSpecificError }])
    expect([publisher.isClosed, bystander.isClosed]).toEqual([true, false])
    world.store.isFull = false
    bystander.publishes('t', 'y')
    await world.settle()
    expect(bystander.takes().filter(({ type }) => type === PacketType.Puback)).toHaveLength(1)
  })

  it('given it has failed, then what the store would have to keep is refused and counted until it is well again', async () => {
    const world = await World.open()
    const told: string[] = []
    world.engine.events.on('storeFailing', ({ message }) => told.push(`failing: ${message}`))
    world.engine.events.on('storeRecovered', () => told.push('recovered'))
    const subscriber = await world.connects({ clientId: 's', ...DURABLE })
    await subscriber.subscribes('t')
    const witness = await world.connects({ clientId: 'w' })
    await witness.subscribes('live')
    const [first, publisher] = [await world.connects({ clientId: 'p1' }), await world.connects({ clientId: 'p2' })]
    const old = await world.connects({ clientId: 'p3', protocolVersion: ProtocolVersion.Mqtt311 })
    for (const client of [witness, publisher, old]) client.takes()
    world.store.isFull = true
    first.publishes('t', 'lost')
    await world.settle()
    publisher.publishes('t', 'at QoS 1', 1)
    publisher.publishes('t', 'at QoS 2', 2)
    publisher.publishes('live', 'needs no store', 1)
    old.publishes('t', 'of 3.1.1')
    await world.settle()
    const refused = ReasonCode.QuotaExceeded
    expect(publisher.takes()).toMatchObject([
      { type: PacketType.Puback, reasonCode: refused },
      { type: PacketType.Pubrec, reasonCode: refused },
      { type: PacketType.Puback, reasonCode: ReasonCode.Success }
    ])
    expect([witness.takes().length, old.isClosed, old.takes()]).toEqual([1, true, []])
    expect(world.engine.fates.count('store-failed')).toBe(3)
    const application = new Broker(world.engine).publish({ topicName: 't', payload: 'by the application', qos: 1 })
    await expect(application).rejects.toThrow('cannot keep messages')
    world.store.isFull = false
    publisher.publishes('t', 'x')
    await world.settle()
    expect(publisher.takes()).toMatchObject([{ type: PacketType.Puback, reasonCode: ReasonCode.Success }])
    expect(told).toEqual(['failing: no space left', 'recovered'])
  })

  it('given a durable CONNECT that waits for it, then it is refused', async () => {
    const world = await World.open()
    world.store.isFull = true
    const client = await world.connects({ clientId: 'c', ...DURABLE })
    expect(client.takes()).toMatchObject([{ type: PacketType.Connack, reasonCode: ReasonCode.ImplementationSpecificError }])
    expect(client.isClosed).toBe(true)
  })

  it('given a SUBSCRIBE and a QoS 2 PUBLISH that wait for it, then neither is answered', async () => {
    const world = await World.open()
    const [one, other] = [
      await world.connects({ clientId: 'c1', ...DURABLE }),
      await world.connects({ clientId: 'c2', ...DURABLE })
    ]
    one.takes()
    other.takes()
    world.store.isFull = true
    other.publishes('t', 'x', 2)
    await one.subscribes('t')
    for (const client of [one, other]) expect(client.takes()).toMatchObject([{ type: PacketType.Disconnect }])
  })
})

describe('a store that cannot be read', () => {
  it('given messages that wait, then their client is sent away, and gets them once they can be read', async () => {
    const world = await World.open()
    const unread: string[] = []
    world.engine.events.on('storeFailed', ({ message }) => unread.push(message))
    const absent = await world.connects({ clientId: 's', ...DURABLE })
    await absent.subscribes('t')
    await absent.drops()
    world.publish('t', { payload: 'kept', qos: 1 })
    await world.settle()
    world.store.isUnreadable = true
    const back = await world.connects({ clientId: 's', cleanStart: false, ...DURABLE })
    expect(back.takes()).toMatchObject([
      { type: PacketType.Connack, sessionPresent: true },
      { type: PacketType.Disconnect, reasonCode: ReasonCode.ImplementationSpecificError }
    ])
    expect([back.isClosed, unread]).toEqual([true, ['input/output error']])
    world.store.isUnreadable = false
    const again = await world.connects({ clientId: 's', cleanStart: false, ...DURABLE })
    expect(await again.drains()).toEqual(['kept'])
  })
})
