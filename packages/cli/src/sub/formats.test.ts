import { describe, expect, test, vi } from 'vitest'
import { formatOf } from './output-format.ts'
import type { ShownMessage } from './shown-message.ts'
import type { OutputFlags } from './sub-flags.ts'

const AT_MS = Date.UTC(2026, 10, 21, 10, 56, 32, 992) + 0.391

function message(payload: string | Uint8Array, more: Partial<ShownMessage> = {}): ShownMessage {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const common = { topic: 'a/b', qos: 1, retain: false, dup: false, properties: {}, subscriptionIdentifiers: [] } as const
  return { ...common, receivedAtMs: AT_MS, payload: bytes, ...more }
}

const FULL = message('{"a":1}', {
  retain: true,
  properties: {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 60,
    contentType: 'text/plain',
    responseTopic: 'r/t',
    correlationData: Buffer.from('xyz'),
    userProperties: [
      ['k', '1'],
      ['l', '2'],
      ['k', '3'],
      ['sent-at-ms', (AT_MS - 1.5).toFixed(3)]
    ]
  },
  subscriptionIdentifiers: [7, 8]
})

/** What is printed of a message: into a pipe, or on a terminal. */
function printed(
  flags: OutputFlags,
  of: ShownMessage,
  isTTY = false,
  environment: NodeJS.ProcessEnv = { NO_COLOR: '1' }
): string {
  return Buffer.from(formatOf(flags, { isTTY, environment }, () => expect.unreachable())(of)).toString('latin1')
}

describe('into a pipe', () => {
  test.each([
    [{}, 'x', 'x\n'],
    [{ newline: false }, 'x', 'x'],
    [{ verbose: true }, 'x', 'a/b x\n'],
    // As mosquitto_sub has it.
    [{}, '', ''],
    [{ verbose: true }, '', 'a/b (null)\n'],
    [{ verbose: true, newline: false }, 'x', 'a/b x']
  ] as const)('%j: a payload is followed by a line feed', (flags, payload, expected) => {
    expect(printed(flags, message(payload))).toBe(expected)
  })

  test('a payload of any bytes and any length goes as it is', () => {
    const payload = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 256))
    expect(printed({ newline: false }, message(payload))).toBe(payload.toString('latin1'))
    expect(printed({ format: '%p' }, message(payload))).toBe(`${payload.toString('latin1')}\n`)
  })
})

describe('on a terminal', () => {
  test('a payload that would act on it is shown in hexadecimal', () => {
    expect(printed({}, message('\u001b[31mred'), true)).toBe('1b 5b 33 31 6d 72 65 64 (binary, 8 bytes)\n')
    expect(printed({}, message('a\u009bb'), true)).toBe('61 c2 9b 62 (binary, 4 bytes)\n')
    expect(printed({}, message(Buffer.from([0xff])), true)).toBe('ff (binary, 1 byte)\n')
    expect(printed({}, message('tab\tline\r\nend'), true)).toBe('tab\tline\r\nend\n')
  })

  test('a topic that would act on it is escaped', () => {
    expect(printed({ verbose: true }, message('x', { topic: 'a\u001b[2J' }), true)).toBe('a\\u001b[2J x\n')
    expect(printed({ pretty: true }, message('x', { topic: 'a\nb' }), true)).toMatch(/^a\\u000ab {2}/)
  })

  test('a payload that is too long is cut, and says by how much', () => {
    const text = printed({}, message('a'.repeat(22_345)), true)
    expect(text).toBe(`${'a'.repeat(10_000)} \u2026 12,345 more bytes\n`.replace('\u2026', Buffer.from('…').toString('latin1')))
    const binary = printed({}, message(Buffer.alloc(1_500)), true)
    expect(binary).toContain('00 00')
    expect(Buffer.from(binary, 'latin1').toString()).toMatch(/00 … 500 more bytes \(binary, 1,500 bytes\)\n$/)
  })

  test('a character is not cut in two', () => {
    const text = Buffer.from(printed({}, message(`a${'é'.repeat(6_000)}`), true), 'latin1').toString()
    expect(text).toBe(`a${'é'.repeat(4_999)} … 2,002 more bytes\n`)
  })

  test('there are colours, unless NO_COLOR or a dumb terminal asks for none', () => {
    const flags = { pretty: true } as const
    expect(printed(flags, message('x'), true, {}).startsWith('\u001b[1ma/b\u001b[22m  \u001b[2mQoS 1')).toBe(true)
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      expect(printed(flags, message('x'), true, environment)).not.toContain('\u001b')
    }
    expect(printed(flags, message('x'), false, {})).not.toContain('\u001b')
  })
})

describe('--pretty', () => {
  test('says all there is of a message', () => {
    vi.stubEnv('TZ', 'UTC')
    expect(printed({ pretty: true }, FULL).split('\n')).toEqual([
      'a/b  QoS 1, retained, 7 bytes, 10:56:32.992, latency 1.5 ms',
      '  Content Type: text/plain',
      '  Payload Format: UTF-8',
      '  Message Expiry Interval: 60 s',
      '  Response Topic: r/t',
      '  Correlation Data: xyz',
      '  User Property: k = 1',
      '  User Property: l = 2',
      '  User Property: k = 3',
      '  {"a":1}',
      '',
      ''
    ])
  })

  test.each([
    [0.0415, 'latency 42 µs'],
    [12.34, 'latency 12.3 ms'],
    [65_400, 'latency 65.4 s'],
    [-3, 'latency -3.0 ms: the clocks differ']
  ])('a latency of %d ms is %s', (latencyMs, text) => {
    const sent = message('x', {
      receivedAtMs: 1_000_000,
      properties: { userProperties: [['sent-at-ms', `${1_000_000 - latencyMs}`]] }
    })
    expect(Buffer.from(printed({ pretty: true }, sent), 'latin1').toString()).toContain(text)
  })

  test('a time that is none has no latency', () => {
    const sent = message('x', { properties: { userProperties: [['sent-at-ms', 'yesterday']] } })
    expect(printed({ pretty: true }, sent)).not.toContain('latency')
  })

  test('an empty payload, one of several lines, and one that was sent again', () => {
    expect(printed({ pretty: true }, message(''))).toContain('\n  (empty)\n\n')
    expect(printed({ pretty: true }, message('a\nb', { dup: true }))).toMatch(
      /^a\/b {2}QoS 1, sent again, 3 bytes, .*\n {2}a\n {2}b\n\n$/
    )
  })
})

describe('--json', () => {
  test('has fields that stay as they are', () => {
    expect(JSON.parse(printed({ json: true }, FULL))).toEqual({
      topic: 'a/b',
      payload: '{"a":1}',
      bytes: 7,
      qos: 1,
      retain: true,
      dup: false,
      receivedAt: '2026-11-21T10:56:32.992Z',
      latencyMs: 1.5,
      subscriptionIdentifiers: [7, 8],
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
        contentType: 'text/plain',
        responseTopic: 'r/t',
        correlationDataBase64: 'eHl6',
        userProperties: FULL.properties.userProperties
      }
    })
    expect(printed({ json: true }, message('x'))).toBe(
      '{"topic":"a/b","payload":"x","bytes":1,"qos":1,"retain":false,"dup":false,"receivedAt":"2026-11-21T10:56:32.992Z","properties":{}}\n'
    )
  })

  test('gives bytes that are no text as Base64, and nothing for them as text', () => {
    const parsed: unknown = JSON.parse(printed({ json: true }, message(Buffer.from([1, 255]))))
    expect(parsed).toMatchObject({ payloadBase64: 'Af8=', bytes: 2 })
    expect(parsed).not.toHaveProperty('payload')
  })

  test('is one line, or with --pretty several', () => {
    expect(printed({ json: true }, message('a\nb')).match(/\n/g)).toHaveLength(1)
    expect(printed({ json: true, pretty: true }, message('x'))).toMatch(/^\{\n {2}"topic"/)
  })
})

describe('--format', () => {
  test.each([
    ['%t|%p|%q|%r|%l', 'a/b|{"a":1}|1|1|7'],
    ['%C|%D|%E|%F|%R|%S|%L', 'text/plain|xyz|60|1|r/t|7,8|1.500'],
    ['%P', `k:1 l:2 k:3 sent-at-ms:${(AT_MS - 1.5).toFixed(3)}`],
    ['%x %X', '7b2261223a317d 7B2261223A317D'],
    ['%10t|%-10t|%.1t|%5.2t|%-5.2t|', '       a/b|a/b       |a|   a/|a/   |'],
    ['%5l|%05l|%-05l|', '    7|00007|7    |'],
    ['%10p|%-10p|', '   {"a":1}|{"a":1}   |'],
    ['100%% @@ \\\\ \\t\\e\\a\\0', '100% @ \\ \t\u001b\u0007\0']
  ])('%s', (format, expected) => {
    expect(printed({ format, newline: false }, FULL)).toBe(expected)
  })

  test('the time of arrival, in local time', () => {
    vi.stubEnv('TZ', 'Europe/Berlin')
    const shown = (format: string): string => printed({ format, newline: false }, FULL)
    expect(shown('%I|%U')).toBe('2026-11-21T11:56:32+0100|1795258592.992391000')
    expect(shown('@Y-@m-@dT@H:@M:@S@z @N @s')).toBe('2026-11-21T11:56:32+0100 992391000 1795258592')
    expect(shown('@a @A @b @B @j @U @W @V @u @w @I @p @y @C')).toBe('Sat Saturday Nov November 325 46 46 47 6 6 11 AM 26 20')
    expect(shown('@c|@D|@F|@r|@R|@T|@e')).toBe('Sat Nov 21 11:56:32 2026|11/21/26|2026-11-21|11:56:32 AM|11:56|11:56:32|21')
  })

  test.each([
    ['2027-01-01', '2026-W53-5'],
    ['2024-12-30', '2025-W01-1'],
    ['2020-12-31', '2020-W53-4']
  ])('ISO 8601 has %s in week %s', (day, week) => {
    const of = message('x', { receivedAtMs: new Date(`${day}T12:00:00`).getTime() })
    expect(printed({ format: '@G-W@V-@u', newline: false }, of)).toBe(week)
  })

  test('%j as mosquitto_sub prints it', () => {
    vi.stubEnv('TZ', 'UTC')
    expect(JSON.parse(printed({ format: '%j' }, FULL))).toEqual({
      tst: '2026-11-21T10:56:32.992391+0000',
      topic: 'a/b',
      qos: 1,
      retain: 1,
      payloadlen: 7,
      properties: {
        'content-type': 'text/plain',
        'correlation-data': 'xyz',
        'payload-format-indicator': 1,
        'user-properties': { k: ['1', '3'], l: '2', 'sent-at-ms': (AT_MS - 1.5).toFixed(3) },
        'response-topic': 'r/t',
        'message-expiry-interval': 60
      },
      payload: '{"a":1}'
    })
    expect(JSON.parse(printed({ format: '%j' }, message('')))).not.toHaveProperty('properties')
    expect(JSON.parse(printed({ format: '%j' }, message('')))).toMatchObject({ payload: null })
    expect(JSON.parse(printed({ format: '%j' }, message(Buffer.from([1, 255]))))).toMatchObject({ 'payload-hex': '01ff' })
  })

  test('%J has the payload as JSON, and says when it is none', () => {
    expect(JSON.parse(printed({ format: '%J' }, FULL))).toMatchObject({ payload: { a: 1 } })
    const told: string[] = []
    const format = formatOf({ format: '<%J>' }, { isTTY: false, environment: {} }, (what) => told.push(what))
    expect(Buffer.from(format(message('no'))).toString()).toBe('<>\n')
    expect(told).toEqual(['the payload is not JSON, on topic a/b'])
  })

  test.each([
    ['%m', "--format has %m: the Packet Identifier is the connection's own and cannot be had"],
    ['%A', '--format has %A: the Topic Alias'],
    ['%k', '--format has "%k"; accepted after % is '],
    ['%', '--format has "%"; accepted after % is '],
    ['%constructor', '--format has "%c"; accepted after % is '],
    ['@Q', '--format has "@Q"; accepted after @ is '],
    ['\\q', '--format has "\\\\q"; accepted after \\ is ']
  ])('%s is refused', (format, text) => {
    expect(() => printed({ format }, FULL)).toThrow(text)
  })

  test('and --json contradict each other', () => {
    expect(() => printed({ format: '%p', json: true }, FULL)).toThrow('either --json or --format, not both')
  })
})
