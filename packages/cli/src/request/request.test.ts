import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerKinds, type RunningBroker } from '../brokers.test.support.ts'
import { textMatching } from '../expectations.test.support.ts'
import { type Finished, runGodwit, workbench } from '../godwit.test.support.ts'

const bench = workbench()

describe.each(brokerKinds)('godwit request over $name', (kind) => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await kind.start()))
  afterAll(() => broker.stop())

  const request = (...args: readonly string[]): Promise<Finished> => runGodwit(['request', '-p', `${broker.port}`, ...args])

  /** Answers each request for a topic, in another's client. */
  async function responder(topic: string, answer: (question: string) => string | undefined): Promise<void> {
    const client = await connectAsync({ port: broker.port, protocolVersion: 5, reconnectPeriod: 0 })
    bench.cleanup(() => client.end(true))
    client.on('message', (_topic, payload, { properties: { responseTopic = '', correlationData } = {} }) => {
      const reply = answer(payload.toString())
      const properties = { contentType: 'text/plain', ...(correlationData === undefined ? {} : { correlationData }) }
      if (reply !== undefined) client.publish(responseTopic, reply, { qos: 1, properties })
    })
    await client.subscribeAsync(topic, { qos: 1 })
  }

  test('prints the reply', async () => {
    await responder('svc/double', (question) => `${Number(question) * 2}`)
    expect(await request('svc/double', '21')).toEqual({ code: 0, stdout: '42\n', stderr: '' })
    expect(await request('-t', 'svc/double', '-m', '4', '-N', '-q', '2')).toEqual({ code: 0, stdout: '8', stderr: '' })
    const { stdout } = await request('svc/double', '1', '--json', '--response-topic-prefix', 'mine')
    expect(JSON.parse(stdout)).toMatchObject({
      topic: textMatching(/^mine\/./),
      payload: '2',
      properties: { contentType: 'text/plain' }
    })
  })

  test('27: no reply in time', async () => {
    await responder('svc/silent', () => undefined)
    const { code, stderr } = await request('svc/silent', 'x', '-W', '0.5')
    expect([code, stderr]).toEqual([27, textMatching(/^godwit: No reply came within \d+ ms\n$/)])
  })

  test('6: there is nobody to reply', async () => {
    expect(await request('svc/nobody', 'x')).toEqual({
      code: 6,
      stdout: '',
      stderr: 'godwit: Nobody has subscribed to "svc/nobody"\n'
    })
  })
})

test.each([
  [[], 'the topic is missing: the first argument, or --topic'],
  [['a'], 'the payload is missing: the second argument, --message, --file, --stdin-file or --null-message'],
  [['a', 'x', '-V', 'mqttv311'], 'a request needs 5.0: -V mqttv5, or no -V'],
  [
    ['a', 'x', '-D', 'PUBLISH', 'response-topic', 'r'],
    'the Response Topic and Correlation Data of a request are its own; --response-topic-prefix moves the former'
  ]
])('2: %j', async (args, line) => {
  expect(await runGodwit(['request', ...args])).toEqual({ code: 2, stdout: '', stderr: `godwit: ${line}\n` })
})
