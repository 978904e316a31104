import { type IClientOptions, type IConnackPacket, connect, ErrorWithReasonCode } from 'mqtt'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Godwit, runGodwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const anyPorts = ['--port', '0', '--http-port', '0'] as const

/** CONNACK, or the code that refuses: a Reason Code of 5.0, a return code of 3.1.1. */
function connack(godwit: Godwit, options: IClientOptions): Promise<IConnackPacket | number> {
  const client = connect(godwit.url('mqtt'), { reconnectPeriod: 0, ...options })
  bench.cleanup(() => client.end(true))
  return new Promise((resolve, reject) => {
    client.on('connect', resolve)
    client.on('error', (error) => (error instanceof ErrorWithReasonCode ? resolve(error.code) : reject(error)))
  })
}

describe('users', () => {
  let hashes: string[] = []
  beforeAll(async () => {
    const finished = await Promise.all(
      ['correct horse\n', 'no line end', 'Windows\r\n'].map((input) => runGodwit(['hash-password'], { input }))
    )
    for (const { code, stderr } of finished) expect([code, stderr]).toEqual([0, ''])
    hashes = finished.map(({ stdout }) => stdout.trim())
  })

  const users = () => `users: [${hashes.map((hash, index) => `{ name: user-${index}, passwordHash: ${hash} }`).join(', ')}]`
  const serve = (anonymous: string) => {
    const listeners = 'listeners: [{ kind: tcp, host: 0.0.0.0, port: 0 }]'
    return bench.serve(
      '--config',
      bench.file('users.yaml', `memory: true\naccess: { ${users()}${anonymous} }\n${listeners}`),
      '--host',
      '127.0.0.1',
      ...anyPorts
    )
  }

  const accepted = { cmd: 'connack' }
  const cases: readonly (readonly [what: string, options: IClientOptions, code3: number, code5: number])[] = [
    ['a wrong password', { username: 'user-0', password: 'wrong' }, 4, 0x86],
    ['the password of another user', { username: 'user-0', password: 'no line end' }, 4, 0x86],
    ['an unknown user', { username: 'user-9', password: 'wrong' }, 4, 0x86],
    ['no password', { username: 'user-0' }, 4, 0x86],
    ['nothing', {}, 5, 0x87]
  ]

  test('connect with their password; others are refused with return code 4 or 5, Reason Code 0x86 or 0x87', async () => {
    const godwit = await serve('')
    expect(godwit.stdout).toMatch(/access +3 users, by password\n/)
    expect(godwit.stdout).not.toContain('off for safety')
    for (const protocolVersion of [4, 5] as const) {
      for (const [index, password] of ['correct horse', 'no line end', 'Windows'].entries()) {
        expect(await connack(godwit, { protocolVersion, username: `user-${index}`, password })).toMatchObject(accepted)
      }
      for (const [what, options, code3, code5] of cases) {
        expect(await connack(godwit, { protocolVersion, ...options }), what).toBe(protocolVersion === 5 ? code5 : code3)
      }
    }
    await godwit.stop()
    expect(godwit.stderr).not.toMatch(/correct horse|no line end|wrong/)
  })

  test('with anonymous access as well, only a user name asks for a password', async () => {
    const godwit = await serve(', anonymous: true')
    expect(godwit.stdout).toMatch(/access +3 users, by password, and everybody without a user name\n/)
    expect(await connack(godwit, {})).toMatchObject(accepted)
    expect(await connack(godwit, { username: 'user-9', password: 'wrong' })).toBe(4)
  })

  test('check-config shows a configuration with every default, and no hash', async () => {
    const file = bench.file('shown.yaml', `access: { ${users()} }`)
    const { code, stdout, stderr } = await runGodwit(['check-config', file])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('    - name: user-0\n      passwordHash: (hidden)\n')
    expect(stdout).toContain('  receiveMaximum: 1024\n')
    expect(stdout).not.toContain('scrypt')
  })
})

test('nobody may connect: that is said at the start', async () => {
  const godwit = await bench.serve(
    '--config',
    bench.file('nobody.yaml', 'memory: true\naccess: { anonymous: false }'),
    ...anyPorts
  )
  expect(godwit.stdout).toMatch(/access +nobody: there are no users, and anonymous access is off\n/)
  expect(await connack(godwit, { protocolVersion: 5 })).toBe(0x87)
})

test('--allow-anonymous lets everybody in, from anywhere', async () => {
  const godwit = await bench.serve('--memory', ...anyPorts, '--host', '0.0.0.0', '--http-host', '0.0.0.0', '--allow-anonymous')
  expect(godwit.stdout).toMatch(/mqtt:\/\/0\.0\.0\.0:\d+\n +ws:\/\/0\.0\.0\.0:\d+/)
  expect(await connack(godwit, { host: '127.0.0.1', hostname: '127.0.0.1' })).toMatchObject({ cmd: 'connack' })
})

test('limits and features of a file are what CONNACK announces', async () => {
  const text = [
    'memory: true',
    'limits: { receiveMaximum: 7, packetBytesMax: 4096, topicAliasMaximum: 3, keepAliveSecondsMax: 20, sessionExpirySecondsMax: 100 }',
    'features: { maximumQoS: 1, retainAvailable: false, wildcardSubscriptionAvailable: false,',
    '  subscriptionIdentifiersAvailable: false, sharedSubscriptionAvailable: false }',
    'responseInformation: replies/'
  ].join('\n')
  const godwit = await bench.serve('--config', bench.file('limits.yaml', text), ...anyPorts)
  const properties = { sessionExpiryInterval: 1000, requestResponseInformation: true }
  expect(await connack(godwit, { protocolVersion: 5, keepalive: 60, clientId: 'tern', properties })).toMatchObject({
    reasonCode: 0,
    properties: {
      receiveMaximum: 7,
      maximumPacketSize: 4096,
      topicAliasMaximum: 3,
      serverKeepAlive: 20,
      sessionExpiryInterval: 100,
      maximumQoS: 1,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      responseInformation: 'replies/'
    }
  })
})
