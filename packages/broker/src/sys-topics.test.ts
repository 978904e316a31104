import { NO_PROPERTIES, type Packet, PacketType, ProtocolVersion, type PublishPacket, RetainHandling } from '@godwit/protocol'
import { describe, expect, it, vi } from 'vitest'
import { Broker } from './broker.ts'
import { FATE_NAMES } from './fate-catalogue.ts'
import { packageVersion } from './version.ts'
import { type Client, World, type WorldOptions } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }
const FATES = '$SYS/broker/fates'

/** The payloads of PUBLISH packets by their topic names; the latest of each. */
function valuesOf(packets: readonly Packet[]): Record<string, string> {
  const publishes = packets.filter((packet) => packet.type === PacketType.Publish)
  return Object.fromEntries(publishes.map(({ topicName, payload }) => [topicName, Buffer.from(payload).toString()]))
}

/** What has come since the last time it was asked. */
function values(client: Client): Record<string, string> {
  return valuesOf(client.takes())
}

function drop(world: World, clientId: string, count = 1): void {
  world.engine.fates.recordMany('expired', count, 't', clientId)
}

/** And a little more: timers are coarse. */
async function passes(world: World, seconds: number): Promise<void> {
  world.clock.advance(seconds * 1000 + 100)
  await world.settle()
}

async function watching(topicFilter: string, options: WorldOptions = {}): Promise<{ world: World; watcher: Client }> {
  const world = await World.open(options)
  const watcher = await world.connects({ clientId: 'watcher' })
  await watcher.subscribes(topicFilter)
  return { world, watcher }
}

describe('topics of the broker’s own', () => {
  it('given a new subscription, then it gets what there is as retained messages of QoS 0, and then what changes', async () => {
    const world = await World.open()
    drop(world, 'c1')
    const watcher = await world.connects({ clientId: 'watcher' })
    await watcher.subscribes('$SYS/broker/#', { qos: 2 })
    const [suback, ...publishes] = watcher.takes().slice(1)
    expect(suback?.type).toBe(PacketType.Suback)
    expect(publishes.every((packet) => packet.type === PacketType.Publish && packet.qos === 0 && packet.retain)).toBe(true)
    const first = valuesOf(publishes)
    expect(first).toMatchObject({
      '$SYS/broker/version': `godwit version ${packageVersion()}`,
      '$SYS/broker/uptime': '0 seconds',
      '$SYS/broker/clients/connected': '1',
      '$SYS/broker/clients/disconnected': '0',
      '$SYS/broker/clients/total': '1',
      '$SYS/broker/subscriptions/count': '1',
      '$SYS/broker/retained messages/count': '0',
      '$SYS/broker/messages/received': '2',
      '$SYS/broker/messages/sent': '1',
      [`${FATES}/expired`]: '1',
      [`${FATES}/no-subscriber`]: '0',
      [`${FATES}/total`]: '1'
    })
    for (const fate of FATE_NAMES) expect(first).toHaveProperty([`${FATES}/${fate}`])
    const second = await world.connects({ clientId: 'second' })
    second.publishes('nobody/listens', 'x', 1, true)
    await world.settle()
    await passes(world, 10)
    const later = watcher.takesPublishes()
    expect(later.some(({ retain }) => retain)).toBe(false)
    const { '$SYS/broker/messages/sent': sent, ...others } = valuesOf(later)
    // CONNACK twice, SUBACK, PUBACK, and all of the above.
    expect(sent).toBe(String(4 + publishes.length))
    expect(others).toEqual({
      '$SYS/broker/uptime': '10 seconds',
      '$SYS/broker/clients/connected': '2',
      '$SYS/broker/clients/total': '2',
      '$SYS/broker/retained messages/count': '1',
      '$SYS/broker/messages/received': '4'
    })
  })

  it('given the interval, then nothing comes before it, and nothing that has not changed', async () => {
    const { world, watcher } = await watching(`${FATES}/+`, { options: { sysIntervalSeconds: 60 } })
    values(watcher)
    drop(world, 'c1', 2)
    await passes(world, 59)
    expect(values(watcher)).toEqual({})
    await passes(world, 2)
    expect(values(watcher)).toMatchObject({ [`${FATES}/expired`]: '2', [`${FATES}/total`]: '2' })
    await passes(world, 600)
    expect(values(watcher)).toEqual({})
  })

  it('given the latest drops, then they come as JSON, the latest first, at most once in an interval', async () => {
    const { world, watcher } = await watching(`${FATES}/recent`)
    expect(values(watcher)).toEqual({ [`${FATES}/recent`]: '[]' })
    const publisher = await world.connects({ clientId: 'p' })
    for (let count = 0; count < 100; count++) publisher.publishes(`t/${count}`, 'abc', 0)
    await world.settle()
    const publishedAtMs = world.clock.now()
    await passes(world, 10)
    const received = watcher.takesPublishes()
    expect(received).toHaveLength(1)
    const drops: unknown = JSON.parse(Buffer.from(received[0]?.payload ?? []).toString())
    expect(drops).toHaveLength(20)
    expect(Array.isArray(drops) ? drops.slice(0, 2) : drops).toMatchObject([
      {
        fate: 'no-subscriber',
        topicName: 't/99',
        clientId: 'p',
        payloadBytes: 3,
        count: 1,
        time: new Date(publishedAtMs).toISOString()
      },
      { topicName: 't/98' }
    ])
  })

  it('given filters with wildcards at the beginning, then they do not match ([5.0 MQTT-4.7.2-1])', async () => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'watcher' })
    for (const topicFilter of ['#', '+/#', '+/broker/#', '+/broker/uptime']) await watcher.subscribes(topicFilter)
    await passes(world, 30)
    expect(values(watcher)).toEqual({})
  })

  it.each([
    [RetainHandling.SendAtSubscribe, 1, 1],
    [RetainHandling.SendIfNew, 1, 0],
    [RetainHandling.DoNotSend, 0, 0]
  ])('given Retain Handling %i, then what there is comes %i and %i times', async (retainHandling, first, second) => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'watcher' })
    for (const expected of [first, second]) {
      await watcher.subscribes('$SYS/broker/uptime', { retainHandling, retainAsPublished: true, subscriptionIdentifier: 7 })
      expect(watcher.takesPublishes()).toHaveLength(expected)
    }
    await passes(world, 10)
    expect(watcher.takesPublishes()).toMatchObject([{ retain: true, properties: { subscriptionIdentifiers: [7] } }])
  })

  it('given an interval of 0, then there are none, and they still belong to the broker', async () => {
    const { world, watcher } = await watching('$SYS/#', { options: { sysIntervalSeconds: 0 } })
    watcher.publishes('$SYS/x', '', 1)
    await passes(world, 3600)
    expect([values(watcher), world.engine.fates.count('not-authorized')]).toEqual([{}, 1])
  })

  it('given that the last subscriber goes, then nothing wakes the broker any more', async () => {
    const { world, watcher } = await watching('$SYS/#')
    const refresh = vi.spyOn(world.engine.fates.clients, 'nextPeriod')
    await passes(world, 10)
    expect(refresh).toHaveBeenCalledTimes(1)
    await watcher.unsubscribes('$SYS/#')
    await passes(world, 600)
    expect([refresh.mock.calls.length, world.clock.waiting]).toEqual([2, 0])
  })

  it('given everything that is sent, then the store is not asked for anything, and nothing is published, matched or dropped', async () => {
    const world = await World.open()
    const [append, putRetained] = [vi.spyOn(world.store, 'append'), vi.spyOn(world.store, 'putRetained')]
    const publish = vi.spyOn(world.engine.router, 'publish')
    const away = await world.connects({ clientId: 'away', ...DURABLE })
    await away.subscribes('$SYS/#', { qos: 1 })
    await away.drops()
    const small = await world.connects({ clientId: 'small', maximumPacketSize: 60 })
    await small.subscribes('$SYS/#')
    const watcher = await world.connects({ clientId: 'watcher', ...DURABLE })
    await watcher.subscribes('$SYS/#', { qos: 1 })
    for (let count = 0; count < 5; count++) {
      drop(world, 'c1')
      await passes(world, 10)
    }
    expect(Object.keys(values(watcher))).toContain('$SYS/broker/uptime')
    expect([append, putRetained, publish].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0])
    expect(world.engine.fates.total).toBe(5)
  })

  it('given a subscriber that does not read, then no value waits twice, and it gets the latest when it reads', async () => {
    const { world, watcher } = await watching('$SYS/#', { limits: { writeBufferBytesMax: 128 * 1024 } })
    values(watcher)
    watcher.pausesReading()
    const hog = 'x'.repeat(2000)
    for (let count = 0; count < 1000; count++) {
      world.engine.fates.record('expired', { topicName: hog, payload: Buffer.alloc(1) }, 'c1')
      await passes(world, 10)
    }
    expect(world.engine.fates.total).toBe(1000)
    expect(world.engine.clients.get('watcher')?.sender.isHalfFull).toBe(true)
    watcher.readsAgain()
    await world.settle()
    await passes(world, 10)
    const received = watcher.takesPublishes().filter(({ topicName }) => topicName === `${FATES}/expired`)
    expect(received.length).toBeLessThan(100)
    expect(Buffer.from(received.at(-1)?.payload ?? []).toString()).toBe('1000')
  })
})

describe('the fates of single clients', () => {
  it('given a filter that says fates, then those that are not 0 come, the ClientID as one level, and later what changes', async () => {
    const world = await World.open()
    for (const clientId of ['plain', 'a/b+c#d%e', '$share/g/t/#', 'ü']) drop(world, clientId, 3)
    const watcher = await world.connects({ clientId: 'watcher' })
    await watcher.subscribes(`${FATES}/clients/#`)
    expect(values(watcher)).toEqual({
      [`${FATES}/clients/plain/expired`]: '3',
      [`${FATES}/clients/a%2Fb%2Bc%23d%25e/expired`]: '3',
      [`${FATES}/clients/$share%2Fg%2Ft%2F%23/expired`]: '3',
      [`${FATES}/clients/ü/expired`]: '3'
    })
    drop(world, 'plain')
    world.engine.fates.recordMany('session-ended', 1, 't', 'new')
    await passes(world, 10)
    expect(values(watcher)).toEqual({
      [`${FATES}/clients/plain/expired`]: '4',
      [`${FATES}/clients/new/session-ended`]: '1'
    })
  })

  it.each([
    ['$SYS/#', []],
    ['$SYS/broker/#', []],
    ['$SYS/+/fates/clients/a%2Fb/#', ['a%2Fb/expired', 'a%2Fb/session-ended']],
    [`${FATES}/#`, ['a%2Fb/expired', 'a%2Fb/session-ended', 'b/expired']],
    [`${FATES}/clients/+/expired`, ['a%2Fb/expired', 'b/expired']],
    [`${FATES}/+/b/expired`, ['b/expired']],
    [`${FATES}/clients/a%2Fb/session-ended`, ['a%2Fb/session-ended']],
    [`${FATES}/clients/a/b/expired`, []],
    [`${FATES}/clients/%61%2Fb/expired`, []],
    [`${FATES}/clients/100%/expired`, []],
    [`${FATES}/clients/nobody/#`, []],
    [`${FATES}/clients`, []],
    [`${FATES}/+`, []]
  ])('given the filter %s, then those come that it asks for', async (topicFilter, expected) => {
    const world = await World.open()
    world.engine.fates.recordMany('session-ended', 1, 't', 'a/b')
    for (const clientId of ['a/b', 'b']) drop(world, clientId)
    const watcher = await world.connects({ clientId: 'watcher' })
    await watcher.subscribes(topicFilter)
    const names = Object.keys(values(watcher)).filter((topicName) => topicName.startsWith(`${FATES}/clients/`))
    expect(names.toSorted()).toEqual(expected.map((name) => `${FATES}/clients/${name}`))
  })

  it('given that nobody asks for them, then nothing is made for each client', async () => {
    const { world, watcher } = await watching('$SYS/#')
    const changes = vi.spyOn(world.engine.fates.clients, 'changes')
    for (let client = 0; client < 1000; client++) drop(world, `c${client}`)
    await passes(world, 10)
    expect(values(watcher)).toMatchObject({ [`${FATES}/expired`]: '1000' })
    expect(changes).not.toHaveBeenCalled()
  })

  it('given a hundred thousand of them, then they come some in a turn, and others get theirs between', async () => {
    const world = await World.open()
    for (let client = 0; client < 100_000; client++) drop(world, `c${client}`)
    const [watcher, other] = [await world.connects({ clientId: 'watcher' }), await world.connects({ clientId: 'other' })]
    await other.subscribes('t', { qos: 0 })
    other.takes()
    watcher.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [{ topicFilter: `${FATES}/clients/#`, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      properties: NO_PROPERTIES
    })
    let most = 0
    let came = 0
    for (let turns = 0; came < 100_000; turns++) {
      if (turns === 20) world.publish('t', { qos: 0 })
      if (turns === 25) expect(other.takesPublishes()).toHaveLength(1)
      if (turns > 5000) throw new Error(`only ${came} came`)
      await world.turn()
      const publishes: PublishPacket[] = watcher.takesPublishes()
      most = Math.max(most, publishes.length)
      came += publishes.length
    }
    expect(most).toBeLessThanOrEqual(512)
  }, 30_000)
})

describe('who listens to topics of the broker’s own', () => {
  it('given a session whose client is away, then it gets what has changed meanwhile when it is back, once', async () => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'watcher', ...DURABLE })
    await watcher.subscribes(`${FATES}/#`)
    await watcher.drops()
    for (let count = 0; count < 5; count++) {
      drop(world, 'c1')
      await passes(world, 10)
    }
    const back = await world.connects({ clientId: 'watcher', ...DURABLE })
    await passes(world, 10)
    const received = back.takesPublishes()
    expect(received.map(({ topicName }) => topicName).toSorted()).toEqual(
      [`${FATES}/clients/c1/expired`, `${FATES}/expired`, `${FATES}/recent`, `${FATES}/total`].toSorted()
    )
    expect(received.some(({ retain }) => retain)).toBe(false)
  })

  it('given a restart, then a stored subscription goes on: everything is new to it', async () => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'watcher', ...DURABLE })
    await watcher.subscribes(`${FATES}/+`)
    await world.restart()
    const back = await world.connects({ clientId: 'watcher', ...DURABLE })
    await passes(world, 10)
    expect(Object.keys(values(back))).toHaveLength(FATE_NAMES.length + 3)
  })

  it('given a shared subscription, then one of its members that reads gets what changes, and nothing at first', async () => {
    const world = await World.open()
    const members = [await world.connects({ clientId: 'm1' }), await world.connects({ clientId: 'm2' })]
    for (const member of members) await member.subscribes(`$share/g/${FATES}/expired`)
    expect(members.map(values)).toEqual([{}, {}])
    drop(world, 'c1')
    await passes(world, 10)
    expect(members.flatMap((member) => Object.values(values(member)))).toEqual(['1'])
    await members[0]?.drops()
    drop(world, 'c1')
    await passes(world, 10)
    expect(members[1] === undefined ? {} : values(members[1])).toEqual({ [`${FATES}/expired`]: '2' })
    await members[1]?.drops()
    await passes(world, 600)
    expect(world.clock.waiting).toBe(0)
  })

  it('given the application, then its listener is called with what there is, then with what changes, until it ends it', async () => {
    const world = await World.open()
    const broker = new Broker(world.engine)
    const heard: string[] = []
    broker.subscribe(`${FATES}/expired`, () => {
      throw new Error('a mistake')
    })
    const stop = broker.subscribe(`${FATES}/expired`, ({ payload }) => heard.push(Buffer.from(payload).toString()))
    await world.settle()
    drop(world, 'c1')
    await passes(world, 10)
    stop()
    drop(world, 'c1')
    await passes(world, 10)
    expect(heard).toEqual(['0', '1'])
    expect([broker.fatesOf('c1').get('expired'), broker.fatesOf('c2').size, broker.fateClientsForgotten]).toEqual([2, 0, 0])
  })

  it('given 3.1.1 and one subscription after another to the same filter, then each brings what there is, and one of them stays', async () => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'watcher', protocolVersion: ProtocolVersion.Mqtt311 })
    for (let count = 0; count < 3; count++) {
      await watcher.subscribes('$SYS/broker/uptime')
      expect(watcher.takesPublishes()).toHaveLength(1)
    }
    await passes(world, 10)
    expect(watcher.takesPublishes()).toHaveLength(1)
  })
})
