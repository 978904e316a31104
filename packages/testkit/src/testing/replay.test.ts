import { PacketType, ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { expect } from 'vitest'
import { type Scenario, scenario, type ScenarioOptions } from './scenario.ts'
import type { TestClient } from './test-client.ts'

const HISTORY: ScenarioOptions = { history: [{ topicFilter: 'sensors/#', messages: 10_000 }] }
const ALL = { userProperties: [['godwit-replay', 'all']] } as const

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `m${from + index}`)
}

/** The payloads of the next messages, and of no more. */
async function receives(client: TestClient, count: number): Promise<string[]> {
  const payloads: string[] = []
  while (payloads.length < count) {
    const { payload } = await client.receives({ type: PacketType.Publish })
    payloads.push(Buffer.from(payload).toString())
  }
  await client.receivesNothing()
  return payloads
}

/** Publishes as the application does, and does not wait. */
function publishes({ broker }: Scenario, from: number, to: number, qos: 0 | 1 | 2): void {
  for (const payload of names(from, to)) void broker.running.publish({ topicName: 'sensors/x', payload, qos })
}

for (const qos of [0, 1, 2] as const) {
  scenario(`history is replayed at QoS ${qos}, and goes on live, whatever the network does`, HISTORY, async (stage) => {
    publishes(stage, 0, 200, qos)
    await stage.settles()
    const reader = await stage.connects({ receiveMaximum: 7 })
    await reader.subscribes('$replay/last=150/sensors/#', { qos })
    publishes(stage, 200, 250, qos)
    expect(await receives(reader, 200)).toEqual(names(50, 250))
  })
}

scenario(
  'a client that stops reading goes on where it was, and what is live comes behind the history',
  HISTORY,
  async (stage) => {
    publishes(stage, 0, 300, 1)
    await stage.settles()
    const reader = await stage.connects({ receiveMaximum: 10, acknowledges: false })
    await reader.subscribes('sensors/#', { qos: 1, ...ALL })
    expect(await receives(reader, 10)).toEqual(names(0, 10))
    publishes(stage, 300, 400, 1)
    await stage.clock.advancesSeconds(10)
    await reader.receivesNothing()
    await reader.dropsConnection()
    // A clean session's replay ends with it.
    const again = await reader.reconnects({ receiveMaximum: 10, acknowledges: true })
    expect(again.connack.sessionPresent).toBe(false)
    await again.receivesNothing()
    await again.subscribes('sensors/#', { qos: 1, ...ALL })
    expect(await receives(again, 400)).toEqual(names(0, 400))
  }
)

scenario('a replay of a durable session goes on after a crash, at QoS 2 exactly once', HISTORY, async (stage) => {
  const { broker } = stage
  publishes(stage, 0, 100, 2)
  await stage.settles()
  const reader = await stage.connects({ clientId: 'reader', sessionExpirySeconds: 3600, receiveMaximum: 5 })
  reader.acknowledges = false
  await reader.subscribes('sensors/#', { qos: 2, ...ALL })
  // Five are on their way, unanswered, with their identifiers on record.
  expect(await receives(reader, 5)).toEqual(names(0, 5))
  await broker.crashes()
  await broker.starts()
  publishes(stage, 100, 150, 2)
  await stage.settles()
  const again = await reader.reconnects()
  expect(await receives(again, 150)).toEqual(names(0, 150))
  publishes(stage, 150, 151, 2)
  expect(await receives(again, 1)).toEqual(names(150, 151))
})

scenario('a 3.1.1 client asks by its filter, and gets 0x80 for what has no history', HISTORY, async (stage) => {
  publishes(stage, 0, 5, 1)
  await stage.settles()
  const reader = await stage.connects({ version: ProtocolVersion.Mqtt311 })
  await reader.subscribes(['$replay/last=3/sensors/+', '$replay/all/other'], {
    qos: 1,
    expects: [1, ReasonCode.UnspecifiedError]
  })
  expect(await receives(reader, 3)).toEqual(names(2, 5))
  await reader.unsubscribes('$replay/last=3/sensors/+')
  publishes(stage, 5, 6, 1)
  await reader.receivesNothing()
})
