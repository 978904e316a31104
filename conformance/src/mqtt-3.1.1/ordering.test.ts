import { type Packet, PacketType } from '@godwit/protocol'
import { puback, pubcomp, publish, pubrec, pubrel, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

const COUNT = 40

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

for (const qos of [0, 1, 2] as const) {
  scenario(
    `[3.1.1 MQTT-4.6.0-5] [3.1.1 MQTT-4.6.0-6] a publisher’s QoS ${qos} messages to a topic are relayed in the order of their arrival`,
    async ({ connects }) => {
      const subscriber = await connects({ version: 4 })
      await subscriber.subscribes('t', { qos })
      const publisher = await connects({ version: 4, acknowledges: false })
      const identifiers = numbers(COUNT)
      await publisher.sends(
        ...identifiers.map((number) => publish('t', `${number}`, { qos, packetIdentifier: qos === 0 ? 0 : number }))
      )
      if (qos === 2) await publisher.sends(...identifiers.map((number) => pubrel(number)))
      for (const number of identifiers) await subscriber.receives({ type: PacketType.Publish, payload: `${number}`, qos })
      publisher.ignoresTheRest()
    }
  )
}

scenario(
  '[3.1.1 MQTT-4.6.0-6] so are messages that waited, and those that come while they go out',
  { limits: { inflightMax: 3 } },
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    await subscriber.dropsConnection()
    const publisher = await connects({ version: 4 })
    for (const number of numbers(COUNT / 2)) await publisher.publishes('t', `${number}`, { qos: 1 })
    const back = await subscriber.reconnects({ acknowledges: true })
    for (const number of numbers(COUNT).slice(COUNT / 2)) await publisher.publishes('t', `${number}`, { qos: 1 })
    for (const number of numbers(COUNT)) await back.receives({ type: PacketType.Publish, payload: `${number}`, dup: false })
  }
)

scenario(
  '[3.1.1 MQTT-4.6.0-6] PUBACKs, PUBRECs and PUBCOMPs follow the order of what they answer, whether the store has to keep it or not',
  async ({ connects, store, settles }) => {
    const away = await connects({ version: 4, clientId: 'away', cleanStart: false })
    await away.subscribes('kept/#', { qos: 2 })
    await away.dropsConnection()
    const publisher = await connects({ version: 4, acknowledges: false })
    store.holdsCommits()
    const topics = ['kept/1', 'passing/2', 'kept/3', 'passing/4', 'passing/5', 'kept/6']
    await publisher.sends(...topics.map((topicName, index) => publish(topicName, '', { qos: 1, packetIdentifier: index + 1 })))
    await publisher.receivesNothing()
    await publisher.sends(
      publish('passing/7', '', { qos: 2, packetIdentifier: 7 }),
      pubrel(7),
      publish('kept/8', '', { qos: 2, packetIdentifier: 8 })
    )
    await publisher.receivesNothing()
    store.releasesCommits()
    await settles()
    for (const packetIdentifier of [1, 2, 3, 4, 5, 6]) await publisher.receives({ type: PacketType.Puback, packetIdentifier })
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 7 })
    await publisher.receives({ type: PacketType.Pubcomp, packetIdentifier: 7 })
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 8 })
  }
)

scenario(
  '[3.1.1 MQTT-4.6.0-6] they do so too when an asynchronous authorize hook decides later about earlier messages',
  async ({ connects, broker }) => {
    const verdicts = new Map<string, (isAllowed: boolean) => void>()
    await broker.restarts({
      authorize: (_client, request) => {
        if (request.action !== 'publish' || !request.topicName.startsWith('slow')) return true
        const { topicName } = request
        return new Promise((resolve) => {
          verdicts.set(topicName, resolve)
        })
      }
    })
    const publisher = await connects({ version: 4, acknowledges: false })
    await publisher.sends(
      publish('slow/1', '', { qos: 1, packetIdentifier: 1 }),
      publish('quick/2', '', { qos: 2, packetIdentifier: 2 }),
      publish('slow/3', '', { qos: 1, packetIdentifier: 3 }),
      publish('quick/4', '', { qos: 1, packetIdentifier: 4 })
    )
    await publisher.receivesNothing()
    verdicts.get('slow/1')?.(true)
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 1 })
    await publisher.receives({ type: PacketType.Pubrec, packetIdentifier: 2 })
    await publisher.receivesNothing()
    verdicts.get('slow/3')?.(false)
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 3 })
    await publisher.receives({ type: PacketType.Puback, packetIdentifier: 4 })
  }
)

scenario('[3.1.1 MQTT-4.6.0-6] the server’s PUBRELs follow the order of the PUBRECs', async ({ connects }) => {
  const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
  await subscriber.subscribes('t', { qos: 2 })
  const publisher = await connects({ version: 4 })
  for (const number of numbers(5)) {
    await publisher.publishes('t', `${number}`, { qos: 2 })
    await subscriber.receives({ type: PacketType.Publish, payload: `${number}`, packetIdentifier: number })
  }
  const order = [4, 2, 5, 1, 3]
  await subscriber.sends(...order.map((number) => pubrec(number)))
  for (const packetIdentifier of order) await subscriber.receives({ type: PacketType.Pubrel, packetIdentifier })
  await subscriber.sends(...order.map((number) => pubcomp(number)))
  await subscriber.receivesNothing()
})

scenario(
  '[3.1.1 MQTT-4.6.0-6] acknowledging out of order neither reorders nor repeats what follows',
  { limits: { inflightMax: 4 } },
  async ({ connects }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 1 })
    const publisher = await connects({ version: 4 })
    for (const number of numbers(8)) await publisher.publishes('t', `${number}`, { qos: 1 })
    for (const number of numbers(4)) await subscriber.receives({ type: PacketType.Publish, payload: `${number}` })
    const answers: Packet[] = [puback(4), puback(2), puback(3)]
    await subscriber.sends(...answers)
    for (const number of [5, 6, 7]) await subscriber.receives({ type: PacketType.Publish, payload: `${number}` })
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects({ acknowledges: true })
    for (const number of [1, 5, 6, 7]) await back.receives({ type: PacketType.Publish, payload: `${number}`, dup: true })
    await back.receives({ type: PacketType.Publish, payload: '8', dup: false })
    await back.receivesNothing()
  }
)

scenario(
  '[3.1.1 MQTT-4.6.0-6] what is sent again keeps the order of its first sending, where a QoS 2 message had to wait for the store',
  async ({ connects, store, settles }) => {
    const subscriber = await connects({ version: 4, cleanStart: false, acknowledges: false })
    await subscriber.subscribes('t', { qos: 2 })
    const publisher = await connects({ version: 4, acknowledges: false })
    await publisher.sends(publish('t', 'waits', { qos: 2, packetIdentifier: 1 }))
    store.holdsCommits()
    await publisher.sends(pubrel(1), publish('t', 'overtakes', { qos: 1, packetIdentifier: 2 }))
    store.releasesCommits()
    await settles()
    publisher.ignoresTheRest()
    const sent = subscriber.inbox.map((packet) =>
      packet.type === PacketType.Publish ? Buffer.from(packet.payload).toString() : ''
    )
    expect(sent.toSorted()).toEqual(['overtakes', 'waits'])
    subscriber.ignoresTheRest()
    await subscriber.dropsConnection()
    const back = await subscriber.reconnects()
    for (const payload of sent) await back.receives({ type: PacketType.Publish, payload, dup: true })
  }
)
