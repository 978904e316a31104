import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientOptions } from '@godwit/client'
import { afterAll, describe, expect, test } from 'vitest'
import { connectionOf, type Connection } from './connection.ts'
import type { ConnectionFlags } from './connection-flags.ts'
import { propertiesOf } from './properties.ts'

const directory = mkdtempSync(join(tmpdir(), 'godwit-connection-'))
afterAll(() => rmSync(directory, { recursive: true }))

type Flags = ConnectionFlags & { property?: readonly string[] }

function connection(flags: Flags, environment: NodeJS.ProcessEnv = {}): Promise<Connection> {
  const environmentOfTest = { XDG_CONFIG_HOME: directory, ...environment }
  return connectionOf(flags, propertiesOf(flags.property), () => expect.unreachable(), environmentOfTest)
}

/** What is said, without what is left to the client. */
async function options(flags: Flags, environment?: NodeJS.ProcessEnv): Promise<ClientOptions> {
  const entries = Object.entries((await connection(flags, environment)).options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries)
}

describe('what flags make of the options of a client', () => {
  const cases: readonly (readonly [flags: Flags, options: ClientOptions])[] = [
    [{}, { fallBack: true }],
    [{ protocolVersion: 'mqttv5' }, { protocolVersion: 5, fallBack: false }],
    [{ protocolVersion: '3.1.1' }, { protocolVersion: 4, fallBack: false }],
    [{ protocolVersion: '311' }, { protocolVersion: 4, fallBack: false }],
    [{ protocolVersion: 'mqttv31' }, { protocolVersion: 3, fallBack: false }],
    [
      { id: 'x', keepalive: '0' },
      { clientId: 'x', keepAliveSeconds: 0, fallBack: true }
    ],
    [{ idPrefix: 'x-' }, { clientId: `x-${process.pid}`, fallBack: true }],
    [
      { username: 'u', pw: 'p' },
      { userName: 'u', password: 'p', fallBack: true }
    ],
    // 3.1.1 has no password without a user name.
    [{ pw: 'p' }, { password: 'p', fallBack: false }],
    [
      { id: 'x', disableCleanSession: true },
      { clientId: 'x', cleanStart: false, sessionExpirySeconds: 0xffff_ffff, fallBack: true }
    ],
    [
      { id: 'x', disableCleanSession: true, sessionExpiryInterval: '60' },
      { clientId: 'x', cleanStart: false, sessionExpirySeconds: 60, fallBack: true }
    ],
    [{ sessionExpiryInterval: '-1' }, { sessionExpirySeconds: 0xffff_ffff, fallBack: true }],
    [{ sessionExpiryInterval: '∞' }, { sessionExpirySeconds: 0xffff_ffff, fallBack: true }],
    [
      { willTopic: 'w', willPayload: 'gone', willQos: '1', willRetain: true },
      { will: { topic: 'w', payload: 'gone', qos: 1, retain: true }, fallBack: true }
    ],
    // What only 5.0 can say must not be lost on an older server.
    [{ property: ['CONNECT\0receive-maximum\x005'] }, { receiveMaximum: 5, fallBack: false }],
    [
      { insecure: true, tlsAlpn: 'mqtt' },
      { tls: { verifyHostName: false, alpnProtocols: ['mqtt'] }, fallBack: true }
    ],
    [{ tlsVersion: 'tlsv1.3' }, { tls: { minimumVersion: 'TLSv1.3' }, fallBack: true }]
  ]
  test.each(cases)('%j', async (flags, expected) => {
    expect(await options(flags)).toEqual(expected)
  })

  test('--scram proves the password, and does not send it', async () => {
    const { authentication, password, userName } = await options({ url: ['mqtt://joe:s%20t@broker'], scram: true })
    expect([authentication?.method, password, userName]).toEqual(['SCRAM-SHA-256', undefined, undefined])
  })

  test('--capath trusts every certificate of a folder', async () => {
    writeFileSync(join(directory, 'one.crt'), 'ONE')
    writeFileSync(join(directory, 'two.pem'), 'TWO')
    writeFileSync(join(directory, 'readme'), 'no')
    expect((await options({ capath: directory })).tls).toEqual({ ca: 'ONE\nTWO' })
  })
})

describe('where the password comes from', () => {
  const file = join(directory, 'password')
  writeFileSync(file, 'from the file\r\nand no more')
  const environment = { GODWIT_PASSWORD: 'from the environment' }
  const cases: readonly (readonly [flags: Flags, password: string | undefined])[] = [
    [{ pw: 'said' }, 'said'],
    [{ passwordFile: file }, 'from the file'],
    [{}, 'from the environment'],
    [{ url: ['mqtt://u:p@broker'] }, undefined],
    [{ url: ['mqtt://u@broker'] }, 'from the environment']
  ]
  test.each(cases)('%j', async (flags, password) => {
    const found = (await options(flags, environment)).password
    expect(found instanceof Uint8Array ? Buffer.from(found).toString() : found).toBe(password)
  })
})

describe('what is refused', () => {
  const cases: readonly (readonly [flags: Flags, message: string])[] = [
    [{ protocolVersion: '4' }, '--protocol-version is 4; accepted is mqttv5, mqttv311 or mqttv31'],
    [{ protocolVersion: 'constructor' }, '--protocol-version is "constructor"; accepted is'],
    [{ id: 'a', idPrefix: 'b' }, 'either --id or --id-prefix, not both'],
    [{ keepalive: '65536' }, '--keepalive is 65536; accepted is a whole number from 0 to 65535'],
    [{ disableCleanSession: true }, '--disable-clean-session needs --id'],
    [{ sessionExpiryInterval: '-2' }, '--session-expiry-interval is -2; accepted is'],
    [{ willQos: '1' }, '--will-topic is missing'],
    [{ willTopic: 'w', willQos: '3' }, '--will-qos is 3; accepted is 0, 1 or 2'],
    [{ property: ['WILL\0content-type\0x'] }, '--will-topic is missing'],
    [{ cert: 'x' }, '--cert and --key go together'],
    [{ cafile: 'none.pem' }, '--cafile is "none.pem", which cannot be read: there is no such file'],
    [{ capath: '/none' }, '--capath is "/none", which cannot be read: there is no such file'],
    [{ tlsVersion: 'tlsv1.1' }, '--tls-version is "tlsv1.1"; accepted is tlsv1.2 or tlsv1.3'],
    [{ pw: 'a', passwordFile: 'b' }, 'only one of --pw, --password-file and --ask-password can be the password'],
    [{ askPassword: true }, '--ask-password needs a terminal as standard input'],
    [{ scram: true }, '--scram needs a user name and a password'],
    [
      { scram: true, username: 'u', pw: 'p', protocolVersion: '5', property: ['CONNECT\0authentication-method\0x'] },
      'either --scram or'
    ],
    [{ property: ['CONNECT\0authentication-data\0x'] }, '-D CONNECT authentication-data needs authentication-method'],
    [{ protocolVersion: '311', property: ['CONNECT\0receive-maximum\x005'] }, '-D needs 5.0'],
    [{ protocolVersion: '311', scram: true, username: 'u', pw: 'p' }, '--scram needs 5.0'],
    [{ profile: 'none' }, 'there is no profile "none" in ']
  ]
  test.each(cases)('%j', async (flags, message) => {
    await expect(connection(flags)).rejects.toThrow(message)
  })
})
