import { describe, expect, test } from 'vitest'
import type { ProfileFlags } from './connection-flags.ts'
import { serversOf, withoutSecrets } from './server-urls.ts'

describe('the servers that flags name', () => {
  const cases: readonly (readonly [flags: ProfileFlags, urls: readonly string[], topics: readonly string[]])[] = [
    [{}, ['mqtt://localhost'], []],
    [{ host: 'broker' }, ['mqtt://broker'], []],
    [{ port: '1884' }, ['mqtt://localhost:1884'], []],
    [{ host: '::1', port: '1884' }, ['mqtt://[::1]:1884'], []],
    [{ host: '[::1]' }, ['mqtt://[::1]'], []],
    [{ port: '8883' }, ['mqtts://localhost:8883'], []],
    [{ cafile: 'ca.pem' }, ['mqtts://localhost'], []],
    [{ tlsUseOsCerts: true, port: '1883' }, ['mqtts://localhost:1883'], []],
    [{ unix: '/run/broker.sock' }, ['unix:/run/broker.sock'], []],
    [{ url: ['mqtt://broker'] }, ['mqtt://broker'], []],
    [{ url: ['mqtt://u:p@broker:1884/a/b'] }, ['mqtt://u:p@broker:1884'], ['a/b']],
    [{ url: ['mqtts://broker/a/+/#'] }, ['mqtts://broker'], ['a/+/#']],
    [{ url: ['tcp://broker/50%?'] }, ['tcp://broker'], ['50%?']],
    [{ url: ['mqtt://broker/'] }, ['mqtt://broker'], []],
    [{ url: ['mqtt://one', 'tls://two/x'] }, ['mqtt://one', 'tls://two'], ['x']],
    [{ url: ['wss://broker/mqtt'] }, ['wss://broker/mqtt'], []],
    [{ url: ['unix:/run/broker.sock'] }, ['unix:/run/broker.sock'], []]
  ]
  test.each(cases)('%j', (flags, urls, topics) => {
    expect(serversOf(flags)).toEqual({ urls, topics })
  })
})

describe('flags that name none', () => {
  const cases: readonly (readonly [flags: ProfileFlags, message: string])[] = [
    [{ port: '0' }, '--port is 0; accepted is a whole number from 1 to 65535'],
    [{ port: 'x' }, '--port is "x"; accepted is a whole number from 1 to 65535'],
    [{ host: '' }, '--host is ""; accepted is a name or an address'],
    [{ host: 'mqtt://broker' }, '--host is "mqtt://broker"; accepted is a name or an address'],
    [{ unix: '' }, '--unix is ""; accepted is a path'],
    [{ unix: '/x', port: '1883' }, '--unix goes without --host, --port and --url'],
    [{ url: ['mqtt://x'], host: 'y' }, '--url goes without --host and --port, which it holds']
  ]
  test.each(cases)('%j', (flags, message) => {
    expect(() => serversOf(flags)).toThrow(message)
  })

  test.each(['http://broker', 'broker', 'mqtt:broker', 'mqtt://', 'mqtt://u:secret@/x'])('--url %s', (url) => {
    expect(() => serversOf({ url: [url] })).toThrow(/^--url is ".*"; accepted is a URL such as mqtt:\/\/host, /)
    expect(() => serversOf({ url: [url] })).not.toThrow('secret')
  })
})

test.each([
  ['mqtt://joe:secret@broker:1884', 'mqtt://broker:1884'],
  ['mqtts://joe@broker/a@b', 'mqtts://broker/a@b'],
  ['mqtt://broker', 'mqtt://broker'],
  ['unix:/run/a@b', 'unix:/run/a@b']
])('of %s is shown %s', (url, shown) => {
  expect(withoutSecrets(url)).toBe(shown)
})
