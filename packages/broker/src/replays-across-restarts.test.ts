import { type Packet, PacketType, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import {
  answers,
  DURABLE,
  names,
  payloadOf,
  payloads,
  publishes,
  SENSORS,
  sequenceOf,
  suback,
  takesAll,
  withHistory
} from './history.test.support.ts'
import { seededRandom } from './samples.test.support.ts'
import { World } from './world.test.support.ts'

describe('replay across connections and restarts', () => {
  it.each([1, 2] as const)(
    'given QoS %d, restarts and lost connections, then at QoS 1 nothing is missing, and at QoS 2 nothing comes twice',
    async (qos) => {
      for (let seed = 1; seed <= 15; seed++) {
        const random = seededRandom(seed)
        const world = await World.open({ history: [SENSORS] })
        const publish = (index: number) => world.publish('sensors/x', { payload: `m${index}`, qos })
        let published = 0
        while (published < 60) publish(published++)
        const connects = () => world.connects({ clientId: 'c', receiveMaximum: 4, ...DURABLE })
        let client = await connects()
        await client.subscribes('sensors/#', { qos, replay: 'all' })
        const received: string[] = []
        /** QoS 2: what the client has by its packet identifier, until PUBREL. */
        const unreleased = new Map<number, string>()
        let inbox: Packet[] = []
        const handle = (limit: number) => {
          inbox.push(...client.takes())
          for (const packet of inbox.splice(0, limit)) {
            answers(client, packet)
            if (packet.type === PacketType.Pubrel) unreleased.delete(packet.packetIdentifier)
            if (packet.type !== PacketType.Publish) continue
            if (qos === 1 || !unreleased.has(packet.packetIdentifier)) received.push(payloadOf(packet))
            if (qos === 2) unreleased.set(packet.packetIdentifier, payloadOf(packet))
          }
        }
        for (let step = 0; step < 40; step++) {
          if (random() < 0.4) publish(published++)
          handle(Math.floor(random() * 4))
          const chance = random()
          if (chance < 0.15) {
            // Whatever has not been committed is, or is not: nobody has been told.
            if (random() < 0.5) world.commit()
            await world.restart()
            client = await connects()
            inbox = []
          } else if (chance < 0.25) {
            await client.drops()
            publish(published++)
            client = await connects()
            inbox = []
          } else await world.settle()
        }
        // What it had not looked at is lost to the client: it comes again.
        await client.drops()
        client = await connects()
        inbox = []
        for (let idle = 0; idle < 2;) {
          await world.settle()
          const before = received.length
          handle(Infinity)
          await world.settle()
          idle = received.length === before ? idle + 1 : 0
        }
        const expected = names(0, published)
        if (qos === 2) expect(received, `seed ${seed}`).toEqual(expected)
        else {
          expect([...new Set(received)], `seed ${seed}`).toEqual(expected)
        }
        expect(world.session('c').replays.isActive).toBe(false)
      }
    }
  )

  it('given a clean session, then its replay ends with its connection', async () => {
    const world = await withHistory(100)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2 })
    await client.subscribes('sensors/0', { replay: 'all' })
    await client.drops()
    const again = await world.connects({ clientId: 'c' })
    expect(await payloads(world, again)).toEqual([])
  })

  it('given QoS 0 and a restart, then it goes on live, and nothing is sent twice', async () => {
    const world = await withHistory(10)
    const client = await world.connects({ clientId: 'c', ...DURABLE })
    await client.subscribes('sensors/#', { qos: 0, replay: 'all' })
    expect(await payloads(world, client)).toEqual(names(0, 10))
    await world.restart()
    const again = await world.connects({ clientId: 'c', ...DURABLE })
    publishes(world, 10, 12)
    const received = await takesAll(world, again)
    expect(received.map(payloadOf)).toEqual(names(10, 12))
    expect(received.every((publish) => sequenceOf(publish) > 0)).toBe(true)
  })

  it('given a rule that is gone after a restart, then its queue is dropped, but not before replays have finished', async () => {
    const history = [SENSORS]
    const world = await withHistory(10, { history })
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    await client.subscribes('sensors/#', { replay: 'all' })
    const received = client.takesPublishes()
    history.length = 0
    await world.restart()
    publishes(world, 10, 12)
    const again = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    const sentAgain = again.takesPublishes()
    await again.subscribes('sensors/0', { replay: 'all' })
    expect(suback(again).reasonCodes).toEqual([ReasonCode.ImplementationSpecificError])
    for (const publish of sentAgain) answers(again, publish)
    received.push(...sentAgain, ...(await takesAll(world, again)))
    expect([...new Set(received.map(payloadOf))]).toEqual(names(0, 12))
    publishes(world, 12, 15)
    expect(await payloads(world, again)).toEqual(names(12, 15))
    world.clock.advance(2_000)
    expect(world.store.storedBytes).toBe(0)
    await again.subscribes('sensors/#', { replay: 'all' })
    expect(suback(again).reasonCodes).toEqual([ReasonCode.ImplementationSpecificError])
  })

  it.each([false, true])(
    'given a subscription for which messages wait, and a restart: %s, then one with a replay replaces it and loses none of them',
    async (restarts) => {
      const world = await withHistory(0)
      const first = await world.connects({ clientId: 'c', ...DURABLE })
      await first.subscribes('sensors/0', { subscriptionIdentifier: 1 })
      await first.drops()
      publishes(world, 0, 30)
      let client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
      await client.subscribes('sensors/0', { replay: 'last=3', subscriptionIdentifier: 2 })
      if (restarts) {
        await world.restart()
        client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
      }
      publishes(world, 30, 33)
      const received = await takesAll(world, client)
      const by = (identifier: number) =>
        received.filter(({ properties }) => properties.subscriptionIdentifiers?.includes(identifier)).map(payloadOf)
      expect(by(1)).toEqual(['m0', 'm3', 'm6', 'm9', 'm12', 'm15', 'm18', 'm21', 'm24', 'm27'])
      expect(by(2)).toEqual(['m21', 'm24', 'm27', 'm30'])
      expect(world.engine.fates.count('unsubscribed')).toBe(0)
      publishes(world, 33, 34)
      expect(await payloads(world, client)).toEqual(['m33'])
      await client.unsubscribes('sensors/0')
      expect(world.engine.queues.size).toBe(0)
    }
  )

  it('given such a replacement whose waiting messages have been sent, and UNSUBSCRIBE, then no queue is left behind', async () => {
    const world = await withHistory(50)
    const first = await world.connects({ clientId: 'c', ...DURABLE })
    await first.subscribes('sensors/0')
    await first.drops()
    publishes(world, 50, 60)
    const client = await world.connects({ clientId: 'c', receiveMaximum: 2, ...DURABLE })
    await client.subscribes('sensors/0', { replay: 'all' })
    for (let received = 0; received < 6; received++) {
      for (const publish of client.takesPublishes()) client.acknowledges(publish)
      await world.settle()
    }
    expect(world.session('c').replays.isActive).toBe(true)
    expect(world.session('c').consumer?.caughtUp).toBe(true)
    await client.unsubscribes('sensors/0')
    expect(world.engine.queues.size).toBe(0)
  })

  it('given a rule that is gone and nobody to finish, then its queue is dropped at the next start', async () => {
    const history = [SENSORS]
    const world = await withHistory(10, { history })
    expect(world.store.storedBytes).toBeGreaterThan(0)
    history.length = 0
    await world.restart()
    expect(world.store.storedBytes).toBe(0)
  })
})
