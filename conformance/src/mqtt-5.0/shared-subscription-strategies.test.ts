import { PacketType, type PublishPacket } from '@godwit/protocol'
import { puback, type Scenario, scenario, type TestClient } from '@godwit/testkit'
import { expect } from 'vitest'

const MESSAGES = 120

type Connects = Scenario['connects']

async function members(connects: Connects, count: number, options: Parameters<Connects>[0] = {}): Promise<TestClient[]> {
  const clients: TestClient[] = []
  for (let index = 0; index < count; index++) {
    const client = await connects({ clientId: `member-${index}`, ...options })
    await client.subscribes('$share/g/t/#', { qos: 1 })
    clients.push(client)
  }
  return clients
}

/** What a member has received, taken out of the scenario's account. */
function taken(client: TestClient): PublishPacket[] {
  client.ignoresTheRest()
  return client.inbox.filter((packet) => packet.type === PacketType.Publish)
}

scenario(
  '[5.0 MQTT-4.8.2-3] round-robin: each member in turn, exactly as often as the others',
  { shareStrategy: 'round-robin' },
  async ({ connects }) => {
    const clients = await members(connects, 4)
    const publisher = await connects()
    for (let message = 0; message < MESSAGES; message++) await publisher.publishes('t', `${message}`, { qos: 1 })
    for (const [index, client] of clients.entries()) {
      const payloads = taken(client).map(({ payload }) => Number(Buffer.from(payload).toString()))
      expect(payloads).toEqual(Array.from({ length: MESSAGES / 4 }, (_, turn) => turn * 4 + index))
    }
  }
)

scenario('[5.0 MQTT-4.8.2-3] random: every member gets about its share', { shareStrategy: 'random' }, async ({ connects }) => {
  const clients = await members(connects, 4)
  const publisher = await connects()
  for (let message = 0; message < MESSAGES; message++) await publisher.publishes('t', '', { qos: 1 })
  const counts = clients.map((client) => taken(client).length)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(MESSAGES)
  // Four standard deviations around 30.
  for (const count of counts) expect(Math.abs(count - MESSAGES / 4)).toBeLessThan(19)
})

scenario(
  '[5.0 MQTT-4.8.2-3] least-inflight: each in turn while all keep up; who falls behind is given no more than the others have',
  { shareStrategy: 'least-inflight' },
  async ({ connects }) => {
    const prompt = await members(connects, 3)
    const publisher = await connects()
    for (let message = 0; message < MESSAGES; message++) await publisher.publishes('t', '', { qos: 1 })
    expect(prompt.map((client) => taken(client).length)).toEqual([MESSAGES / 3, MESSAGES / 3, MESSAGES / 3])

    const slow = await connects({ acknowledges: false })
    await slow.subscribes('$share/g/t/#', { qos: 1 })
    for (let message = 0; message < MESSAGES; message++) await publisher.publishes('t', '', { qos: 1 })
    expect(taken(slow).length).toBe(1)
    for (const client of prompt.slice(1)) await client.disconnects()
    for (let message = 0; message < MESSAGES; message++) await publisher.publishes('t', '', { qos: 1 })
    expect(taken(slow).length).toBe(1)
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] sticky: one member for as long as it can take them, then another',
  { shareStrategy: 'sticky' },
  async ({ connects }) => {
    const clients = await members(connects, 3)
    const publisher = await connects()
    for (let message = 0; message < 10; message++) await publisher.publishes('t', '', { qos: 1 })
    const chosen = clients.findIndex((client) => client.inbox.length > 0)
    expect(clients.map((client) => client.inbox.length)).toEqual(clients.map((_, index) => (index === chosen ? 10 : 0)))
    const first = clients[chosen]
    if (first === undefined) return expect.fail('somebody was chosen')
    taken(first)
    await first.disconnects()
    for (let message = 0; message < 10; message++) await publisher.publishes('t', '', { qos: 1 })
    const counts = clients.filter((client) => client !== first).map((client) => taken(client).length)
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 10])
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] hash-topic: each topic stays with one member, in order, and topics spread over all',
  { shareStrategy: 'hash-topic' },
  async ({ connects }) => {
    const clients = await members(connects, 3)
    const publisher = await connects()
    const topics = Array.from({ length: 30 }, (_, index) => `t/room-${index}`)
    for (const payload of ['1', '2', '3']) {
      for (const topicName of topics) await publisher.publishes(topicName, payload, { qos: 1 })
    }
    const seen = new Map<string, number>()
    for (const [index, client] of clients.entries()) {
      const received = taken(client)
      expect(received.length).toBeGreaterThan(0)
      for (const topicName of new Set(received.map((packet) => packet.topicName))) {
        expect(seen.has(topicName)).toBe(false)
        seen.set(topicName, index)
        const own = received.filter((packet) => packet.topicName === topicName)
        expect(own.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['1', '2', '3'])
      }
    }
    expect(seen.size).toBe(topics.length)
  }
)

scenario(
  '[5.0 MQTT-4.8.2-3] hash-client: each publisher stays with one member, in order, and publishers spread over all',
  { shareStrategy: 'hash-client' },
  async ({ connects }) => {
    const clients = await members(connects, 3)
    const publishers = Array.from({ length: 24 }, (_, index) => `publisher-${index}`)
    for (const clientId of publishers) {
      const publisher = await connects({ clientId })
      for (const count of ['1', '2', '3']) await publisher.publishes(`t/${clientId}`, count, { qos: 1 })
    }
    const perMember = clients.map((client) => taken(client))
    for (const received of perMember) expect(received.length).toBeGreaterThan(0)
    for (const clientId of publishers) {
      const shares = perMember.map((received) => received.filter(({ topicName }) => topicName === `t/${clientId}`))
      const one = shares.filter((share) => share.length > 0)
      expect(one.map((share) => share.map(({ payload }) => Buffer.from(payload).toString()))).toEqual([['1', '2', '3']])
    }
  }
)

const STRATEGIES = ['round-robin', 'random', 'least-inflight', 'sticky', 'hash-topic', 'hash-client'] as const

for (const shareStrategy of STRATEGIES) {
  scenario(
    `[5.0 MQTT-3.3.4-9] [5.0 MQTT-4.8.2-3] ${shareStrategy}: a member whose window is full is passed over, and nothing is lost or sent twice`,
    { shareStrategy },
    async ({ connects }) => {
      for (const sessionExpirySeconds of [0, 600]) {
        const clients = await members(connects, 2, { sessionExpirySeconds, receiveMaximum: 2, acknowledges: false })
        const publisher = await connects({ clientId: 'publisher' })
        for (let message = 0; message < 20; message++) await publisher.publishes('t', `${message}`, { qos: 1 })
        expect(clients.map((client) => client.inbox.length)).toEqual([2, 2])
        const received: number[] = []
        while (clients.some((client) => client.inbox.length > 0)) {
          for (const client of clients) {
            if (client.inbox.length === 0) continue
            const { payload, packetIdentifier } = await client.receives({ type: PacketType.Publish, dup: false })
            received.push(Number(Buffer.from(payload).toString()))
            await client.sends(puback(packetIdentifier))
          }
        }
        expect(received.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, message) => message))
        for (const client of [...clients, publisher]) await client.disconnects({ sessionExpirySeconds: 0 })
      }
    }
  )
}
