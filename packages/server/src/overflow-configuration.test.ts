import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import { load, mistakesIn } from './configuration-file.test.support.ts'
import type { Server } from './server.ts'
import { startServer } from './start-server.ts'

async function start(text: string): Promise<Server> {
  const server = await startServer(await load(text))
  onTestFinished(() => server.close())
  return server
}

/** A client that asks for its session to be kept. */
async function connects(url: string, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(url, {
    clientId,
    clean: false,
    protocolVersion: 5,
    reconnectPeriod: 0,
    properties: { sessionExpiryInterval: 3600 },
    ...options
  })
  onTestFinished(() => client.endAsync(true))
  return client
}

/** The broker has noticed that a client is gone. */
async function leaves({ broker }: Server, client: MqttClient): Promise<void> {
  const gone = new Promise((resolve) => broker.events.on('clientDisconnected', resolve))
  await client.endAsync(true)
  await gone
}

test('given rules and named listeners, then each backlog is treated by the rule for its listener and its filter', async () => {
  const server = await start(`
memory: true
http: { port: 0 }
listeners:
  - { kind: tcp, port: 0, name: fleet }
overflow:
  - { listeners: [fleet], topicFilter: commands/#, action: refuse, messagesMax: 1 }
  - { listeners: [http], topicFilter: commands/#, action: dead-letter, messagesMax: 1, deadLetterTopic: 'missed/{topic}' }
`)
  const [tcp = '', webSocket = ''] = server.urls
  const operator = await connects(tcp, 'operator')
  await operator.subscribeAsync('missed/#', { qos: 1 })
  const missed = new Promise<string>((resolve) =>
    operator.on('message', (topic, payload) => resolve(`${topic} ${payload.toString()}`))
  )

  const page = await connects(webSocket, 'page')
  await page.subscribeAsync('commands/page', { qos: 1 })
  await leaves(server, page)
  for (const payload of ['1', '2']) await operator.publishAsync('commands/page', payload, { qos: 1 })
  expect(await missed).toBe('missed/commands/page 1')

  const device = await connects(tcp, 'device')
  await device.subscribeAsync('commands/+', { qos: 1 })
  await leaves(server, device)
  await operator.publishAsync('commands/device', '1', { qos: 1 })
  await expect(operator.publishAsync('commands/device', '2', { qos: 1 })).rejects.toThrow('Quota exceeded')
  const fates = [...server.broker.fates].filter(([fate]) => fate === 'dead-lettered' || fate === 'queue-full-refused')
  expect(fates.map(([fate, total]) => `${fate} ${String(total)}`).toSorted()).toEqual(['dead-lettered 1', 'queue-full-refused 1'])
})

test('given mistakes, then each is told with what is accepted', async () => {
  const mistakes = await mistakesIn(`memory: true
listeners:
  - { kind: tcp, port: 1883 }
  - { kind: tcp, port: 1884, name: tcp-1883 }
overflow:
  - { action: drop }
  - { action: refuse, listeners: [fleet] }
  - { action: refuse, topicFilter: a/#/b }
  - { action: refuse, messagesMax: 0 }
`)
  expect(mistakes).toEqual([
    'FILE:6:15: overflow[0].action is "drop"; accepted is refuse, drop-oldest, drop-newest, dead-letter',
    'FILE:9:36: overflow[3].messagesMax is 0; accepted is a whole number from 1 to 4294967295'
  ])
})

test('given rules that can only be wrong together, then that is told as well', async () => {
  const mistakes = await mistakesIn(`memory: true
listeners:
  - { kind: tcp, port: 1883 }
  - { kind: tcp, port: 1884, name: tcp-1883 }
overflow:
  - { action: refuse, listeners: [fleet] }
`)
  expect(mistakes).toEqual([
    'FILE:4:36: listeners[1].name is "tcp-1883"; accepted is a name that no other listener has',
    'FILE:6:35: overflow[0].listeners[0] is "fleet"; accepted is tcp-1883, http'
  ])
})

test('given a rule that contradicts itself, then that is told as well', async () => {
  const mistakes = await mistakesIn(`memory: true
overflow:
  - { action: refuse, topicFilter: a/#/b }
  - { action: dead-letter, deadLetterTopic: 'lost/{topic}' }
`)
  expect(mistakes).toEqual([
    'FILE:3:36: overflow[0].topicFilter is "a/#/b"; accepted is a topic filter: # must be a level of its own, and the last',
    `FILE:4:45: overflow[1].deadLetterTopic is "lost/{topic}"; accepted is a topic that the rule's own topicFilter, #, does not match`
  ])
})
