import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish, scenario } from '@godwit/testkit'
import { expect } from 'vitest'

/** Which topic names a filter matches: the specification's own examples, and the edges of its rules. */
const MATCHES: readonly (readonly [filter: string, matching: readonly string[], other: readonly string[]])[] = [
  [
    'sport/tennis/player1/#',
    ['sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player1/score/wimbledon'],
    ['sport/tennis/player10', 'sport/tennis']
  ],
  ['sport/#', ['sport', 'sport/', 'sport/a/b/c'], ['sports', 'Sport']],
  ['#', ['a', '/', 'a/b', '/a', 'a//b'], ['$a', '$own/a', '$/a']],
  ['sport/tennis/+', ['sport/tennis/player1', 'sport/tennis/'], ['sport/tennis', 'sport/tennis/player1/ranking']],
  ['sport/+', ['sport/', 'sport/a'], ['sport', 'sport/a/']],
  ['+', ['a', 'finance'], ['/finance', 'a/', '$a']],
  ['+/+', ['/finance', 'a/b', '/', 'a/'], ['finance', '$a/b', 'a/b/c']],
  ['/+', ['/finance', '/'], ['finance', '/a/b']],
  ['+/tennis/#', ['a/tennis', '/tennis', 'a/tennis/b'], ['tennis', 'a/tenniss', '$a/tennis']],
  ['sport/+/player1', ['sport/tennis/player1', 'sport//player1'], ['sport/player1', 'sport/a/b/player1']],
  ['+/monitor/Clients', ['a/monitor/Clients'], ['$own/monitor/Clients']],
  ['$own/#', ['$own', '$own/a', '$own/a/b'], ['own/a', 'a/$own']],
  ['$own/+/c', ['$own/b/c'], ['a/b/c']],
  ['a/$b', ['a/$b'], ['a/b']],
  ['a/+', ['a/$b'], []],
  ['accounts payable', ['accounts payable'], ['Accounts payable', 'accountspayable']]
]

scenario(
  '[5.0 MQTT-4.7.1-1] [5.0 MQTT-4.7.1-2] [5.0 MQTT-4.7.2-1] [5.0 MQTT-3.3.2-3] filters match the topic names that the specification says',
  async ({ connects }) => {
    const publisher = await connects()
    for (const [filter, matching, other] of MATCHES) {
      const subscriber = await connects()
      await subscriber.subscribes(filter)
      for (const topicName of other) await publisher.publishes(topicName, filter)
      await subscriber.receivesNothing()
      for (const topicName of matching) {
        await publisher.publishes(topicName, filter)
        await subscriber.receives({ type: PacketType.Publish, topicName, payload: filter })
      }
      await subscriber.disconnects()
    }
  }
)

scenario(
  '[5.0 MQTT-4.7.1-1] [5.0 MQTT-4.7.1-2] [5.0 MQTT-4.7.2-1] the same holds for retained messages, the log and shared subscriptions',
  async ({ connects }) => {
    const publisher = await connects()
    for (const [filter, matching, other] of MATCHES) {
      const subscriber = await connects({ sessionExpirySeconds: 60 })
      const member = await connects({ sessionExpirySeconds: 60 })
      await subscriber.subscribes(filter, { qos: 1 })
      await member.subscribes(`$share/g/${filter}`, { qos: 1 })
      await subscriber.dropsConnection()
      await member.dropsConnection()
      for (const topicName of [...other, ...matching]) await publisher.publishes(topicName, filter, { qos: 1, retain: true })
      for (const offline of [subscriber, member]) {
        const back = await offline.reconnects()
        for (const topicName of matching) await back.receives({ type: PacketType.Publish, topicName, payload: filter })
        await back.disconnects({ sessionExpirySeconds: 0 })
      }
      const late = await connects()
      await late.subscribes(filter)
      await late.receivesInAnyOrder(
        ...matching.map((topicName) => ({ type: PacketType.Publish, topicName, retain: true }) as const)
      )
      await late.disconnects()
      for (const topicName of [...other, ...matching]) await publisher.publishes(topicName, '', { retain: true })
    }
  }
)

scenario(
  '[5.0 MQTT-4.7.1-1] [5.0 MQTT-4.7.1-2] [5.0 MQTT-4.7.3-1] filters with misplaced wildcards, or empty, are refused with 0x8F',
  async ({ connects, broker }) => {
    const client = await connects()
    for (const filter of [
      'sport/tennis#',
      'sport/tennis/#/ranking',
      '#/',
      '##',
      'a#/b',
      'sport+',
      '+a',
      'a/+b',
      'a/b+/c',
      '++',
      ''
    ]) {
      await client.subscribes(filter, { expects: [ReasonCode.TopicFilterInvalid] })
      await client.unsubscribes(filter, { expects: [ReasonCode.TopicFilterInvalid] })
    }
    expect(broker.running.counts.subscriptions).toBe(0)
    await client.subscribes(['sport/tennis/#', '#', '+', '+/tennis/#', 'sport/+/player1', '/', '/+', ' '])
  }
)

scenario('[5.0 MQTT-4.7.3-2] Topic Names and Topic Filters contain no U+0000', async ({ connects }) => {
  for (const bytes of ['30 06 00 03 61 00 62 00', '82 09 00 01 00 00 03 61 00 62 00', 'a2 08 00 01 00 00 03 61 00 62']) {
    const client = await connects()
    await client.sendsBytes(bytes)
    await client.isDisconnected({ reasonCode: ReasonCode.MalformedPacket })
  }
})

scenario(
  '[5.0 MQTT-4.7.3-3] Topic Names and Topic Filters of 65,535 bytes are carried in full',
  { limits: { topicBytesMax: 65_535 }, networks: ['whole', 'bytes'] },
  async ({ connects }) => {
    const longest = 'ü'.repeat(32_767) + 'x'
    const subscriber = await connects()
    await subscriber.subscribes([longest, [`${'y'.repeat(65_533)}/+`, { qos: 1 }]])
    const publisher = await connects()
    await publisher.publishes(longest, 'all of it')
    await subscriber.receives({ type: PacketType.Publish, topicName: longest, payload: 'all of it' })
    await publisher.publishes(`${'y'.repeat(65_533)}/z`, 'and this', { qos: 1 })
    await subscriber.receives({ type: PacketType.Publish, topicName: `${'y'.repeat(65_533)}/z`, payload: 'and this' })
  }
)

scenario(
  '[5.0 MQTT-4.7.3-3] longer ones than this server takes are refused without ending the connection',
  async ({ connects }) => {
    const client = await connects()
    await client.publishes('x'.repeat(5000), '', { qos: 1, expects: ReasonCode.TopicNameInvalid })
    await client.subscribes('x'.repeat(5000), { expects: [ReasonCode.TopicFilterInvalid] })
    await client.publishes('x'.repeat(4096), '', { qos: 1, expects: ReasonCode.NoMatchingSubscribers })
  }
)

scenario('[5.0 MQTT-4.7.3-4] nothing is normalized, and no character is altered', async ({ connects }) => {
  const topicNames = [
    'caf\u00e9',
    'cafe\u0301',
    '\ufeffa',
    'a',
    'A',
    'a ',
    ' a',
    '\u212b',
    '\u00c5',
    'a\u0001b',
    '\ufffe',
    '\u{1f986}'
  ]
  const watcher = await connects()
  await watcher.subscribes('#')
  const publisher = await connects()
  for (const filter of topicNames) {
    const subscriber = await connects()
    await subscriber.subscribes(filter)
    for (const topicName of topicNames) {
      await publisher.publishes(topicName, 'x')
      await watcher.receives({ type: PacketType.Publish, topicName })
    }
    await subscriber.receives({ type: PacketType.Publish, topicName: filter })
    await subscriber.receivesNothing()
    await subscriber.disconnects()
  }
})

scenario(
  '[5.0 MQTT-4.7.2-1] clients do not publish under $SYS, the server’s own topics',
  { sysIntervalSeconds: 0 },
  async ({ connects }) => {
    const subscriber = await connects()
    await subscriber.subscribes('$SYS/#')
    const client = await connects()
    await client.publishes('$SYS/uptime', 'mine', { qos: 1, retain: true, expects: ReasonCode.NotAuthorized })
    await client.sends(publish('$SYS/uptime', 'mine'))
    await subscriber.receivesNothing()
  }
)

scenario(
  '[5.0 MQTT-4.7.2-1] what the server publishes under $SYS matches no filter that begins with a wildcard',
  async ({ connects }) => {
    const others = await connects()
    for (const filter of ['#', '+/#', '+/broker/uptime']) await others.subscribes(filter)
    const subscriber = await connects()
    await subscriber.subscribes('$SYS/broker/uptime')
    await subscriber.receives({ type: PacketType.Publish, topicName: '$SYS/broker/uptime', retain: true })
    await others.receivesNothing()
  }
)
