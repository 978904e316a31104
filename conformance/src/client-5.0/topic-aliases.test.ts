import { PacketType, ReasonCode } from '@godwit/protocol'
import { publish } from '@godwit/testkit'
import { expect } from 'vitest'
import { isDisconnected, served } from '../client-scenario.test.support.ts'

served(
  '[5.0 MQTT-3.2.2-17] [5.0 MQTT-3.3.2-8] [5.0 MQTT-3.3.2-9] topics get the aliases from 1 to the maximum, and share them when there are more',
  async ({ connects }) => {
    const [client, server] = await connects({}, { topicAliasMaximum: 2 })
    const sent: (string | number | undefined)[][] = []
    for (const topic of ['a', 'a', 'b', 'b', 'a', 'c', 'a', 'b', 'c']) {
      void client.publish(topic, '')
      const { topicName, properties } = await server.receives({ type: PacketType.Publish })
      sent.push([topicName, properties.topicAlias])
    }
    expect(sent).toEqual([
      ['a', 1],
      ['', 1],
      ['b', 2],
      ['', 2],
      ['', 1],
      ['c', 2],
      ['', 1],
      ['b', 2],
      ['c', 1]
    ])
  }
)

served('[5.0 MQTT-3.3.2-7] a new connection begins without aliases', async ({ connects, isCalledAgain }) => {
  const [client, first] = await connects({}, { topicAliasMaximum: 5 })
  void client.publish('a', '')
  await first.receives({ type: PacketType.Publish, topicName: 'a', properties: { topicAlias: 1 } })
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts({ topicAliasMaximum: 5, sessionPresent: true })
  void client.publish('a', '')
  await second.receives({ type: PacketType.Publish, topicName: 'a', properties: { topicAlias: 1 } })
})

served(
  '[5.0 MQTT-3.3.2-7] what is sent again on a connection with other limits has its topic',
  async ({ connects, isCalledAgain }) => {
    const [client, first] = await connects({ sessionExpirySeconds: 60 }, { topicAliasMaximum: 5 })
    void client.publish('a', '1', { qos: 1 })
    void client.publish('a', '2', { qos: 1 })
    await first.receives({ type: PacketType.Publish, topicName: 'a' })
    await first.receives({ type: PacketType.Publish, topicName: '' })
    await first.breaks()
    const second = await isCalledAgain()
    await second.accepts({ sessionPresent: true })
    await second.receives({ type: PacketType.Publish, topicName: 'a', payload: '1', properties: {} })
    await second.receives({ type: PacketType.Publish, topicName: 'a', payload: '2', properties: {} })
  }
)

served('[5.0 MQTT-3.3.2-10] every alias up to the maximum of CONNECT is honoured, and set anew', async ({ connects }) => {
  const [client, server] = await connects({ topicAliasMaximum: 3 })
  expect(server.connect.properties.topicAliasMaximum).toBe(3)
  const topics: string[] = []
  client.subscribe('#', {}, ({ topic }) => topics.push(topic))
  await server.receives({ type: PacketType.Subscribe })
  const alias = (topicName: string, topicAlias: number) => publish(topicName, '', { topicAlias })
  await server.sends(alias('a', 1), alias('b', 2), alias('c', 3), alias('', 2), alias('', 3), alias('', 1))
  await server.sends(alias('d', 2), alias('', 2), publish('e'))
  expect(topics).toEqual(['a', 'b', 'c', 'b', 'c', 'a', 'd', 'd', 'e'])
})

served('[5.0 MQTT-3.3.2-7] aliases of the server end with their connection', async ({ connects, isCalledAgain }) => {
  const [, first] = await connects()
  await first.sends(publish('a', '', { topicAlias: 1 }))
  await first.breaks()
  const second = await isCalledAgain()
  await second.accepts()
  await second.sends(publish('', '', { topicAlias: 1 }))
  await isDisconnected(second, ReasonCode.TopicAliasInvalid)
})

for (const [what, topicAlias] of [
  ['above the maximum', 4],
  ['far above it', 0xffff]
] as const) {
  served(`[5.0 MQTT-3.3.2-10] a Topic Alias ${what} ends the connection`, async ({ connects }) => {
    const [, server] = await connects({ topicAliasMaximum: 3 })
    await server.sends(publish('a', '', { topicAlias }))
    await isDisconnected(server, ReasonCode.TopicAliasInvalid)
  })
}

served('[5.0 MQTT-3.3.2-8] Topic Alias 0 ends the connection', async ({ connects }) => {
  const [, server] = await connects()
  await server.sendsBytes('30 07 00 01 74 03 23 00 00')
  await isDisconnected(server, ReasonCode.TopicAliasInvalid)
})
