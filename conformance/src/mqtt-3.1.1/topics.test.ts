import { PacketType } from '@godwit/protocol'
import { publish, scenario, subscribe, unsubscribe } from '@godwit/testkit'
import { expect } from 'vitest'

/** Topic Filters with Topic Names that they match, and that they do not. */
const MATCHING = [
  {
    filter: 'sport/tennis/player1/#',
    matches: ['sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player1/score/wimbledon'],
    misses: ['sport/tennis', 'sport/tennis/player10']
  },
  { filter: 'sport/#', matches: ['sport', 'sport/', 'sport/a/b'], misses: ['sports', '/sport'] },
  { filter: '#', matches: ['a', '/', '//', 'a/b/c'], misses: ['$a', '$SYS/a', '$'] },
  {
    filter: 'sport/tennis/+',
    matches: ['sport/tennis/player1', 'sport/tennis/'],
    misses: ['sport/tennis', 'sport/tennis/player1/ranking']
  },
  { filter: 'sport/+', matches: ['sport/', 'sport/a'], misses: ['sport', 'sport/a/'] },
  { filter: '+', matches: ['a', 'finance'], misses: ['/finance', 'a/', '$a'] },
  { filter: '+/+', matches: ['/finance', 'a/b', '/'], misses: ['a', 'a/b/c', '$a/b'] },
  { filter: '/+', matches: ['/finance', '/'], misses: ['finance', '/finance/a', '//'] },
  { filter: '+/tennis/#', matches: ['a/tennis', '/tennis', 'a/tennis/b/c'], misses: ['tennis', '$a/tennis'] },
  {
    filter: 'sport/+/player1',
    matches: ['sport/tennis/player1', 'sport//player1'],
    misses: ['sport/player1', 'sport/a/b/player1']
  },
  { filter: '+/#', matches: ['a', 'a/b', '/'], misses: ['$a/b'] },
  { filter: '$a/#', matches: ['$a', '$a/b'], misses: ['a', 'a/b'] },
  { filter: '$a/+', matches: ['$a/b', '$a/'], misses: ['$a', '$b/a'] },
  { filter: 'a//b', matches: ['a//b'], misses: ['a/b', 'a///b'] },
  { filter: 'a', matches: ['a'], misses: ['A', 'a/', '/a', 'aa', 'a '] },
  { filter: 'caf\u00e9', matches: ['caf\u00e9'], misses: ['cafe\u0301', 'CAF\u00c9'] },
  { filter: 'Å', matches: ['\u00c5'], misses: ['\u212b', 'A\u030a'] },
  { filter: '\u{1f600}/\u00ad', matches: ['\u{1f600}/\u00ad'], misses: ['\u{1f600}/', '\u{1f600}'] }
] as const

for (const { filter, matches, misses } of MATCHING) {
  scenario(
    `[3.1.1 MQTT-3.3.2-3] [3.1.1 MQTT-4.7.2-1] [3.1.1 MQTT-4.7.3-4] "${filter}" matches ${matches.join(', ')}, but not ${misses.join(', ')}`,
    { networks: ['whole'] },
    async ({ connects, broker }) => {
      const subscriber = await connects({ version: 4 })
      await subscriber.subscribes(filter, { qos: 1 })
      const publisher = await connects({ version: 4 })
      for (const topicName of [...matches, ...misses]) await publisher.publishes(topicName, topicName, { qos: 1 })
      for (const topicName of matches) await subscriber.receives({ type: PacketType.Publish, topicName, payload: topicName })
      await subscriber.receivesNothing()
      await subscriber.unsubscribes(filter)
      for (const topicName of matches) await publisher.publishes(topicName, '', { qos: 1 })
      await subscriber.receivesNothing()
      expect(broker.running.counts.subscriptions).toBe(0)
    }
  )
}

for (const topicName of ['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b', '+/']) {
  scenario(
    `[3.1.1 MQTT-4.7.1-1] [3.1.1 MQTT-3.3.2-2] a PUBLISH to "${topicName}" closes the connection and is not passed on`,
    async ({ connects }) => {
      const watcher = await connects({ version: 4 })
      await watcher.subscribes('#')
      for (const qos of [0, 1, 2] as const) {
        const client = await connects({ version: 4 })
        await client.sends(publish(topicName, 'wild', { qos }))
        await client.isClosed()
      }
      await watcher.receivesNothing()
    }
  )

  scenario(`[3.1.1 MQTT-4.7.1-1] a will to "${topicName}" is refused without CONNACK`, async ({ refuses }) => {
    await refuses({ version: 4, clientId: 'device', will: { topicName } }, undefined)
  })
}

const ILL_PLACED = [
  { id: '[3.1.1 MQTT-4.7.1-2]', filters: ['a#', '#a', 'a/#b', 'sport/tennis/#/ranking', '##', '#/', 'a/#/'] },
  { id: '[3.1.1 MQTT-4.7.1-3]', filters: ['a+', '+a', 'sport+', 'a/+b', 'a/b+/c', '++', '+/a+'] },
  { id: '[3.1.1 MQTT-4.7.3-1]', filters: [''] }
]

for (const { id, filters } of ILL_PLACED) {
  for (const filter of filters) {
    scenario(
      `${id} [3.1.1 MQTT-4.8.0-1] "${filter}" is no Topic Filter: to ask for it closes the connection`,
      async ({ connects, broker }) => {
        const subscriber = await connects({ version: 4, cleanStart: false })
        await subscriber.sends(subscribe(1, ['good', filter]))
        await subscriber.isClosed()
        const unsubscriber = await connects({ version: 4 })
        await unsubscriber.sends(unsubscribe(1, [filter]))
        await unsubscriber.isClosed()
        expect(broker.running.counts.subscriptions).toBe(0)
      }
    )
  }
}

scenario('[3.1.1 MQTT-4.7.1-2] [3.1.1 MQTT-4.7.1-3] wildcards that are levels of their own are granted', async ({ connects }) => {
  const client = await connects({ version: 4 })
  await client.subscribes(['#', '/#', 'a/#', '+', '+/+', '+/a/+', 'a/+/#', '/+', '+/'])
})

scenario('[3.1.1 MQTT-4.7.3-1] an empty Topic Name closes the connection', async ({ connects }) => {
  for (const bytes of ['30 02 00 00', '32 04 00 00 00 01']) {
    const client = await connects({ version: 4 })
    await client.sendsBytes(bytes)
    await client.isClosed()
  }
})

scenario(
  '[3.1.1 MQTT-4.7.3-3] topics of 65,535 bytes are taken where the operator allows them',
  { limits: { topicBytesMax: 65_535 }, networks: ['whole', { seed: 1 }] },
  async ({ connects }) => {
    const longest = 'ü'.repeat(32_767) + 'x'
    const client = await connects({ version: 4 })
    await client.subscribes(longest, { qos: 1 })
    await client.publishes(longest, 'far', { qos: 1 })
    await client.receives({ type: PacketType.Publish, topicName: longest, payload: 'far' })
    await client.unsubscribes(longest)
  }
)

scenario(
  '[3.1.1 4.7.2] clients may not publish to the topics of the server itself',
  { sysIntervalSeconds: 0 },
  async ({ connects }) => {
    const watcher = await connects({ version: 4 })
    await watcher.subscribes('$SYS/#')
    const client = await connects({ version: 4 })
    await client.publishes('$SYS/broker/uptime', 'for ever', { qos: 1 })
    await client.publishes('$other/topic', 'fine', { qos: 1 })
    await watcher.receivesNothing()
  }
)
