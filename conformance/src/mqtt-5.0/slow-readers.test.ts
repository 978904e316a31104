import { PacketType, ReasonCode } from '@godwit/protocol'
import { scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const KiB = 1024
const BOUNDED = { limits: { writeBufferBytesMax: 128 * KiB, writeBuffersBytesMax: 1024 * KiB }, networks: ['whole'] } as const

scenario(
  '[5.0 MQTT-4.5.0-1] a client that stops reading gets its QoS 1 messages once it reads on, all and in order',
  BOUNDED,
  async ({ connects }) => {
    const slow = await connects({ sessionExpirySeconds: 100 })
    await slow.subscribes('t', { qos: 1 })
    const publisher = await connects()
    slow.pausesReading()
    for (let count = 0; count < 100; count++) {
      await publisher.publishes('t', `${count} ${'x'.repeat(10 * KiB)}`, { qos: 1, expects: ReasonCode.Success })
    }
    await slow.receivesNothing()
    await slow.resumesReading()
    for (let count = 0; count < 100; count++) {
      await slow.receives({ type: PacketType.Publish, payload: `${count} ${'x'.repeat(10 * KiB)}`, dup: false })
    }
  }
)

scenario(
  'a client that stops reading costs the broker no more than its bound; QoS 0 is dropped beyond [5.0 4.3.1]',
  BOUNDED,
  async ({ connects, broker }) => {
    const slow = await connects()
    await slow.subscribes('t')
    const quick = await connects()
    await quick.subscribes('t')
    const publisher = await connects()
    slow.pausesReading()
    for (let count = 0; count < 100; count++) {
      await publisher.publishes('t', `${count} ${'x'.repeat(10 * KiB)}`)
      await quick.receives({ type: PacketType.Publish })
    }
    const dropped = broker.running.fates.get('slow-subscriber') ?? 0
    expect(dropped).toBeGreaterThan(80)
    await slow.resumesReading()
    for (let count = 0; count < 100 - dropped; count++) {
      await slow.receives({ type: PacketType.Publish, payload: `${count} ${'x'.repeat(10 * KiB)}` })
    }
    await publisher.publishes('t', 'after')
    await slow.receives({ type: PacketType.Publish, payload: 'after' })
    await quick.receives({ type: PacketType.Publish, payload: 'after' })
  }
)
