import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import { directory, load, mistakesIn } from './configuration-file.test.support.ts'
import { startServer } from './start-server.ts'

async function connects(url: string): Promise<MqttClient> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 })
  onTestFinished(() => client.endAsync(true))
  return client
}

test('given a rule and the durable store, then history outlives the broker, and a client gets it and goes on live', async () => {
  const configuration = await load(`
data: ${join(directory, 'data')}
listeners: [{ kind: tcp, port: 0 }]
http: { enabled: false }
history:
  - { topicFilter: 'sensors/#', seconds: 3600, messages: 3 }
`)
  expect(configuration.history).toEqual([{ topicFilter: 'sensors/#', seconds: 3600, messages: 3 }])
  const first = await startServer(configuration)
  const publisher = await connects(first.urls[0] ?? '')
  for (let index = 0; index < 5; index++) await publisher.publishAsync('sensors/x', `m${index}`, { qos: 1 })
  await publisher.endAsync()
  await first.close()

  const second = await startServer(configuration)
  onTestFinished(() => second.close())
  const url = second.urls[0] ?? ''
  const reader = await connects(url)
  const received: string[] = []
  const messages = new Promise<void>((resolve) => {
    reader.on('message', (_topicName, payload) => {
      if (received.push(payload.toString()) === 4) resolve()
    })
  })
  await reader.subscribeAsync('sensors/#', { qos: 1, properties: { userProperties: { 'godwit-replay': 'all' } } })
  const again = await connects(url)
  await again.publishAsync('sensors/x', 'live', { qos: 1 })
  await messages
  expect(received).toEqual(['m2', 'm3', 'm4', 'live'])
})

test.each([
  ['no bound', '{ topicFilter: a }', /at least one of seconds, messages, bytes/],
  ['a bound of 0', '{ topicFilter: a, messages: 0 }', /messages/],
  ['a filter that is none', "{ topicFilter: 'a/#/b', messages: 1 }", /a topic filter/],
  ['a shared filter', "{ topicFilter: '$share/g/a', messages: 1 }", /not shared/],
  ['a filter twice', '{ topicFilter: a, messages: 1 }, { topicFilter: a, seconds: 1 }', /no other rule/],
  ['a bound with another name', '{ topicFilter: a, second: 1 }', /seconds/]
])('given %s, then it is refused with what is accepted', async (_, rules, mistake) => {
  const lines = await mistakesIn(`history: [${rules}]`)
  expect(lines.join('\n')).toMatch(mistake)
})
