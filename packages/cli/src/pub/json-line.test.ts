import { describe, expect, test } from 'vitest'
import { jsonFormat } from '../sub/json-format.ts'
import { publicationOfJson } from './json-line.ts'

const usual = { qos: 1, retain: false } as const

describe('a line of JSON', () => {
  test('says a message', () => {
    const line = {
      topic: 'a',
      payload: 'x',
      qos: 2,
      retain: true,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
        contentType: 'text/plain',
        responseTopic: 'r',
        correlationDataBase64: 'AP8=',
        userProperties: [['k', 'v']]
      }
    }
    expect(publicationOfJson(JSON.stringify(line), 1, undefined, usual)).toEqual({
      topic: 'a',
      payload: 'x',
      options: {
        qos: 2,
        retain: true,
        isUtf8: true,
        expirySeconds: 60,
        contentType: 'text/plain',
        responseTopic: 'r',
        correlationData: Buffer.from([0, 255]),
        userProperties: [['k', 'v']]
      }
    })
  })

  test('takes what it leaves out from the flags', () => {
    expect(publicationOfJson('{"payload":""}', 1, 'usual', usual)).toEqual({ topic: 'usual', payload: '', options: usual })
  })

  test.each([
    ['{"payload":{"a":[1]}}', '{"a":[1]}'],
    ['{"payload":21.5}', '21.5'],
    ['{"payload":null}', 'null'],
    ['{"payload":false}', 'false'],
    ['{"payloadBase64":""}', Buffer.alloc(0)],
    ['{"payloadBase64":"AQI="}', Buffer.from([1, 2])]
  ])('%s has a payload', (line, payload) => {
    expect(publicationOfJson(line, 1, 't', usual).payload).toEqual(payload)
  })

  test('may come from sub --json', () => {
    const message = {
      topic: 'a',
      payload: Buffer.from([0xff]),
      qos: 1 as const,
      retain: true,
      dup: false,
      properties: { contentType: 'x', correlationData: Buffer.from('c'), userProperties: [['sent-at-ms', '1.5']] as const },
      subscriptionIdentifiers: [7],
      receivedAtMs: 2
    }
    const line = Buffer.from(jsonFormat(false, '')(message)).toString()
    expect(publicationOfJson(line, 1, undefined, { qos: 0, retain: false })).toEqual({
      topic: 'a',
      payload: Buffer.from([0xff]),
      options: {
        qos: 1,
        retain: true,
        contentType: 'x',
        correlationData: Buffer.from('c'),
        userProperties: [['sent-at-ms', '1.5']]
      }
    })
  })

  test.each([
    ['x', 'line 3 of standard input is not JSON: '],
    ['[]', 'line 3 of standard input is not a JSON object'],
    ['{"payload":"x"}', 'topic is missing, and there is no --topic for all'],
    ['{"topic":1,"payload":"x"}', 'topic is missing'],
    ['{"topic":"a"}', 'payload is missing; "" is an empty one'],
    ['{"topic":"a","payload":"x","payloadBase64":"eA=="}', 'either payload or payloadBase64, not both'],
    ['{"topic":"a","payloadBase64":"é"}', 'payloadBase64 is not Base64'],
    ['{"topic":"a","payload":"x","qos":3}', 'qos is 3; accepted is 0, 1 or 2'],
    ['{"topic":"a","payload":"x","retain":1}', 'retain is 1; accepted is true or false'],
    ['{"topic":"a","payload":"x","qso":1}', 'qso is not known; accepted is topic, payload, '],
    ['{"topic":"a","payload":"x","properties":[]}', 'properties is not a JSON object'],
    ['{"topic":"a","payload":"x","properties":{"topicAlias":1}}', 'properties.topicAlias is not known'],
    ['{"topic":"a","payload":"x","properties":{"contentType":1}}', 'properties.contentType is not text'],
    [
      '{"topic":"a","payload":"x","properties":{"messageExpiryInterval":"1"}}',
      'properties.messageExpiryInterval is not a number'
    ],
    ['{"topic":"a","payload":"x","properties":{"userProperties":{"a":"b"}}}', 'properties.userProperties is not a list of pairs'],
    ['{"topic":"a","payload":"x","properties":{"userProperties":[["a"]]}}', 'is not a list of pairs of texts, as in']
  ])('%s is refused, with its number', (line, message) => {
    const refused = (): unknown => publicationOfJson(line, 3, undefined, usual)
    expect(refused).toThrow(message)
    expect(refused).toThrow('line 3')
  })
})
