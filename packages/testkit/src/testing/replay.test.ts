import { type Packet, PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { expect } from 'vitest'
import { type Scenario, scenario, type ScenarioOptions } from './scenario.ts'
import type { TestClient } from './test-client.ts'

const HISTORY: ScenarioOptions = { history: [{ topicFilter: 'sensors/#', messages: 10_000 }] }
const ALL = { userProperties: [['godwit-replay', 'all']] } as const

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `m${from + index}`)
}

function payloadsOf(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => (packet.type === PacketType.Publish ? [Buffer.from(packet.payload).toString()] : []))
}

/** What a client has received, all of which is expected. */
function takes(client: TestClient): string[] {
  const payloads = payloadsOf(client.inbox)
  client.ignoresTheRest()
  return payloads
}

/** Publishes as the application does, and does not wait. */
function publishes({ broker }: Pick<Scenario, 'broker'>, from: number, to: number, qos: 0 | 1 | 2): void {
  for (const payload of names(from, to)) void broker.running.publish({ topicName: 'sensors/x', payload, qos })
}

scenario('history is replayed and goes on live, whatever the network does, without a gap or a duplicate', HISTORY, async (stage) => {
  for (const qos of [0, 1, 2] as const) {
    const from = qos * 1000
    const topicFilter = `$replay/last=200/sensors/#`
    publishes(stage, from, from + 200, qos)
    await stage.settles()
    const reader = await stage.connects({ receiveMaximum: 7 })
    // They are sent while the history is on its way: nothing of it has settled yet.
    const subscribed = reader.subscribes(topicFilter, { qos })
    for (let next = from + 200; next < from + 300; next += 10) {
      publishes(stage, next, next + 10, qos)
      await Promise.resolve()
    }
    await subscribed
    await stage.settles()
    const received = takes(reader)
    // How many had been published when the SUBSCRIBE came is the network's affair.
    expect(received.at(-1)).toBe(`m${from + 299}`)
    expect(received.length).toBeGreaterThanOrEqual(200)
    expect(received).toEqual(names(from + 300 - received.length, from + 300))
    await reader.disconnects()
  }
})

scenario('a client that stops reading goes on where it was, and live messages wait behind the history', HISTORY, async (stage) => {
  publishes(stage, 0, 300, 1)
  await stage.settles()
  const reader = await stage.connects({ sessionExpirySeconds: 3600 })
  reader.pausesReading()
  const subscribed = reader.subscribes('sensors/#', { qos: 1, ...ALL }).catch((error: unknown) => error)
  publishes(stage, 300, 400, 1)
  await subscribed
  await reader.resumesReading()
  await stage.settles()
  expect(takes(reader)).toEqual(names(0, 400))
})

scenario('a replay of a durable session goes on after a crash, at QoS 2 exactly once', HISTORY, async (stage) => {
  const { broker } = stage
  publishes(stage, 0, 100, 2)
  await stage.settles()
  let reader = await stage.connects({ clientId: 'reader', sessionExpirySeconds: 3600, receiveMaximum: 5, acknowledges: false })
  await reader.subscribes('sensors/#', { qos: 2, ...ALL })
  // Five are on their way, unanswered; their identifiers are on record.
  expect(payloadsOf(reader.inbox)).toEqual(names(0, 5))
  reader.ignoresTheRest()
  await broker.crashes()
  await broker.starts()
  publishes(stage, 100, 150, 2)
  await stage.settles()
  reader = await reader.reconnects({ acknowledges: true })
  await stage.settles()
  expect(takes(reader)).toEqual(names(0, 150))
})

scenario('a 3.1.1 client asks by its filter, and gets 0x80 for what has no history', HISTORY, async (stage) => {
  publishes(stage, 0, 5, 1)
  await stage.settles()
  const reader = await stage.connects({ version: ProtocolVersion.Mqtt311 })
  await reader.subscribes(['$replay/last=3/sensors/+', '$replay/all/other'], { qos: 1, expects: [1, ReasonCode.UnspecifiedError] })
  expect(takes(reader)).toEqual(names(2, 5))
  await reader.unsubscribes('$replay/last=3/sensors/+')
})
