import { describe, expect, test } from 'vitest'
import { configurationSchema } from './configuration-schema.ts'
import { exposureOf, isLoopbackOrigin } from './exposure.ts'

const hash = '$scrypt$1$1$1$c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdA'
const exposure = (configuration: object) => exposureOf(configurationSchema.parse(configuration))
const tcp = (host: string) => ({ listeners: [{ kind: 'tcp', host, port: 1883 }] })
const tls = { kind: 'tls', host: '0.0.0.0', port: 8883, certificateFile: 'a', keyFile: 'b', caFile: 'c' }

describe('without configured access', () => {
  test.each([
    ['nothing at all', {}],
    ['127.0.0.1', tcp('127.0.0.1')],
    ['another loopback address', tcp('127.1.2.3')],
    ['::1', tcp('::1')],
    ['localhost', tcp('localhost')],
    ['a Unix socket', { listeners: [{ kind: 'unix', path: '/x' }] }],
    ['TLS that requires certificates', { listeners: [{ ...tls, clientCertificates: 'required' }] }],
    ['HTTP for all, without WebSocket', { http: { host: '0.0.0.0', webSocket: false } }],
    ['HTTP for all, switched off', { http: { host: '0.0.0.0', enabled: false } }]
  ])('everybody may connect on %s', (_, configuration) => {
    expect(exposure(configuration)).toEqual({ anonymous: true, isConfigured: false })
  })

  test.each([
    ['all addresses', tcp('0.0.0.0'), 'tcp on 0.0.0.0:1883'],
    ['all addresses of IPv6', tcp('::'), 'tcp on [::]:1883'],
    ['an address of a network', tcp('192.0.2.1'), 'tcp on 192.0.2.1:1883'],
    ['a name that may be anything', tcp('localhost.example.org'), 'tcp on localhost.example.org:1883'],
    ['an address that only looks like loopback', tcp('127.0.0.1.example.org'), 'tcp on 127.0.0.1.example.org:1883'],
    ['TLS without certificates', { listeners: [tls] }, 'tls on 0.0.0.0:8883'],
    ['TLS with optional certificates', { listeners: [{ ...tls, clientCertificates: 'requested' }] }, 'tls on 0.0.0.0:8883'],
    ['WebSocket', { listeners: [{ kind: 'websocket', host: '::', port: 1 }] }, 'websocket on [::]:1'],
    ['HTTP with WebSocket', { http: { host: '0.0.0.0' } }, 'http on 0.0.0.0:8083'],
    [
      'a proxy on this machine',
      { listeners: [{ kind: 'tcp', port: 1883, proxyProtocol: { trustedProxies: ['127.0.0.1'] } }] },
      'tcp on 127.0.0.1:1883'
    ]
  ])('%s is refused, in one line that says how to allow it', (_, configuration, where) => {
    expect(() => exposure(configuration)).toThrow(
      `${where}: without configured access Godwit listens on loopback only; name those who may connect (access.users), ` +
        'or let everybody in with --allow-anonymous (access.anonymous: true)'
    )
  })
})

test.each([
  ['anonymous access', { anonymous: true }, true],
  ['users', { users: [{ name: 'ann', passwordHash: hash }] }, false],
  ['both', { anonymous: true, users: [{ name: 'ann', passwordHash: hash }] }, true],
  ['nobody', { anonymous: false }, false]
])('with %s configured, any address may be listened on', (_, access, anonymous) => {
  expect(exposure({ ...tcp('0.0.0.0'), access })).toEqual({ anonymous, isConfigured: true })
})

test.each([
  ['http://localhost:5173', true],
  ['http://127.0.0.1', true],
  ['https://[::1]:8443', true],
  ['http://app.localhost', true],
  ['https://example.org', false],
  ['http://localhost.example.org', false],
  ['http://127.0.0.1.example.org', false],
  ['http://10.0.0.1', false],
  ['null', false],
  ['', false]
])('a page of %j is of this machine: %s', (origin, expected) => {
  expect(isLoopbackOrigin(origin)).toBe(expected)
})
