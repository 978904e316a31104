import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionFlags, ProfileFlags } from './connection-flags.ts'
import { checkName, profileOf, profilesFile, readProfiles, withoutPasswords, withProfile, writeProfiles } from './profiles.ts'

let environment: NodeJS.ProcessEnv
let file: string

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-profiles-'))
  environment = { XDG_CONFIG_HOME: directory }
  file = profilesFile(environment)
  return () => rmSync(directory, { recursive: true })
})

function keep(name: string, flags: ProfileFlags): void {
  writeProfiles(file, readProfiles(file).set(name, profileOf(flags)))
}

function used(flags: ConnectionFlags, warnings: string[] = []): ConnectionFlags {
  return withProfile(flags, environment, (warning) => warnings.push(warning))
}

test('are kept for their owner alone, with whole paths', () => {
  keep('one', { url: ['mqtts://broker'], username: 'joe', pw: 'secret', cafile: 'ca.pem', insecure: true })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readProfiles(file).get('one')).toEqual({
    url: ['mqtts://broker'],
    username: 'joe',
    pw: 'secret',
    cafile: resolve('ca.pem'),
    insecure: true
  })
})

test('of no file: none', () => {
  expect(readProfiles(file).size).toBe(0)
})

describe('a profile that is used', () => {
  test('gives what the command line does not say', () => {
    keep('one', { host: 'broker', port: '1884', username: 'joe', pw: '-secret', keepalive: '5', insecure: true })
    expect(used({ profile: 'one', username: 'ann' })).toEqual({
      profile: 'one',
      host: 'broker',
      port: '1884',
      username: 'ann',
      pw: '-secret',
      keepalive: '5',
      insecure: true
    })
  })

  test('is named by GODWIT_PROFILE as well', () => {
    keep('one', { host: 'broker' })
    environment['GODWIT_PROFILE'] = 'one'
    expect(used({}).host).toBe('broker')
    keep('two', { host: 'other' })
    expect(used({ profile: 'two' }).host).toBe('other')
  })

  test('gives way as a whole to another server, and to another password', () => {
    keep('one', { url: ['mqtt://broker'], passwordFile: 'x' })
    expect(used({ profile: 'one', unix: '/s' })).toEqual({ profile: 'one', unix: '/s', passwordFile: resolve('x') })
    expect(used({ profile: 'one', host: 'h' }).url).toBeUndefined()
    expect(used({ profile: 'one', pw: 'p' })).toEqual({ profile: 'one', pw: 'p', url: ['mqtt://broker'] })
    keep('two', { host: 'broker', port: '1884' })
    expect(used({ profile: 'two', port: '1885' })).toMatchObject({ host: 'broker', port: '1885' })
    expect(used({ profile: 'two', url: ['mqtt://x'] })).toEqual({ profile: 'two', url: ['mqtt://x'] })
  })

  test.skipIf(process.platform === 'win32')('that others may read is warned of if it holds a password', () => {
    keep('one', { url: ['mqtt://joe:secret@broker'] })
    keep('two', { host: 'broker' })
    chmodSync(file, 0o640)
    const warnings: string[] = []
    used({ profile: 'two' }, warnings)
    expect(warnings).toEqual([`${file} holds the password of one, and others may read it: chmod 600 ${file}`])
  })
})

test('are shown without passwords', () => {
  const shown = withoutPasswords(profileOf({ url: ['mqtts://joe:secret@broker', 'mqtt://x'], pw: 'secret', username: 'joe' }))
  expect(shown).toEqual({ url: ['mqtts://joe:***@broker', 'mqtt://x'], pw: '***', username: 'joe' })
})

test.each(['', '-x', 'a b', 'x/y', 'x'.repeat(65), '__proto__'])('%j is no name', (name) => {
  expect(() => checkName(name)).toThrow('accepted are up to 64 letters')
})

describe('a file with a mistake', () => {
  test.each([
    ['{', 'is not JSON: '],
    ['[]', 'is not a JSON object'],
    ['{"a": 1}', ': a is not a JSON object'],
    ['{"a": {"hots": "x"}}', ': a.hots is not known; accepted is host, port, '],
    ['{"a": {"host": true}}', ': a.host is not what is accepted: text'],
    ['{"a": {"host": ["x"]}}', ': a.host is not what is accepted: text'],
    ['{"a": {"insecure": "yes"}}', ': a.insecure is "yes"; accepted is true']
  ])('%s', (text, message) => {
    keep('x', {})
    writeFileSync(file, text)
    expect(() => readProfiles(file)).toThrow(`${file}${message.startsWith(':') ? '' : ' '}${message}`)
  })

  test('but a number is taken for what it says, and one URL for a list', () => {
    keep('x', {})
    writeFileSync(file, '{"a": {"port": 1884}, "b": {"url": "mqtt://broker"}}')
    expect(used({ profile: 'a' }).port).toBe('1884')
    expect(used({ profile: 'b' }).url).toEqual(['mqtt://broker'])
  })
})
