import { PacketType, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
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
    await one.subscribes('t')
    other.publishes('t', 'x', 2)
    await world.settle()
    for (const client of [one, other]) expect(client.takes()).toMatchObject([{ type: PacketType.Disconnect }])
  })
})
