import { PacketType, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { OVERFLOW_ACTIONS, type OverflowAction } from './overflow-rules.ts'
import { message } from './samples.test.support.ts'
import { type Client, World } from './world.test.support.ts'

const ACTIONS = Object.keys(OVERFLOW_ACTIONS).filter((action): action is OverflowAction => action in OVERFLOW_ACTIONS)
const DURABLE = { sessionExpiryInterval: 3_600 }

/** `1` is in flight, `2` and `3` wait, of the three that may; then a SUBSCRIBE with QoS 0, and `4` to `8`. */
async function replaced(action: OverflowAction, restarts: boolean): Promise<{ world: World; client: Client }> {
  const world = await World.open({ overflow: [{ topicFilter: 'q/#', action, messagesMax: 3 }] })
  const client = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
  await client.subscribes('q/t')
  for (const payload of ['1', '2', '3']) world.publish('q/t', { payload })
  await client.subscribes('q/t', { qos: 0 })
  expect(client.takesPayloads()).toEqual(['1'])
  if (!restarts) {
    await publishes(world)
    expect(client.takesPayloads()).toEqual(['4', '5', '6', '7', '8'])
    return { world, client }
  }
  await world.restart()
  const back = await world.connects({ clientId: 'c', receiveMaximum: 1, ...DURABLE })
  expect(back.takesPayloads()).toEqual(['1'])
  await publishes(world)
  expect(back.takesPayloads()).toEqual(['4', '5', '6', '7', '8'])
  return { world, client: back }
}

/** By a client, which has to be told that each is accepted. */
async function publishes(world: World): Promise<void> {
  const publisher = await world.connects({ clientId: 'p' })
  publisher.takes()
  for (const payload of ['4', '5', '6', '7', '8']) publisher.publishes('q/t', payload)
  await world.settle()
  const accepted = { type: PacketType.Puback, reasonCode: ReasonCode.Success }
  expect(publisher.takes()).toMatchObject(Array.from({ length: 5 }, () => accepted))
}

function isRefused({ engine }: World): boolean {
  return engine.router.refusalOf(message('q/t')) !== undefined
}

function lost({ engine: { fates } }: World): number {
  return fates.count('queue-full') + fates.count('queue-full-refused') + fates.count('dead-lettered')
}

describe.each(ACTIONS)('a bounded backlog, under %s, of a subscription that one of QoS 0 replaces', (action) => {
  it.each([false, true])(
    'given more messages than may wait, and a restart: %s, then they are none of its own',
    async (restarts) => {
      const { world, client } = await replaced(action, restarts)
      client.acknowledges({ packetIdentifier: 1 })
      expect(await client.drains()).toEqual(['2', '3'])
      expect(lost(world)).toBe(0)
      expect(world.engine.queues.size).toBe(0)
    }
  )

  it.each([false, true])(
    'given a third with QoS 1, and a restart: %s, then the bound counts what waits for both, and nothing of what came between',
    async (restarts) => {
      const { world, client } = await replaced(action, restarts)
      await client.subscribes('q/t')
      world.publish('q/t', { payload: '9' })
      await world.settle()
      expect(lost(world)).toBe(0)
      expect(world.session('c').consumer?.placeOf('q/t')?.waiting().messages).toBe(3)
      if (restarts) {
        // What is in flight is written with what changes next: without that it would wait again.
        world.session('c').touch()
        await world.restart()
        const back = await world.connects({ clientId: 'c', ...DURABLE })
        expect(await back.drains()).toEqual(['1', '2', '3', '9'])
      } else {
        client.acknowledges({ packetIdentifier: 1 })
        expect(await client.drains()).toEqual(['2', '3', '9'])
      }
      expect(lost(world)).toBe(0)
    }
  )

  it('given a third with QoS 1, and so many more that the bound is passed, then it is passed by them', async () => {
    const { world, client } = await replaced(action, false)
    await client.subscribes('q/t')
    for (const payload of ['9', '10', '11']) if (!isRefused(world)) world.publish('q/t', { payload })
    await world.settle()
    client.acknowledges({ packetIdentifier: 1 })
    const isOldestDropped = action === 'drop-oldest' || action === 'dead-letter'
    expect(await client.drains()).toEqual(isOldestDropped ? ['9', '10', '11'] : ['2', '3', '9'])
    expect(lost(world)).toBe(action === 'refuse' ? 0 : 2)
  })

  it('given so many changes of mind that not all are remembered, then its record stays small, and no message of QoS 1 comes twice', async () => {
    const { world, client } = await replaced(action, false)
    for (let round = 0; round < 100; round++) {
      await client.subscribes('q/t')
      await client.subscribes('q/t', { qos: 0 })
      world.publish('q/t', { payload: 'between' })
    }
    await client.subscribes('q/t')
    expect(world.session('c').subscriptions.get('q/t')?.toRecord().skipped.length).toBeLessThan(40)
    client.takes()
    client.acknowledges({ packetIdentifier: 1 })
    const came = await client.drains()
    expect(came.filter((payload) => payload !== 'between').length).toBe(new Set(came).size - (came.includes('between') ? 1 : 0))
  })

  it('given another one with QoS 0 after that, then each message comes once', async () => {
    const { world, client } = await replaced(action, false)
    await client.subscribes('q/t')
    world.publish('q/t', { payload: '9' })
    await client.subscribes('q/t', { qos: 0 })
    await publishes(world)
    expect(client.takesPayloads()).toEqual(['4', '5', '6', '7', '8'])
    client.acknowledges({ packetIdentifier: 1 })
    expect(await client.drains()).toEqual(['2', '3', '9'])
    expect([lost(world), world.engine.queues.size]).toEqual([0, 0])
  })
})
