import { encodePacket, NO_PROPERTIES, PacketType, ProtocolVersion, type PublishPacket, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { type Client, World } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }

/** The fates of one client, and what was remembered of the last. */
function fatesOf(world: World, clientId: string): unknown {
  return Object.fromEntries(world.engine.fates.clients.of(clientId))
}

function lastDrop(world: World): unknown {
  return world.engine.fates.recent().at(-1)
}

function publish(topicName: string, payload = ''): PublishPacket {
  return {
    type: PacketType.Publish,
    topicName,
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    dup: false,
    packetIdentifier: 0,
    properties: NO_PROPERTIES
  }
}

/** A publisher whose permission to publish to `slow/...` is not known until the test says so. */
async function withSlowPermission(): Promise<{ world: World; client: Client; allow: () => void }> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const authorize = (_client: unknown, request: { readonly action: string; readonly topicName?: string }) =>
    request.topicName?.startsWith('slow/') === true ? promise : true
  const world = await World.open({ access: { authorize } })
  return { world, client: await world.connects({ clientId: 'p' }), allow: () => resolve(true) }
}

describe('a PUBLISH that ends its connection', () => {
  it('given one that is malformed, then it is counted for its client, with what was wrong', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 'p' })
    client.sendsBytes(Buffer.from([0x36, 0x03, 0x00, 0x01, 0x61]))
    await world.settle()
    expect(client.isClosed).toBe(true)
    expect(fatesOf(world, 'p')).toEqual({ 'invalid-publish': 1 })
    const [{ topicName, clientId, reason } = {}] = world.engine.fates.latest(1)
    expect([topicName, clientId]).toEqual(['', 'p'])
    expect(reason).toMatch(/QoS/)
  })

  it('given one that is larger than the broker takes, then it is counted as soon as its length is known', async () => {
    const world = await World.open({ limits: { packetBytesMax: 1000 } })
    const client = await world.connects({ clientId: 'p' })
    client.sendsBytes(Buffer.from([0x30, 0xff, 0x7f]))
    await world.settle()
    expect(fatesOf(world, 'p')).toEqual({ 'invalid-publish': 1 })
  })

  it('given a topic alias that was not agreed, then it is counted with the topic that it has', async () => {
    const world = await World.open({ limits: { topicAliasMaximum: 1 } })
    const client = await world.connects({ clientId: 'p' })
    client.send({ ...publish('t', 'abc'), properties: { topicAlias: 2 } })
    await world.settle()
    expect(client.takes().at(-1)).toMatchObject({ type: PacketType.Disconnect, reasonCode: ReasonCode.TopicAliasInvalid })
    expect(lastDrop(world)).toMatchObject({ fate: 'invalid-publish', topicName: 't', clientId: 'p', payloadBytes: 3 })
  })

  it('given another packet that is malformed, or a stranger, then no message was lost', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 'p' })
    client.publishes('t', '', 0)
    client.sendsBytes(Buffer.from([0x82, 0x02, 0x00, 0x01]))
    const stranger = world.client()
    stranger.publishes('t')
    await world.settle()
    expect([client.isClosed, stranger.isClosed]).toEqual([true, true])
    expect(world.engine.fates.count('invalid-publish')).toBe(0)
  })
})

describe('a publisher that goes', () => {
  it('given messages behind its DISCONNECT, then they are counted and not delivered', async () => {
    const world = await World.open()
    const watcher = await world.connects({ clientId: 'w' })
    await watcher.subscribes('#')
    const client = await world.connects({ clientId: 'p' })
    client.publishes('before', '', 0)
    client.send({ type: PacketType.Disconnect, reasonCode: ReasonCode.NormalDisconnection, properties: NO_PROPERTIES })
    client.publishes('behind', '', 0)
    await world.settle()
    expect(watcher.takesPublishes().map(({ topicName }) => topicName)).toEqual(['before'])
    expect(lastDrop(world)).toMatchObject({ fate: 'publisher-gone', topicName: 'behind', clientId: 'p' })
  })

  it('given messages whose permission is not known yet, and those held back behind them, then they are counted', async () => {
    const { world, client, allow } = await withSlowPermission()
    // In one chunk: what has not been read yet has not come.
    client.sendsBytes(Buffer.concat(['slow/1', '2'].map((topicName) => encodePacket(publish(topicName), ProtocolVersion.Mqtt5))))
    await world.settle()
    await world.connects({ clientId: 'p' })
    expect(client.isClosed).toBe(true)
    expect(fatesOf(world, 'p')).toEqual({ 'publisher-gone': 1 })
    allow()
    await world.settle()
    expect(fatesOf(world, 'p')).toEqual({ 'publisher-gone': 2 })
    expect(lastDrop(world)).toMatchObject({ topicName: 'slow/1' })
  })
})

describe('a client that goes', () => {
  /** A client whose write buffer fills with messages of QoS 0, beyond what the transport takes at once. */
  async function withFullBuffer(): Promise<{ world: World; slow: Client; count: number }> {
    const world = await World.open()
    const slow = await world.connects({ clientId: 's' })
    await slow.subscribes('t', { qos: 0 })
    slow.pausesReading()
    const count = 40
    for (let sent = 0; sent < count; sent++) {
      world.publish('t', { payload: Buffer.alloc(3000), qos: 0 })
      await world.settle()
    }
    return { world, slow, count }
  }

  it('given that it had not taken its QoS 0, then that is counted when its connection breaks', async () => {
    const { world, slow, count } = await withFullBuffer()
    expect(fatesOf(world, 's')).toEqual({})
    await slow.drops()
    const lost = world.engine.fates.count('connection-lost')
    // What the transport took before it said that it waits is beyond our knowing.
    expect([lost > 10, lost < count]).toEqual([true, true])
    expect(fatesOf(world, 's')).toEqual({ 'connection-lost': lost })
  })

  it('given that another connection takes over, then what the old one has not taken in time is counted', async () => {
    const { world } = await withFullBuffer()
    await world.connects({ clientId: 's' })
    expect(world.engine.fates.count('connection-lost')).toBe(0)
    world.clock.advance(10_000)
    await world.settle()
    expect(world.engine.fates.count('connection-lost')).toBeGreaterThan(10)
  })

  it('given that it took everything before it went, then nothing was lost', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 's' })
    await client.subscribes('t', { qos: 0 })
    for (let count = 0; count < 40; count++) world.publish('t', { payload: Buffer.alloc(3000), qos: 0 })
    await world.settle()
    expect(client.takesPublishes()).toHaveLength(40)
    await client.drops()
    expect(world.engine.fates.total).toBe(0)
  })
})

describe('permission to publish', () => {
  it('given a hook that throws or rejects, then the fate says so, and the client is told that it is not authorized', async () => {
    const authorize = (_client: unknown, request: { readonly action: string; readonly topicName?: string }) => {
      if (request.topicName === 'throws') throw new Error('the directory is down')
      return request.topicName === 'rejects' ? Promise.reject(new Error('the directory is down')) : request.topicName !== 'denied'
    }
    const world = await World.open({ access: { authorize } })
    const client = await world.connects({ clientId: 'p' })
    client.takes()
    for (const topicName of ['throws', 'rejects', 'denied']) client.publishes(topicName)
    await world.settle()
    const { NotAuthorized } = ReasonCode
    expect(client.takes().map((packet) => 'reasonCode' in packet && packet.reasonCode)).toEqual(Array(3).fill(NotAuthorized))
    expect(fatesOf(world, 'p')).toEqual({ 'authorization-failed': 2, 'not-authorized': 1 })
  })

  it.each([
    [ProtocolVersion.Mqtt5, [{ type: PacketType.Puback, reasonCode: ReasonCode.NotAuthorized }]],
    // [3.1.1 MQTT-3.3.5-2]
    [ProtocolVersion.Mqtt311, [{ type: PacketType.Puback, reasonCode: ReasonCode.Success }]]
  ] as const)(
    'given version %i and a topic of the broker’s own, then it is refused, and counted',
    async (protocolVersion, answer) => {
      const world = await World.open()
      const client = await world.connects({ clientId: 'p', protocolVersion })
      client.takes()
      client.publishes('$SYS/broker/uptime', 'for ever')
      await world.settle()
      expect(client.takes()).toMatchObject(answer)
      client.publishes('$SYS', '', 0)
      client.publishes('$SYSTEM', '', 0)
      await world.settle()
      expect(fatesOf(world, 'p')).toEqual({ 'not-authorized': 2, 'no-subscriber': 1 })
    }
  )
})

describe('what a client is sent', () => {
  it('given that it refuses a message, then the Reason Code is remembered', async () => {
    const world = await World.open()
    const client = await world.connects({ clientId: 's' })
    await client.subscribes('t')
    world.publish('t', { payload: 'abc', qos: 1 })
    await world.settle()
    const [received] = client.takesPublishes()
    const packetIdentifier = received?.packetIdentifier ?? 0
    const reasonCode = ReasonCode.PayloadFormatInvalid
    client.send({ type: PacketType.Puback, packetIdentifier, reasonCode, properties: NO_PROPERTIES })
    await world.settle()
    expect(lastDrop(world)).toMatchObject({
      fate: 'refused-by-client',
      topicName: 't',
      clientId: 's',
      payloadBytes: 3,
      reason: 'Payload format invalid'
    })
  })

  it('given that its group has ended and then its session does, then what it had of the group is counted for it', async () => {
    const world = await World.open()
    const member = await world.connects({ clientId: 's', ...DURABLE })
    await member.subscribes('$share/g/t')
    world.publish('t', { qos: 1 })
    await world.settle()
    await member.unsubscribes('$share/g/t')
    await member.drops()
    expect(fatesOf(world, 's')).toEqual({})
    await world.connects({ clientId: 's', cleanStart: true })
    expect(fatesOf(world, 's')).toEqual({ 'session-ended': 1 })
  })

  it('given that it has left its group, and ends while others remain in it, then they get what it had', async () => {
    const world = await World.open()
    const [member, other] = [await world.connects({ clientId: 's', ...DURABLE }), await world.connects({ clientId: 'o' })]
    await member.subscribes('$share/g/t')
    world.publish('t', { payload: 'x', qos: 1 })
    await world.settle()
    await other.subscribes('$share/g/t')
    await member.unsubscribes('$share/g/t')
    await member.drops()
    await world.connects({ clientId: 's', cleanStart: true })
    expect(await other.drains()).toEqual(['x'])
    expect(world.engine.fates.total).toBe(0)
  })

  it('given a group whose members are gone after a restart, then what waited for it is counted for the group', async () => {
    const world = await World.open()
    const durable = await world.connects({ clientId: 'd', ...DURABLE })
    await durable.subscribes('$share/g/t')
    const other = await world.connects({ clientId: 'o', receiveMaximum: 1 })
    await other.subscribes('$share/g/t')
    await durable.unsubscribes('$share/g/t')
    for (let count = 0; count < 5; count++) world.publish('t', { qos: 1 })
    await world.settle()
    await world.restart()
    expect(fatesOf(world, '$share/g/t')).toEqual({ 'session-ended': 5 })
    expect(lastDrop(world)).toMatchObject({ topicName: 't', count: 5 })
  })
})
