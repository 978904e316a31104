import { describe, expect, test } from 'vitest'
import { joinProperties, propertiesOf } from './properties.ts'

const takesValue = (arg: string): boolean => ['-D', '--property', '-m', '--message'].includes(arg)

function given(...args: readonly string[]): ReturnType<typeof propertiesOf> {
  const joined = joinProperties(args, takesValue)
  return propertiesOf(joined.filter((_, index) => joined[index - 1] === '-D'))
}

describe('-D', () => {
  test('takes a packet, a name and a value; user-property a name and a value more', () => {
    const args = [
      '-D',
      'PUBLISH',
      'content-type',
      'text/plain',
      '--property',
      'publish',
      'user-property',
      'a',
      '-D',
      'topic',
      '-r'
    ]
    expect(joinProperties(args, takesValue)).toEqual([
      '-D',
      'PUBLISH\0content-type\0text/plain',
      '--property',
      'publish\0user-property\0a\0-D',
      'topic',
      '-r'
    ])
  })

  test('is none where another flag has it as its value, nor behind --', () => {
    const args = ['-m', '-D', '--message', '--property', '--', '-D', 'a', 'b', 'c']
    expect(joinProperties(args, takesValue)).toEqual(args)
  })

  test('without enough behind it: said when it is looked at', () => {
    expect(joinProperties(['-D'], takesValue)).toEqual(['-D'])
    expect(() => given('-D', 'PUBLISH')).toThrow('-D PUBLISH : accepted is ')
    expect(() => given('-D', 'PUBLISH', 'content-type')).toThrow('-D PUBLISH content-type takes a value')
    expect(() => given('-D', 'WILL', 'user-property', 'a')).toThrow('-D WILL user-property takes a name and a value')
  })

  test('sets properties by packet', () => {
    const properties = [
      ['CONNECT', 'receive-maximum', '10'],
      ['CONNECT', 'user-property', 'a', 'b'],
      ['publish', 'payload-format-indicator', '1'],
      ['PUBLISH', 'message-expiry-interval', '4294967295'],
      ['PUBLISH', 'correlation-data', 'é'],
      ['PUBLISH', 'response-topic', 'r'],
      ['PUBLISH', 'user-property', 'a', '1'],
      ['PUBLISH', 'user-property', 'a', '2'],
      ['WILL', 'will-delay-interval', '0'],
      ['SUBSCRIBE', 'user-property', 's', ''],
      ['DISCONNECT', 'session-expiry-interval', '60']
    ]
    expect(given(...properties.flatMap((words) => ['-D', ...words]))).toEqual({
      connect: { receiveMaximum: 10, userProperties: [['a', 'b']] },
      publish: {
        isUtf8: true,
        expirySeconds: 4_294_967_295,
        correlationData: Buffer.from('é'),
        responseTopic: 'r',
        userProperties: [
          ['a', '1'],
          ['a', '2']
        ]
      },
      will: { delaySeconds: 0 },
      subscribe: { userProperties: [['s', '']] },
      disconnect: { sessionExpirySeconds: 60 }
    })
  })

  test.each([
    [['PUBACK', 'user-property', 'a', 'b'], '-D PUBACK: accepted is CONNECT, PUBLISH, WILL, SUBSCRIBE or DISCONNECT'],
    [['PUBLISH', 'topic-alias', '1'], '-D PUBLISH topic-alias: Godwit sees to that by itself'],
    [['SUBSCRIBE', 'content-type', 'x'], '-D SUBSCRIBE content-type: accepted is user-property'],
    [['DISCONNECT', 'user-property', 'a', 'b'], '-D DISCONNECT user-property: accepted is session-expiry-interval'],
    [
      ['PUBLISH', 'message-expiry-interval', '0'],
      '-D PUBLISH message-expiry-interval is 0; accepted is a whole number from 1 to 4294967295'
    ],
    [['CONNECT', 'receive-maximum', '65536'], '-D CONNECT receive-maximum is 65536; accepted is a whole number from 1 to 65535']
  ])('%j is refused', (words, message) => {
    expect(() => given('-D', ...words)).toThrow(message)
  })
})
