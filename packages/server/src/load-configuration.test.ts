import { join } from 'node:path'
import { LIMITS } from '@godwit/broker'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonSchemaOf, propertiesOf, type SchemaNode } from './accepted-values.ts'
import { directory, load, mistakesIn } from './configuration-file.test.support.ts'
import { configurationSchema } from './configuration-schema.ts'
import { loadConfiguration, type Override } from './load-configuration.ts'

const hash = '$scrypt$1$1$1$c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA'

const at =
  (...path: (string | number)[]): Override['place'] =>
  () => [path]

describe('what is read', () => {
  test.each([
    ['no file', undefined],
    ['an empty file', ''],
    ['a file of comments', '# nothing\n'],
    ['an empty mapping', '{}']
  ])('%s gives the defaults: loopback, and every limit as the engine has it', async (_, text) => {
    const configuration = await (text === undefined ? loadConfiguration() : load(text))
    expect(configuration).toMatchObject({
      listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 1883 }],
      http: { enabled: true, host: '127.0.0.1', port: 8083, webSocket: true, webSocketPath: '/mqtt' },
      access: { users: [] },
      memory: false,
      features: { maximumQoS: 2 },
      log: { level: 'info', format: 'text' }
    })
    expect(configuration.access.anonymous).toBeUndefined()
    expect(configuration.limits).toEqual(Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])))
  })

  test('JSON is read as well', async () => {
    expect(await load('{ "limits": { "clientsMax": 7 }, "listeners": [] }')).toMatchObject({
      limits: { clientsMax: 7 },
      listeners: []
    })
  })

  test('paths are relative to the file; a directory that is not there is not made', async () => {
    const { data, listeners } = await load('data: kept\nlisteners: [{ kind: unix, path: godwit.sock }]')
    expect(data).toBe(join(directory, 'kept'))
    expect(listeners).toEqual([{ kind: 'unix', path: join(directory, 'godwit.sock') }])
  })

  test('what is given elsewhere goes before the file', async () => {
    const configuration = await load('log: { level: debug, format: json }\nhttp: { port: 1 }', [
      { origin: '--log-level', value: 'warn', place: at('log', 'level') },
      { origin: '--http-port', value: 2, place: at('http', 'port') }
    ])
    expect(configuration).toMatchObject({ log: { level: 'warn', format: 'json' }, http: { port: 2 } })
  })
})

describe('a mistake is one line with its place, its key, what was found and what is accepted', () => {
  const cases: readonly (readonly [text: string, line: string])[] = [
    ['limits:\n  clientsMax: many', 'FILE:2:15: limits.clientsMax is "many"; accepted is a whole number from 1 to 4294967295'],
    ['limits: { receiveMaximum: 0 }', 'FILE:1:27: limits.receiveMaximum is 0; accepted is a whole number from 1 to 65535'],
    ['limits: { receiveMaximum: 1.5 }', 'FILE:1:27: limits.receiveMaximum is 1.5; accepted is a whole number from 1 to 65535'],
    ['limits: { receiveMaximum: 1e99 }', 'FILE:1:27: limits.receiveMaximum is 1e+99; accepted is a whole number from 1 to 65535'],
    ['limits: { receiveMaximum: }', 'FILE:1:27: limits.receiveMaximum is empty; accepted is a whole number from 1 to 65535'],
    ['limits: { clientMax: 3 }', 'FILE:1:11: limits.clientMax is not a key; did you mean clientsMax?'],
    ['http: { enabled: yes }', 'FILE:1:18: http.enabled is "yes"; accepted is true or false'],
    [
      'http: 8083',
      'FILE:1:7: http is 8083; accepted is a mapping with enabled, host, port, webSocket, webSocketPath, allowedOrigins'
    ],
    [
      'http: { allowedOrigins: [https://example.org/] }',
      'FILE:1:26: http.allowedOrigins[0] is "https://example.org/"; accepted is an origin such as https://example.org'
    ],
    ['http: { webSocketPath: mqtt }', 'FILE:1:24: http.webSocketPath is "mqtt"; accepted is a path that begins with /'],
    ['features: { maximumQoS: 3 }', 'FILE:1:25: features.maximumQoS is 3; accepted is 0, 1, 2'],
    [
      'shareStrategy: any',
      'FILE:1:16: shareStrategy is "any"; accepted is round-robin, random, least-inflight, sticky, hash-topic, hash-client'
    ],
    ['listeners: []\n\n- 3', 'FILE:2:1: this is not YAML: '],
    ['listeners: 1883', 'FILE:1:12: listeners is 1883; accepted is a list'],
    ['listeners:\n- 1883', 'FILE:2:3: listeners[0] is 1883; accepted is a mapping with kind'],
    ['listeners:\n- port: 1', 'FILE:2:3: listeners[0].kind is missing; accepted is tcp, tls, websocket, secure-websocket, unix'],
    [
      'listeners:\n- kind: tpc\n  port: 1',
      'FILE:2:9: listeners[0].kind is "tpc"; accepted is tcp, tls, websocket, secure-websocket, unix'
    ],
    ['listeners:\n- kind: tcp', 'FILE:2:3: listeners[0].port is missing; accepted is a whole number from 0 to 65535'],
    ['listeners:\n- kind: tcp\n  prot: 1', 'FILE:3:3: listeners[0].prot is not a key; did you mean port?'],
    [
      'listeners: [{ kind: tcp, port: 1, host: "a b" }]',
      'FILE:1:41: listeners[0].host is "a b"; accepted is an address of this machine or a name for one'
    ],
    [
      'listeners: [{ kind: unix, path: a, mode: 660 }]',
      "FILE:1:42: listeners[0].mode is 660; accepted is three octal digits in quotes, such as '660'"
    ],
    [
      'listeners: [{ kind: tcp, port: 1, proxyProtocol: { trustedProxies: [10.0.0.0/33] } }]',
      'FILE:1:69: listeners[0].proxyProtocol.trustedProxies[0] is "10.0.0.0/33"; accepted is an address, or a range such as 10.0.0.0/8'
    ],
    [
      'listeners: [{ kind: tls, port: 1, certificateFile: none.pem, keyFile: godwit.yaml }]',
      `FILE:1:52: listeners[0].certificateFile is "${join(directory, 'none.pem')}", which cannot be read: there is no such file`
    ],
    [
      'listeners: [{ kind: tls, port: 1, certificateFile: ., keyFile: godwit.yaml }]',
      `FILE:1:52: listeners[0].certificateFile is "${directory}"; accepted is the path of a file`
    ],
    [
      'access: { users: [{ name: ann, passwordHash: hunter2 }] }',
      'FILE:1:46: access.users[0].passwordHash is not a line that `godwit hash-password` made'
    ],
    [
      `access:\n  users:\n  - { name: ann, passwordHash: ${hash} }\n  - { name: ann, passwordHash: ${hash} }`,
      'FILE:4:13: access.users[1].name is "ann"; accepted is a name that no other user has'
    ],
    [
      'access: { users: [{ name: ann, password: hunter2 }] }',
      'FILE:1:32: access.users[0].password is not a key; did you mean passwordHash?'
    ],
    ['log: { level: loud }', 'FILE:1:15: log.level is "loud"; accepted is debug, info, warn, error, silent'],
    [
      'memory: true\ndata: there',
      `FILE:2:7: data is "${join(directory, 'there')}"; accepted is either \`data\` or \`memory: true\`, not both`
    ],
    ['- 1', 'FILE:1:1: the configuration is a list; accepted is a mapping with listeners, '],
    ['log: {}\nlog: {}', 'FILE:2:1: this is not YAML: Map keys must be unique'],
    ['log: { level: "loud }', 'FILE:1:'],
    ['data: !secret x', 'FILE:1:7: this is not YAML: Unresolved tag: !secret'],
    ['data: *nowhere', 'FILE'],
    ['__proto__: { log: {} }', 'FILE:1:1: __proto__ is not a key; accepted are listeners, ']
  ]
  test.each(cases)('%j', async (text, line) => {
    const [only, ...others] = await mistakesIn(text)
    expect(only).toContain(line)
    expect(only).not.toContain('\n')
    expect(only).not.toContain('hunter2')
    expect(others).toEqual([])
  })

  test('a flag is named as it was typed, not as a key', async () => {
    const override = { origin: '--http-port', value: 'x', place: at('http', 'port') }
    expect(await mistakesIn('http: { host: "" }', [override])).toEqual([
      'FILE:1:15: http.host is ""; accepted is an address of this machine or a name for one',
      '--http-port is "x"; accepted is a whole number from 0 to 65535'
    ])
  })

  test('a flag does not hide that what it belongs to is of the wrong kind', async () => {
    const override = { origin: '--http-port', value: 1, place: at('http', 'port') }
    expect(await mistakesIn('http: 3', [override])).toEqual([
      expect.stringContaining('FILE:1:7: http is 3; accepted is a mapping')
    ])
  })

  test.each([
    ['is not there', 'none.yaml', 'there is no such file'],
    ['is a directory', '', 'it is a directory']
  ])('a file that %s', async (_, name, reason) => {
    const path = join(directory, name)
    await expect(loadConfiguration({ file: path })).rejects.toThrow(`${path}: the configuration file cannot be read: ${reason}`)
  })
})

/** Every mapping of the schema that a file can have without further keys: its path and the keys in it. */
function mappings(node: SchemaNode, path: readonly string[] = []): (readonly [readonly string[], readonly string[]])[] {
  const properties = propertiesOf(node)
  const inner = Object.entries(properties).flatMap(([key, child]) =>
    child['type'] === 'object' ? mappings(child, [...path, key]) : []
  )
  return [[path, Object.keys(properties)], ...inner]
}

describe('any mistyped key', () => {
  const keys = mappings(jsonSchemaOf(configurationSchema)).flatMap(([path, names]) =>
    names.map((name) => ({ path, name, names }))
  )

  test('is named in one line, with its place', async () => {
    const mistyped = fc
      .record({
        key: fc.constantFrom(...keys),
        at: fc.nat(),
        letter: fc.constantFrom(...'abcxyzABZ019_-'.split('')),
        how: fc.nat(2)
      })
      .map(({ key: { path, name, names }, at, letter, how }) => {
        const index = at % name.length
        const wrong = `${name.slice(0, index)}${how === 0 ? '' : letter}${name.slice(index + (how === 1 ? 0 : 1))}`
        return { path, names, wrong }
      })
      .filter(({ names, wrong }) => wrong !== '' && !names.includes(wrong) && !/^[-\d]/.test(wrong))
    const property = fc.asyncProperty(mistyped, async ({ path, wrong }) => {
      const text = [...path, wrong].map((key, depth) => `${'  '.repeat(depth)}${key}:`).join('\n')
      const lines = await mistakesIn(`${text} 1\n`)
      const column = path.length * 2 + 1
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain(`FILE:${path.length + 1}:${column}: ${[...path, wrong].join('.')} is not a key; `)
    })
    await fc.assert(property, { numRuns: 300 })
  })

  test('has a known key to compare with', () => {
    expect(keys.length).toBeGreaterThan(Object.keys(LIMITS).length + 20)
  })
})

describe('any value out of its bounds', () => {
  test.each(Object.entries(LIMITS))('limits.%s is named in one line', async (name, { min, max }) => {
    const accepted = `accepted is a whole number from ${min} to ${max}`
    for (const value of [min - 1, max + 1, -1 - max]) {
      expect(await mistakesIn(`limits: { ${name}: ${value} }`)).toEqual([
        `FILE:1:${name.length + 13}: limits.${name} is ${value}; ${accepted}`
      ])
    }
    expect(await mistakesIn(`limits: { ${name}: ${min} }`)).toEqual([])
    expect(await mistakesIn(`limits: { ${name}: ${max} }`)).toEqual([])
  })

  test('bytes that are no configuration are refused in lines, whatever they are', async () => {
    const property = fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
      for (const line of await mistakesIn(text)) expect(line).toMatch(/^FILE.*: .*(accepted|did you mean|this is not YAML)/)
    })
    await fc.assert(property, { numRuns: 300 })
  })
})
