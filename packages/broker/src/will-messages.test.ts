import { PacketType } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { World } from './world.test.support.ts'

const WILL = { topicName: 'will', payload: 'gone' }

/** A world with a client that watches the will's topic. */
async function watched() {
  const world = await World.open()
  const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
  await watcher.subscribes('will')
  return { world, watcher }
}

describe('will messages', () => {
  it('given a connection that breaks, then the will is published at once, once ([5.0 MQTT-3.1.2-8])', async () => {
    const { world, watcher } = await watched()
    const device = await world.connects({ clientId: 'd', will: WILL })
    expect(watcher.takesPayloads()).toEqual([])
    await device.drops()
    world.clock.advance(100_000)
    expect(await watcher.drains()).toEqual(['gone'])
    const withoutWill = await world.connects({ clientId: 'd' })
    await withoutWill.drops()
    expect(await watcher.drains()).toEqual([])
  })

  it('given DISCONNECT 0x00, then the will is thrown away; given 0x04, then it is published ([5.0 MQTT-3.14.4-3])', async () => {
    const { world, watcher } = await watched()
    for (const [reasonCode, expected] of [
      [0x00, []],
      [0x04, ['gone']]
    ] as const) {
      const device = await world.connects({ clientId: 'd', will: WILL })
      device.send({ type: PacketType.Disconnect, reasonCode, properties: {} })
      expect(await watcher.drains()).toEqual(expected)
    }
  })

  it('given a Will Delay Interval, then the will waits for it, and not when the client is back before ([5.0 MQTT-3.1.3-9])', async () => {
    const { world, watcher } = await watched()
    const will = { ...WILL, properties: { willDelayInterval: 10 } }
    const device = await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    await device.drops()
    world.clock.advance(9_000)
    const back = await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    world.clock.advance(20_000)
    expect(await watcher.drains()).toEqual([])
    await back.drops()
    world.clock.advance(9_900)
    expect(await watcher.drains()).toEqual([])
    world.clock.advance(300)
    expect(await watcher.drains()).toEqual(['gone'])
  })

  it.each([
    [5, 100],
    [0, 100]
  ])(
    'given a session that expires after %d s and a delay of %d s, then the will is published as the session ends',
    async (sessionExpiryInterval, willDelayInterval) => {
      const { world, watcher } = await watched()
      const will = { ...WILL, properties: { willDelayInterval } }
      const device = await world.connects({ clientId: 'd', sessionExpiryInterval, will })
      await device.drops()
      world.clock.advance(sessionExpiryInterval * 1000 + 200)
      expect(await watcher.drains()).toEqual(['gone'])
      world.clock.advance(1_000_000)
      expect(await watcher.drains()).toEqual([])
    }
  )

  it('given a new session for the same client, then the will that waits is published at once', async () => {
    const { world, watcher } = await watched()
    const will = { ...WILL, properties: { willDelayInterval: 50 } }
    const device = await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    await device.drops()
    await world.connects({ clientId: 'd', cleanStart: true, sessionExpiryInterval: 100 })
    expect(await watcher.drains()).toEqual(['gone'])
  })

  it('given a broker that was killed, then the wills of the connections it lost are published, at the end of a session that ended with them', async () => {
    const { world } = await watched()
    await world.connects({ clientId: 'now', will: { ...WILL, payload: 'now' } })
    const transient = { ...WILL, payload: 'transient', properties: { willDelayInterval: 1000 } }
    await world.connects({ clientId: 'transient', will: transient })
    const delayed = { ...WILL, payload: 'delayed', properties: { willDelayInterval: 10 } }
    await world.connects({ clientId: 'delayed', sessionExpiryInterval: 100, will: delayed })
    const expiring = { ...WILL, payload: 'expiring', properties: { willDelayInterval: 1000 } }
    await world.connects({ clientId: 'expiring', sessionExpiryInterval: 5, will: expiring })
    await world.restart()
    const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    world.clock.advance(200)
    expect((await watcher.drains()).toSorted()).toEqual(['now', 'transient'])
    world.clock.advance(5_000)
    expect(await watcher.drains()).toEqual(['expiring'])
    world.clock.advance(5_000)
    expect(await watcher.drains()).toEqual(['delayed'])
    await world.restart()
    const again = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    world.clock.advance(1_000_000)
    expect(await again.drains()).toEqual([])
  })

  it('given a broker that was killed while a delay ran, then the delay counts the time it was down', async () => {
    const { world, watcher } = await watched()
    const will = { ...WILL, properties: { willDelayInterval: 10 } }
    const device = await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    await device.drops()
    await watcher.drops()
    world.clock.advance(6_000)
    await world.restart()
    const back = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    world.clock.advance(3_900)
    expect(await back.drains()).toEqual([])
    world.clock.advance(300)
    expect(await back.drains()).toEqual(['gone'])
  })

  it('given a broker that was killed, then a will without a delay is published even if its client is back in its session at once', async () => {
    const { world } = await watched()
    await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will: { ...WILL, payload: 'first' } })
    await world.restart()
    const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will: { ...WILL, payload: 'second' } })
    world.clock.advance(200)
    expect(await watcher.drains()).toEqual(['first'])
  })

  it('given a broker that is killed again while a delay runs, then the delay goes on from where it was', async () => {
    const { world } = await watched()
    const will = { ...WILL, properties: { willDelayInterval: 10 } }
    await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    for (let kill = 0; kill < 2; kill++) {
      await world.restart()
      await world.settle()
      world.clock.advance(4_000)
    }
    await world.restart()
    const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    world.clock.advance(1_900)
    expect(await watcher.drains()).toEqual([])
    world.clock.advance(300)
    expect(await watcher.drains()).toEqual(['gone'])
  })

  it('given a broker that was killed, then a client that comes back with a new will does not lose it to the old one', async () => {
    const { world } = await watched()
    const old = { ...WILL, payload: 'old', properties: { willDelayInterval: 50 } }
    await world.connects({ clientId: 'd', will: old })
    await world.restart()
    const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    await world.connects({ clientId: 'd', will: { ...WILL, payload: 'new' } })
    world.clock.advance(100_000)
    await watcher.drains()
    await world.restart()
    const again = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    world.clock.advance(1_000)
    expect(await again.drains()).toEqual(['new'])
  })

  it('given a Message Expiry Interval, then it begins when the will is published', async () => {
    const { world, watcher } = await watched()
    const will = { ...WILL, properties: { willDelayInterval: 10, messageExpiryInterval: 30 } }
    const device = await world.connects({ clientId: 'd', sessionExpiryInterval: 100, will })
    world.clock.advance(100_000)
    await device.drops()
    world.clock.advance(10_200)
    await world.settle()
    expect(watcher.takesPublishes().map(({ properties }) => properties.messageExpiryInterval)).toEqual([30])
  })

  it('given a store that is full, then a will that would have to be kept has its fate, and one that would not is published', async () => {
    const MiB = 1024 * 1024
    const world = await World.open({ limits: { storedBytesMax: MiB } })
    const watcher = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    await watcher.subscribes('will')
    await watcher.drops()
    const dying = await world.connects({ clientId: 'kept', will: { ...WILL, qos: 1 } })
    const lucky = await world.connects({ clientId: 'not kept', will: { ...WILL, topicName: 'live', qos: 1 } })
    const witness = await world.connects({ clientId: 'witness' })
    await witness.subscribes('live')
    world.publish('will', { payload: 'x'.repeat(MiB), qos: 1 })
    await dying.drops()
    await lucky.drops()
    const { fates } = world.engine
    expect(fates.count('quota-exceeded')).toBe(1)
    expect(fates.recent().at(-1)).toMatchObject({ fate: 'quota-exceeded', clientId: 'kept', topicName: 'will' })
    expect(await witness.drains()).toEqual(['gone'])
    const back = await world.connects({ clientId: 'watcher', sessionExpiryInterval: 10_000 })
    expect(await back.drains()).toHaveLength(1)
  })

  it('given a store that fails, then a will is published all the same: to those who are there, and to others once it is well', async () => {
    const { world, watcher } = await watched()
    const absent = await world.connects({ clientId: 'absent', sessionExpiryInterval: 10_000 })
    await absent.subscribes('will')
    await absent.drops()
    const dying = await world.connects({ clientId: 'd', will: { ...WILL, qos: 1 } })
    const witness = await world.connects({ clientId: 'witness' })
    await witness.subscribes('will')
    const publisher = await world.connects({ clientId: 'p' })
    world.store.isFull = true
    publisher.publishes('will', 'refused from here on')
    await world.settle()
    expect(world.store.failure).toBeDefined()
    witness.takes()
    watcher.takes()
    await dying.drops()
    expect([witness.takesPayloads(), watcher.takesPayloads()]).toEqual([['gone'], ['gone']])
    expect(world.engine.fates.count('store-failed')).toBe(0)
    world.store.isFull = false
    const back = await world.connects({ clientId: 'absent', sessionExpiryInterval: 10_000 })
    expect(await back.drains()).toContain('gone')
  })

  it('given a takeover, then the will of the connection that is closed is published', async () => {
    const { world, watcher } = await watched()
    await world.connects({ clientId: 'd', will: WILL })
    await world.connects({ clientId: 'd', will: { ...WILL, payload: 'second' } })
    expect(await watcher.drains()).toEqual(['gone'])
  })
})
