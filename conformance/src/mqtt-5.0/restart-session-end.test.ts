import { PacketType } from '@godwit/protocol'
import { connect, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

// Found by the simulation: the ends of sessions that a crash undid.

scenario(
  '[5.0 MQTT-3.1.2-4] [5.0 MQTT-4.1.0-2] a session whose interval became 0 leaves nothing behind for the next one, whenever the broker crashed',
  async ({ connects, broker }) => {
    const first = await connects({ clientId: 'device', sessionExpirySeconds: 10 })
    await first.subscribes('t', { qos: 1 })
    await first.dropsConnection()
    const second = await first.reconnects({ sessionExpirySeconds: 0 })
    expect(second.connack.sessionPresent).toBe(true)
    await broker.crashes()
    await broker.starts()
    const third = await connects({ clientId: 'device', cleanStart: false, sessionExpirySeconds: 600 })
    expect(third.connack.sessionPresent).toBe(false)
    await broker.crashes()
    await broker.starts()
    const fourth = await third.reconnects()
    expect(fourth.connack.sessionPresent).toBe(true)
    await fourth.publishes('t', 'for nobody', { qos: 1 })
    await fourth.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-4.1.0-2] the time of a session that a crash cut off from its client runs from the first restart, not from the last',
  async ({ connects, broker, clock }) => {
    await connects({ clientId: 'device', sessionExpirySeconds: 10 })
    for (let crashes = 0; crashes < 3; crashes++) {
      await broker.crashes()
      await broker.starts()
      await clock.advancesSeconds(4)
    }
    const back = await connects({ clientId: 'device', cleanStart: false })
    expect(back.connack.sessionPresent).toBe(false)
  }
)

scenario(
  '[5.0 MQTT-3.2.2-2] CONNACK waits until the session that Clean Start ended cannot come back, even if an earlier CONNECT ended it',
  async ({ connects, raw, store }) => {
    const durable = await connects({ clientId: 'device', sessionExpirySeconds: 600 })
    await durable.dropsConnection()
    store.holdsCommits()
    const hasty = await raw()
    await hasty.sends(connect({ clientId: 'device' }))
    await hasty.receivesNothing()
    await hasty.dropsConnection()
    const again = await raw()
    await again.sends(connect({ clientId: 'device' }))
    await again.receivesNothing()
    store.releasesCommits()
    await again.receives({ type: PacketType.Connack, sessionPresent: false })
  }
)
