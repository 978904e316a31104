import { type QoS, RetainHandling, topicMatches } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { World } from './world.test.support.ts'

// fast-check prints its seed when a property fails.

const DURABLE = { sessionExpiryInterval: 3600 }

function retain(world: World, topicName: string, payload = topicName, qos: QoS = 1): void {
  world.publish(topicName, { payload, qos, retain: true })
}

describe('retained messages for a new subscription', () => {
  it.each([
    [0, undefined],
    [1, 1],
    [1, 7],
    [2, 64]
  ] as const)(
    'given more than one page, QoS %d and a Receive Maximum of %s, then each comes once, retained',
    async (qos, receiveMaximum) => {
      const world = await World.open()
      for (let device = 0; device < 200; device++) retain(world, `devices/${device}/state`)
      retain(world, 'other')
      const client = await world.connects({
        clientId: 'c',
        ...DURABLE,
        ...(receiveMaximum === undefined ? {} : { receiveMaximum })
      })
      await client.subscribes('devices/+/state', { qos })
      const received = await client.drains()
      expect(received.toSorted()).toEqual(Array.from({ length: 200 }, (_, device) => `devices/${device}/state`).toSorted())
      expect(world.session('c').retainedScans.isActive).toBe(false)
    }
  )

  it.each([
    ['answers at once', false],
    ['answers later', true]
  ])(
    'given changes between pages, and a store that %s, then what stays comes once, and no message twice',
    async (_, readsLate) => {
      const change = fc.record({ device: fc.nat(119), payload: fc.constantFrom('', 'changed'), acknowledged: fc.nat(4) })
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
          const world = await World.open({ readsLate })
          const names = Array.from({ length: 100 }, (_, device) => `d/${device}`)
          for (const name of names) retain(world, name, 'first')
          const client = await world.connects({ clientId: 'c', receiveMaximum: 3, ...DURABLE })
          await client.subscribes('d/#')
          const received: string[] = []
          const touched = new Set<string>()
          let inbox = client.takesPublishes()
          const handle = async (count: number): Promise<void> => {
            for (const publish of inbox.splice(0, count)) {
              received.push(`${publish.topicName} ${Buffer.from(publish.payload).toString()} ${publish.retain}`)
              client.acknowledges(publish)
            }
            await world.settle()
            inbox = [...inbox, ...client.takesPublishes()]
          }
          for (const { device, payload, acknowledged } of changes) {
            retain(world, `d/${device}`, payload)
            touched.add(`d/${device}`)
            await handle(acknowledged)
          }
          while (inbox.length > 0) await handle(5)
          for (const name of names) {
            const copies = received.filter((each) => each === `${name} first true`).length
            if (touched.has(name)) expect(copies).toBeLessThanOrEqual(1)
            else expect(copies).toBe(1)
          }
          // Each change came by the ordinary way, without RETAIN.
          const ordinary = received.filter((each) => each.endsWith(' false'))
          expect(ordinary).toEqual(changes.map(({ device, payload }) => `d/${device} ${payload} false`))
          expect(received.length - ordinary.length).toBe(received.filter((each) => each.endsWith(' first true')).length)
        }),
        { numRuns: 25 }
      )
    }
  )

  it('given any filters and topics, then those that match come', async () => {
    const level = fc.constantFrom('a', 'b', '$x', '')
    const topicName = fc
      .array(level, { minLength: 1, maxLength: 3 })
      .map((levels) => levels.join('/'))
      .filter((name) => name !== '')
    const topicFilter = fc.oneof(topicName, fc.constantFrom('#', '+', '+/+', 'a/#', '+/a', '$x/#', '/#', '+/#'))
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(topicName), topicFilter, async (names, filter) => {
        const world = await World.open()
        for (const name of names) retain(world, name)
        const client = await world.connects({ clientId: 'c' })
        await client.subscribes(filter)
        expect((await client.drains()).toSorted()).toEqual(names.filter((name) => topicMatches(filter, name)).toSorted())
      }),
      { numRuns: 60 }
    )
  })

  it('given expired ones, then they are removed instead of sent ([5.0 3.3.2.3.3])', async () => {
    const world = await World.open()
    for (const [topicName, messageExpiryInterval] of [
      ['a', 10],
      ['b', 1000]
    ] as const) {
      world.publish(topicName, { payload: topicName, retain: true, properties: { messageExpiryInterval } })
    }
    world.clock.advance(10_000)
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('#')
    const [only, ...others] = client.takesPublishes()
    expect([only?.topicName, only?.properties.messageExpiryInterval, others]).toEqual(['b', 990, []])
    expect([world.store.hasRetained('a'), world.store.retainedCount]).toEqual([false, 1])
  })

  it('given large ones at QoS 0, then they come as fast as the client takes them, and none is dropped', async () => {
    const world = await World.open({ limits: { writeBufferBytesMax: 128 * 1024 } })
    for (let index = 0; index < 40; index++) retain(world, `image/${index}`, 'x'.repeat(20_000), 0)
    for (const qos of [0, 1] as const) {
      const client = await world.connects({ clientId: `c${qos}` })
      await client.subscribes('image/#', { qos })
      expect(await client.drains()).toHaveLength(40)
    }
    expect(world.engine.fates.count('slow-subscriber')).toBe(0)
  })

  it('given a connection that breaks in the middle, then a durable session goes on where it was, also after a restart', async () => {
    const world = await World.open()
    for (let index = 0; index < 100; index++) retain(world, `t/${index}`)
    const received = new Set<string>()
    let client = await world.connects({ clientId: 'c', receiveMaximum: 5, ...DURABLE })
    await client.subscribes('t/#')
    for (let round = 0; round < 3; round++) {
      for (const publish of client.takesPublishes()) {
        received.add(publish.topicName)
        client.acknowledges(publish)
      }
      await world.settle()
      if (round === 1) await client.drops()
      else await world.restart()
      client = await world.connects({ clientId: 'c', receiveMaximum: 5, ...DURABLE })
    }
    for (const payload of await client.drains()) received.add(payload)
    expect(received.size).toBe(100)
  })

  it('given a connection that is replaced while a page is being read, then the scan goes on at once on the new one', async () => {
    const world = await World.open({ readsLate: true })
    for (let index = 0; index < 10; index++) retain(world, `t/${index}`)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 5, ...DURABLE })
    await client.subscribes('t/#')
    world.holdsAnswers = true
    for (const publish of client.takesPublishes()) client.acknowledges(publish)
    const next = await world.connects({ clientId: 'c', receiveMaximum: 5, ...DURABLE })
    world.holdsAnswers = false
    expect((await next.drains()).toSorted()).toEqual(Array.from({ length: 5 }, (_, index) => `t/${5 + index}`))
  })

  it('given a subscription that is replaced while a page is being read, then the new one stays on record, and the scan goes on', async () => {
    const world = await World.open({ readsLate: true })
    for (let index = 0; index < 10; index++) retain(world, `t/${index}`)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 5, ...DURABLE })
    await client.subscribes('t/#', { noLocal: true })
    world.holdsAnswers = true
    const first = client.takesPublishes()
    for (const publish of first) client.acknowledges(publish)
    await world.settle()
    await client.subscribes('t/#', { noLocal: false, retainHandling: RetainHandling.DoNotSend })
    world.holdsAnswers = false
    expect([...first.map(({ topicName }) => topicName), ...(await client.drains())].toSorted()).toEqual(
      Array.from({ length: 10 }, (_, index) => `t/${index}`)
    )
    await world.restart()
    expect(world.session('c').subscriptions.get('t/#')?.noLocal).toBe(false)
  })

  it('given a connection that breaks before the first page, then the retained messages come on the next', async () => {
    const world = await World.open()
    for (let index = 0; index < 10; index++) retain(world, `t/${index}`)
    const client = await world.connects({ clientId: 'c', ...DURABLE })
    client.send({
      type: 8,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: RetainHandling.SendAtSubscribe }
      ],
      properties: {}
    })
    // The SUBSCRIBE arrives; the process ends with its commit, before anything is sent.
    await world.turn()
    await world.restart()
    const back = await world.connects({ clientId: 'c', ...DURABLE })
    expect(await back.drains()).toHaveLength(10)
  })

  it.each([
    [RetainHandling.SendAtSubscribe, 3, 3],
    [RetainHandling.SendIfNew, 3, 0],
    [RetainHandling.DoNotSend, 0, 0]
  ])(
    'given Retain Handling %d, then the first SUBSCRIBE brings %d and the second %d ([5.0 MQTT-3.3.1-9] to [5.0 MQTT-3.3.1-11])',
    async (retainHandling, first, second) => {
      const world = await World.open()
      for (const name of ['a', 'b', 'c']) retain(world, name)
      const client = await world.connects({ clientId: 'c' })
      await client.subscribes('#', { retainHandling })
      expect(await client.drains()).toHaveLength(first)
      await client.subscribes('#', { retainHandling })
      expect(await client.drains()).toHaveLength(second)
    }
  )

  it('given a shared subscription, then no retained messages come ([5.0 4.8.2])', async () => {
    const world = await World.open()
    retain(world, 'a')
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('$share/g/#')
    expect(await client.drains()).toEqual([])
  })

  it('given its own retained message and No Local, then it does not come', async () => {
    const world = await World.open()
    world.publish('a', { payload: 'own', retain: true, publisherClientId: 'c' })
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('a', { noLocal: true })
    expect(await client.drains()).toEqual([])
  })
})
