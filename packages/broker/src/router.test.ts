import { describe, expect, it } from 'vitest'
import { message } from './samples.test.support.ts'
import { Routed } from './router.ts'
import { World } from './world.test.support.ts'

describe('the router', () => {
  it('given no subscriber, then the message has a fate; given one in memory or a durable one, then it says what to wait for', async () => {
    const world = await World.open()
    const { router, fates } = world.engine
    expect(router.publish(message('t'))).toBe(Routed.Nowhere)
    expect(fates.count('no-subscriber')).toBe(1)
    await (await world.connects({ clientId: 'memory' })).subscribes('t')
    expect(router.publish(message('t'))).toBe(Routed.InMemory)
    await (await world.connects({ clientId: 'disk', sessionExpiryInterval: 10 })).subscribes('t')
    expect(router.publish(message('t'))).toBe(Routed.Stored)
    expect(router.publish(message('t', { qos: 0 }))).toBe(Routed.InMemory)
    expect(router.publish(message('u', { qos: 0, retain: true, payload: 'x' }))).toBe(Routed.Stored)
    expect([fates.count('no-subscriber'), router.published]).toEqual([1, 5])
  })

  it('given retainedMessagesMax, then a new topic is refused, while replacing and removing go on', async () => {
    const world = await World.open({ limits: { retainedMessagesMax: 2 } })
    const { router, store, fates } = world.engine
    const retain = (topicName: string, payload: string) => router.publish(message(topicName, { payload, retain: true, qos: 0 }))
    retain('a', '1')
    retain('b', '1')
    const refusal = router.refusalOf(message('c', { payload: '1', retain: true }))
    expect([refusal?.fate, refusal?.reason.includes('retainedMessagesMax is 2')]).toEqual(['quota-exceeded', true])
    expect(router.refusalOf(message('b', { payload: '2', retain: true }))).toBeUndefined()
    expect(router.refusalOf(message('c', { payload: '', retain: true }))).toBeUndefined()
    expect(router.refusalOf(message('c', { payload: '1' }))).toBeUndefined()
    expect(retain('c', '1')).toBe(Routed.Nowhere)
    expect([store.retainedCount, store.hasRetained('c'), fates.count('quota-exceeded')]).toEqual([2, false, 1])
    retain('b', '2')
    retain('a', '')
    retain('c', '1')
    expect([store.retainedCount, store.hasRetained('a'), store.hasRetained('c')]).toEqual([2, false, true])
  })

  it('given a limit of 0, then nothing is retained', async () => {
    const world = await World.open({ limits: { retainedMessagesMax: 0 } })
    world.publish('a', { payload: '1', retain: true })
    expect([world.store.retainedCount, world.engine.fates.count('quota-exceeded')]).toEqual([0, 1])
  })

  it('given listeners that throw, then every other receiver still gets the message, and the publisher is not disturbed', async () => {
    const world = await World.open({ limits: { recentDropsMax: 10 } })
    const received: string[] = []
    world.engine.subscriptions.addLocal('t', () => {
      throw new Error('the first listener is broken')
    })
    world.engine.subscriptions.addLocal('t', ({ topicName }) => received.push(topicName))
    const [publisher, subscriber] = [await world.connects({ clientId: 'p' }), await world.connects({ clientId: 's' })]
    await subscriber.subscribes('t')
    publisher.publishes('t', 'x')
    await world.settle()
    expect(received).toEqual(['t'])
    expect(subscriber.takesPayloads()).toEqual(['x'])
    expect(publisher.isClosed).toBe(false)
  })

  it('given a listener that disconnects a subscriber while the message is being delivered, then the subscriber gets it later', async () => {
    const world = await World.open()
    const tight = await world.connects({ clientId: 'tight', maximumPacketSize: 30 })
    await tight.subscribes('t')
    const durable = await world.connects({ clientId: 'durable', sessionExpiryInterval: 100 })
    await durable.subscribes('t')
    let drops = 0
    world.engine.events.on('messageDropped', () => {
      drops++
      world.engine.clients.get('durable')?.close({ reasonCode: 0x98, reason: 'a listener said so' })
    })
    world.publish('t', { payload: 'x'.repeat(50) })
    await world.settle()
    expect(drops).toBe(1)
    const back = await world.connects({ clientId: 'durable', sessionExpiryInterval: 100 })
    expect(await back.drains()).toEqual(['x'.repeat(50)])
  })

  it('given a listener that subscribes and ends itself while being called, then the others of that message are called once', async () => {
    const world = await World.open()
    const { subscriptions } = world.engine
    const calls: string[] = []
    const end = subscriptions.addLocal('t', () => {
      calls.push('first')
      end()
      subscriptions.addLocal('t', () => calls.push('added'))
    })
    subscriptions.addLocal('+', () => calls.push('second'))
    world.publish('t')
    expect(calls).toEqual(['first', 'second'])
    world.publish('t')
    expect(calls.slice(2).toSorted()).toEqual(['added', 'second'])
  })
})
