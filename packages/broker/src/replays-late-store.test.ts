import { PacketType, type QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import {
  answers,
  byTopic,
  DURABLE,
  names,
  payloadOf,
  payloads,
  publishes,
  publishOne,
  withHistory
} from './history.test.support.ts'
import { seededRandom } from './samples.test.support.ts'

describe('replay from a store that answers later', () => {
  it('given a session that is behind with other messages, then it does not read again what its replay has sent', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed)
      const world = await withHistory(0, { readsLate: true, limits: { inflightMax: 5000 } })
      // Another one without a connection keeps the queue of the same filter.
      const other = await world.connects({ clientId: 'other', ...DURABLE })
      await other.subscribes('sensors/0')
      await other.drops()
      const first = await world.connects({ clientId: 'c', ...DURABLE })
      await first.subscribes('work')
      await first.drops()
      for (let index = 0; index < 4000; index++) world.publish('work', { payload: 'work' })
      publishes(world, 0, 30)
      world.holdsAnswers = true
      const client = await world.connects({ clientId: 'c', ...DURABLE })
      const subscribed = client.subscribes('sensors/0', { replay: 'all' })
      world.holdsAnswers = false
      let next = 30
      const isLive = () => world.session('c').subscriptions.get('sensors/0')?.isReplaying === false
      while (!isLive()) {
        if (random() < 0.5) publishOne(world, next++)
        world.commit()
        await world.turn()
      }
      expect(world.session('c').consumer?.caughtUp).toBe(false)
      await subscribed
      const received = await payloads(world, client)
      const expected = names(0, next).filter((_, index) => index % 3 === 0)
      expect(
        received.filter((payload) => payload !== 'work'),
        `seed ${seed}`
      ).toEqual(expected)
      expect(received.length).toBe(expected.length + 4000)
    }
  })
})

describe.each([
  ['at once', false],
  ['later', true]
])('replay from a store that answers %s, while others publish', (_, readsLate) => {
  it.each([0, 1, 2] as const)('given QoS %d, then the list is exact', async (qos: QoS) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed)
      const world = await withHistory(300, { readsLate })
      const client = await world.connects({ clientId: 'c', receiveMaximum: 1 + Math.floor(random() * 20), ...DURABLE })
      let next = 300
      const subscribed = client.subscribes('sensors/#', { qos, replay: 'all' })
      const received: string[] = []
      for (let step = 0; step < 60; step++) {
        if (random() < 0.5) publishOne(world, next++)
        if (random() < 0.3) world.commit()
        await world.turn()
        for (const packet of client.takes()) {
          answers(client, packet)
          if (packet.type === PacketType.Publish) received.push(payloadOf(packet))
        }
      }
      await subscribed
      received.push(...(await payloads(world, client)))
      publishes(world, next, (next += 5))
      received.push(...(await payloads(world, client)))
      expect(byTopic(received), `seed ${seed}`).toEqual(byTopic(names(0, next)))
    }
  })
})
