import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PacketType, ReasonCode } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  brokerKinds,
  freePort,
  godwitKind,
  hasMosquittoClients,
  type RunningBroker,
  scriptedServer
} from '../brokers.test.support.ts'
import { anyNumber, textMatching } from '../expectations.test.support.ts'
import { Godwit, runGodwit, spawnGodwit, workbench } from '../godwit.test.support.ts'

const bench = workbench()

/** What `godwit sub` or `mosquitto_sub` has printed once it has `count` messages. */
async function received(
  port: number,
  topic: string,
  count: number,
  publish: () => Promise<unknown>,
  ...flags: readonly string[]
): Promise<string> {
  const sub = new Godwit(
    spawnGodwit(['sub', '-p', `${port}`, '-q', '2', '-C', `${count}`, '-d', topic, ...flags], bench.directory)
  )
  await sub.printed('stderr', /subscribed to/)
  await publish()
  expect(await sub.exited).toEqual([0, null])
  return sub.stdout
}

describe.each(brokerKinds)('godwit pub to $name', (kind) => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await kind.start()))
  afterAll(() => broker.stop())

  const pub = (...args: readonly string[]): ReturnType<typeof runGodwit> => runGodwit(['pub', '-p', `${broker.port}`, ...args])

  test.each(['mqttv5', 'mqttv311', 'mqttv31'])('publishes with every QoS, by %s', async (version) => {
    const topic = `qos/${version}`
    const printed = await received(
      broker.port,
      topic,
      3,
      async () => {
        for (const qos of ['0', '1', '2']) {
          expect(await pub('-V', version, topic, `with ${qos}`, '-q', qos)).toEqual({ code: 0, stdout: '', stderr: '' })
        }
      },
      '-F',
      '%q %p'
    )
    expect(printed).toBe('0 with 0\n1 with 1\n2 with 2\n')
  })

  test('publishes what files and standard input hold, as it is', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    const file = bench.file('payload.json', '{"a":\n1}\n')
    const printed = await received(
      broker.port,
      'in',
      6,
      async () => {
        await runGodwit(['pub', '-p', `${broker.port}`, 'in', '-s'], { input: bytes })
        await pub('-t', 'in', '-f', file)
        await runGodwit(['pub', '-p', `${broker.port}`, 'in', '-l', '-q', '1'], { input: 'one\n\nthree' })
        await pub('-t', 'in', '-n')
      },
      '-F',
      '%x'
    )
    const hexadecimal = (text: string): string => Buffer.from(text).toString('hex')
    expect(printed.split('\n')).toEqual([
      bytes.toString('hex'),
      hexadecimal('{"a":\n1}\n'),
      hexadecimal('one'),
      '',
      hexadecimal('three'),
      '',
      ''
    ])
  })

  test('publishes properties, and what sub --json printed', async () => {
    const user = ['-D', 'PUBLISH', 'user-property', 'unit', '°C']
    const flags = [
      '-D',
      'PUBLISH',
      'content-type',
      'text/plain',
      ...user,
      '-D',
      'PUBLISH',
      'correlation-data',
      'c',
      '--timestamp'
    ]
    const line = await received(broker.port, 'p', 1, () => pub('p', '21.5', ...flags), '--json')
    const first: unknown = JSON.parse(line)
    expect(first).toMatchObject({
      topic: 'p',
      payload: '21.5',
      latencyMs: anyNumber(),
      properties: {
        contentType: 'text/plain',
        correlationDataBase64: 'Yw==',
        userProperties: [
          ['unit', '°C'],
          ['sent-at-ms', textMatching(/^\d+\.\d{3}$/)]
        ]
      }
    })
    const again = await received(
      broker.port,
      'p',
      1,
      () => runGodwit(['pub', '-p', `${broker.port}`, '--json-lines'], { input: line }),
      '--json'
    )
    const second: unknown = JSON.parse(again)
    const properties = typeof first === 'object' && first !== null && 'properties' in first ? first.properties : undefined
    expect(second).toMatchObject({ topic: 'p', payload: '21.5', properties })
  })

  test.skipIf(!hasMosquittoClients)('is understood by mosquitto_sub: topic, payload, QoS, retained, properties', async () => {
    await pub('-r', 'kept', 'x', '-q', '1', '-D', 'PUBLISH', 'content-type', 'text/plain')
    const args = ['-p', `${broker.port}`, '-V', 'mqttv5', '-t', 'kept', '-q', '1', '-C', '1', '-W', '10', '-F', '%t %p %q %r %C']
    const sub = new Godwit(spawn('mosquitto_sub', args))
    expect(await sub.exited).toEqual([0, null])
    expect(sub.stdout).toBe('kept x 1 1 text/plain\n')
    await pub('-r', '-n', 'kept')
  })

  test('repeats a message, and says what became of each', async () => {
    const { code, stdout, stderr } = await pub('r', 'x', '-q', '1', '--repeat', '3', '--repeat-delay', '0.01', '--json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect([code, stderr]).toEqual([0, ''])
    const one = {
      topic: 'r',
      qos: 1,
      retain: false,
      bytes: 1,
      outcome: 'acknowledged',
      reasonCode: 0x10,
      elapsedMs: anyNumber()
    }
    expect(lines).toMatchObject([one, one, one])
  })

  test('keeps in the outbox what cannot be delivered, and delivers it, in order, with what comes later', async () => {
    const nobody = await freePort()
    const outbox = join(bench.directory, `outbox-${broker.port}`)
    const away = ['pub', '-p', `${nobody}`, '--outbox', outbox, '-W', '0.3', '--json']
    const stored = await runGodwit([...away, '-t', 'o', '-l'], { input: 'one\ntwo\n' })
    expect(stored.code).toBe(5)
    expect(stored.stderr).toContain(`2 messages stored in ${outbox}, and not acknowledged yet`)
    expect(
      stored.stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line))
    ).toEqual([
      { topic: 'o', qos: 1, retain: false, bytes: 3, outcome: 'stored' },
      { topic: 'o', qos: 1, retain: false, bytes: 3, outcome: 'stored' }
    ])
    expect((await runGodwit([...away, 'o', 'three'])).code).toBe(5)
    const printed = await received(broker.port, 'o', 4, async () => {
      expect(await pub('--outbox', outbox, 'o', 'four')).toEqual({ code: 0, stdout: '', stderr: '' })
    })
    expect(printed).toBe('one\ntwo\nthree\nfour\n')
    expect(await pub('--outbox', outbox)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(readdirSync(outbox)).not.toEqual([])
  })
})

describe('exit codes', () => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await godwitKind.start()))
  afterAll(() => broker.stop())

  test('4: there is no server', async () => {
    const port = await freePort()
    const { code, stderr } = await runGodwit(['pub', '-p', `${port}`, 'a', 'b'])
    expect([code, stderr]).toEqual([4, textMatching(`^godwit: mqtt://localhost:${port} cannot be reached: .*\n$`)])
    expect((await runGodwit(['pub', '-p', `${port}`, 'a', 'b', '--quiet'])).stderr).toBe('')
  })

  test('134: the server refuses the connection; the outbox keeps the message until it does not', async () => {
    const hash = (await runGodwit(['hash-password'], { input: 'secret' })).stdout.trim()
    const file = bench.file('access.yaml', `memory: true\naccess: { users: [{ name: joe, passwordHash: ${hash} }] }`)
    const godwit = await bench.serve('--config', file, '--port', '0', '--http-port', '0')
    const pub = (...args: readonly string[]): ReturnType<typeof runGodwit> =>
      runGodwit(['pub', '-p', `${godwit.port('mqtt')}`, '-u', 'joe', '-q', '1', 'a', 'x', ...args])
    expect(await pub('-P', 'wrong')).toMatchObject({ code: 134, stderr: textMatching(/^godwit: .*\(0x86\).*\n$/) })
    const kept = await pub('-P', 'wrong', '--outbox', join(bench.directory, 'refused'))
    expect([kept.code, kept.stderr]).toEqual([5, textMatching(/\(0x86\).*\n.*1 message stored in /s)])
    expect(await pub('-P', 'secret', '--outbox', join(bench.directory, 'refused'))).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('135: the server refuses the messages', async () => {
    const refusing = await scriptedServer((packet) => {
      if (packet.type !== PacketType.Publish) return undefined
      const { packetIdentifier } = packet
      return {
        type: PacketType.Puback,
        packetIdentifier,
        reasonCode: ReasonCode.NotAuthorized,
        properties: { reasonString: 'shut' }
      }
    })
    bench.cleanup(() => refusing.stop())
    const finished = await runGodwit(['pub', '-p', `${refusing.port}`, '-t', 'a', '-q', '1', '-l'], { input: '1\n2\n3\n' })
    const reason = /^godwit: a: .*Not authorized \(0x87\): shut\ngodwit: 3 messages failed, that was the first\n$/
    expect(finished).toMatchObject({ code: 135, stderr: textMatching(reason) })
  })

  test('27: nothing is acknowledged in time', async () => {
    const silent = await scriptedServer(() => undefined)
    bench.cleanup(() => silent.stop())
    const pub = (...args: readonly string[]): ReturnType<typeof runGodwit> =>
      runGodwit(['pub', '-p', `${silent.port}`, '-W', '0.3', ...args, 'a', 'b'])
    expect(await pub('-q', '0')).toMatchObject({ code: 0 })
    const late = await pub('-q', '1', '--json')
    expect([late.code, late.stderr]).toEqual([27, 'godwit: 1 message not acknowledged: nothing has come for 0.3 s\n'])
    expect(JSON.parse(late.stdout)).toMatchObject({ outcome: 'not-acknowledged' })
  })

  test('Ctrl-C while more could come: 0 if all is acknowledged', async () => {
    const pub = new Godwit(spawnGodwit(['pub', '-p', `${broker.port}`, 'a', '-l', '-q', '1', '--json'], bench.directory))
    pub.child.stdin?.write('one\n')
    await pub.printed('stdout', /acknowledged/)
    expect(await pub.stop('SIGINT')).toEqual([0, null])
  })

  test.each([
    [['a/#', 'x'], 'the topic is "a/#": a Topic Name must not contain the wildcards + and #; they are for those who subscribe'],
    [
      ['-t', 'a', '-m', 'x', '--proxy', 'socks5h://x'],
      '--proxy cannot be had: there is no support for SOCKS; a tunnel (ssh -L) and --host, --port do the same'
    ],
    [['a', 'x', '-q', '3'], '--qos is 3; accepted is 0, 1 or 2'],
    [['a', 'x', '--quiet', '--timeout', 'soon'], '--timeout is "soon"; accepted is a number of seconds from 0 to 2000000'],
    [['a', 'x', '--outbox', 'o', '-q', '0'], '--outbox keeps messages of QoS 1 and 2: --qos 0 goes without it'],
    [['a', 'x', '--tpoic', 'b'], "unknown option '--tpoic'; did you mean --topic?"]
  ])('2: %j', async (args, line) => {
    expect(await runGodwit(['pub', ...args], { cwd: bench.directory })).toEqual({
      code: 2,
      stdout: '',
      stderr: `godwit: ${line}\n`
    })
  })

  test('a payload may look like a flag', async () => {
    const publish = (): Promise<unknown> => runGodwit(['pub', '-p', `${broker.port}`, '-t', 'flag', '-m', '--version'])
    expect(await received(broker.port, 'flag', 1, publish)).toBe('--version\n')
  })
})

test('loads neither what serves a broker nor, without an outbox, what stores', async () => {
  const hooks =
    'import { registerHooks } from "node:module"; registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) })'
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hooks)}` }
  const loadedBy = async (...args: readonly string[]): Promise<string> => {
    const { stderr } = await runGodwit(['pub', '-p', `${await freePort()}`, 'a', 'b', ...args], { environment })
    expect(stderr).toContain('packages/client/')
    return stderr
  }
  const HEAVY = [
    '/zod/',
    '/yaml/',
    '/hono/',
    '/lmdb/',
    '/pino/',
    '/ws/',
    'packages/server/',
    'packages/broker/',
    'node:tls',
    'node:http'
  ]
  const plain = await loadedBy()
  expect(HEAVY.filter((name) => plain.includes(name))).toEqual([])
  expect(await loadedBy('--outbox', join(bench.directory, 'loads'), '-W', '0')).toContain('/lmdb/')
})
