import { PacketType } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Client, World } from './world.test.support.ts'

// fast-check prints its seed when a property fails.

const DURABLE = { sessionExpiryInterval: 3600 }
const SHARED = '$share/g/jobs'

function numbered(from: number, through: number): string[] {
  return Array.from({ length: through - from + 1 }, (_, index) => `${from + index}`)
}

function publishNumbered(world: World, from: number, through: number): void {
  for (const payload of numbered(from, through)) world.publish('jobs', { payload })
}

describe('a shared subscription', () => {
  it('given members, then each message goes to one of them ([5.0 4.8.2])', async () => {
    const world = await World.open()
    const members = [
      await world.connects({ clientId: 'm1' }),
      await world.connects({ clientId: 'm2', ...DURABLE }),
      await world.connects({ clientId: 'm3' })
    ]
    for (const member of members) await member.subscribes(SHARED)
    publishNumbered(world, 1, 30)
    const received: string[][] = []
    for (const member of members) received.push(await member.drains())
    expect(received.map(({ length }) => length)).toEqual([10, 10, 10])
    expect(
      received
        .flat()
        .map(Number)
        .toSorted((a, b) => a - b)
    ).toEqual(numbered(1, 30).map(Number))
  })

  it('given a member that leaves with messages unacknowledged, then the others get those of QoS 1 ([5.0 MQTT-4.8.2-5])', async () => {
    const world = await World.open()
    const [leaving, staying] = [await world.connects({ clientId: 'm1' }), await world.connects({ clientId: 'm2' })]
    await leaving.subscribes(SHARED)
    publishNumbered(world, 1, 5)
    await world.settle()
    await staying.subscribes(SHARED)
    expect(leaving.takesPayloads()).toEqual(numbered(1, 5))
    await leaving.drops()
    expect(await staying.drains()).toEqual(numbered(1, 5))
    expect(world.engine.fates.count('session-ended')).toBe(0)
  })

  it('given members that all went away, then the first to come back gets what the others had not acknowledged', async () => {
    const world = await World.open()
    const [one, two] = [
      await world.connects({ clientId: 'm1', ...DURABLE }),
      await world.connects({ clientId: 'm2', ...DURABLE })
    ]
    await one.subscribes(SHARED)
    await two.subscribes(SHARED)
    publishNumbered(world, 1, 6)
    await world.settle()
    await one.drops()
    await two.drops()
    const back = await world.connects({ clientId: 'm1', ...DURABLE })
    expect((await back.drains()).toSorted()).toEqual(numbered(1, 6))
    const late = await world.connects({ clientId: 'm2', ...DURABLE })
    expect(await late.drains()).toEqual([])
  })

  it('given a QoS 2 message that a member has in flight, then it waits for that member ([5.0 MQTT-4.8.2-4])', async () => {
    const world = await World.open()
    const leaving = await world.connects({ clientId: 'm1', ...DURABLE })
    await leaving.subscribes(SHARED, { qos: 2 })
    world.publish('jobs', { payload: 'once', qos: 2 })
    await world.settle()
    const staying = await world.connects({ clientId: 'm2', ...DURABLE })
    await staying.subscribes(SHARED, { qos: 2 })
    await leaving.drops()
    expect(await staying.drains()).toEqual([])
    const back = await world.connects({ clientId: 'm1', ...DURABLE })
    expect(back.takesPublishes()).toMatchObject([{ qos: 2, dup: true }])
  })

  it('given that the last member unsubscribes, then what waited is counted, and nothing is left of the group', async () => {
    const world = await World.open()
    const member = await world.connects({ clientId: 'm1', receiveMaximum: 2, ...DURABLE })
    await member.subscribes(SHARED)
    publishNumbered(world, 1, 10)
    await world.settle()
    await member.unsubscribes(SHARED)
    expect(world.engine.fates.count('unsubscribed')).toBe(8)
    expect(world.engine.tree.find('jobs')).toBeUndefined()
    expect(world.engine.queues.size).toBe(0)
  })

  it('given an acknowledgement for a group that ended, then it does not move the new group of the same name', async () => {
    const world = await World.open()
    const member = await world.connects({ clientId: 'm1', receiveMaximum: 1, ...DURABLE })
    await member.subscribes(SHARED)
    publishNumbered(world, 1, 1)
    await world.settle()
    const [old] = member.takesPublishes()
    if (old === undefined) return expect.unreachable()
    await member.unsubscribes(SHARED)
    await member.subscribes(SHARED)
    publishNumbered(world, 2, 5)
    await world.settle()
    member.acknowledges(old)
    await world.settle()
    await world.restart()
    const back = await world.connects({ clientId: 'm1', ...DURABLE })
    expect(await back.drains()).toEqual(numbered(2, 5))
  })

  it('given a durable backlog and two restarts, then all of it is delivered, and the queue goes with the group', async () => {
    const world = await World.open()
    const before = await world.connects({ clientId: 'm1', ...DURABLE })
    await before.subscribes(SHARED)
    await before.drops()
    publishNumbered(world, 1, 10)
    await world.restart()
    await world.restart()
    const back = await world.connects({ clientId: 'm1', ...DURABLE })
    expect(await back.drains()).toEqual(numbered(1, 10))
    await back.unsubscribes(SHARED)
    expect(world.engine.queues.size).toBe(0)
    expect(world.engine.tree.find('jobs')).toBeUndefined()
  })

  it('given messages waiting in memory when a durable member comes, then other subscriptions do not get them again', async () => {
    const world = await World.open()
    const away = await world.connects({ clientId: 'plain', ...DURABLE })
    await away.subscribes('jobs')
    await away.drops()
    const slow = await world.connects({ clientId: 'm1', receiveMaximum: 1 })
    await slow.subscribes(SHARED)
    publishNumbered(world, 1, 5)
    await world.settle()
    const durable = await world.connects({ clientId: 'm2', ...DURABLE })
    await durable.subscribes(SHARED)
    publishNumbered(world, 6, 8)
    const back = await world.connects({ clientId: 'plain', ...DURABLE })
    expect(await back.drains()).toEqual(numbered(1, 8))
    const shared = [...slow.takesPayloads(), ...(await durable.drains())]
    expect(shared.map(Number).toSorted((a, b) => a - b)).toEqual(numbered(1, 8).map(Number))
  })

  it.each([
    ['answers at once', false],
    ['answers later', true]
  ])(
    'given any history of members and restarts, and a store that %s, then every message is delivered, and in the end none is kept',
    async (_, readsLate) => {
      const member = fc.nat(2)
      const steps = fc.array(
        fc.oneof(
          {
            weight: 6,
            arbitrary: fc.record({ kind: fc.constant('publish' as const), member, count: fc.integer({ min: 1, max: 5 }) })
          },
          { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('connect' as const, 'drop' as const), member }) },
          {
            weight: 5,
            arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), member, count: fc.integer({ min: 1, max: 4 }) })
          },
          { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), member }) }
        ),
        { maxLength: 30, size: 'max' }
      )
      await fc.assert(
        fc.asyncProperty(steps, async (history) => {
          const world = await World.open({ readsLate })
          const clients: (Client | undefined)[] = [undefined, undefined, undefined]
          const received = new Set<string>()
          let published = 0
          const connect = async (at: number) => {
            clients[at] ??= await world.connects({ clientId: `m${at}`, receiveMaximum: 3, ...DURABLE })
            await clients[at].subscribes(SHARED)
          }
          for (const at of [0, 1, 2]) await connect(at)
          const acknowledge = async (client: Client, count: number) => {
            for (const publish of client.takesPublishes().slice(0, count)) {
              received.add(Buffer.from(publish.payload).toString())
              client.acknowledges(publish)
            }
            await world.settle()
          }
          for (const step of history) {
            const client = clients[step.member]
            if (step.kind === 'publish') {
              publishNumbered(world, published + 1, published + step.count)
              published += step.count
              await world.settle()
            } else if (step.kind === 'connect') await connect(step.member)
            else if (step.kind === 'drop') {
              await client?.drops()
              clients[step.member] = undefined
            } else if (step.kind === 'acknowledge') {
              if (client !== undefined) await acknowledge(client, step.count)
            } else {
              await world.restart()
              clients.fill(undefined)
            }
          }
          for (const at of [0, 1, 2]) {
            await clients[at]?.drops()
            clients[at] = undefined
          }
          for (const at of [0, 1, 2]) await connect(at)
          for (let idle = 0; idle < 2; idle++) {
            for (const client of clients) {
              const payloads = (await client?.drains()) ?? []
              if (payloads.length > 0) idle = 0
              for (const payload of payloads) received.add(payload)
            }
          }
          expect([...received].map(Number).toSorted((a, b) => a - b)).toEqual(numbered(1, published).map(Number))
          world.clock.advance(2000)
          for (const queue of world.engine.queues.keys()) {
            expect(world.store.backlog({ queue, after: 0 }).messages).toBe(0)
          }
        }),
        { numRuns: 60 }
      )
    }
  )

  it('given a member whose Maximum Packet Size is too small for a message, then the message has a fate and the rest goes on', async () => {
    const world = await World.open()
    const member = await world.connects({ clientId: 'm1', maximumPacketSize: 60, ...DURABLE })
    await member.subscribes(SHARED)
    world.publish('jobs', { payload: 'x'.repeat(100) })
    publishNumbered(world, 1, 2)
    expect(await member.drains()).toEqual(['1', '2'])
    expect(world.engine.fates.count('too-large-for-client')).toBe(1)
    world.clock.advance(2000)
    for (const queue of world.engine.queues.keys()) expect(world.store.backlog({ queue, after: 0 }).messages).toBe(0)
    expect(member.takes().filter(({ type }) => type === PacketType.Disconnect)).toEqual([])
  })
})
