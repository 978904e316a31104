import { spawn } from 'node:child_process'
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
import { type Finished, Godwit, runGodwit, spawnGodwit, workbench } from '../godwit.test.support.ts'

const bench = workbench()

/** Starts `godwit sub`, and waits until it has subscribed. */
async function subscribed(port: number, ...args: readonly string[]): Promise<Godwit> {
  const sub = new Godwit(spawnGodwit(['sub', '-p', `${port}`, '-d', ...args], bench.directory))
  bench.cleanup(() => (sub.isRunning ? sub.stop('SIGKILL') : undefined))
  await sub.printed('stderr', /subscribed to/)
  return sub
}

describe.each(brokerKinds)('godwit sub from $name', (kind) => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await kind.start()))
  afterAll(() => broker.stop())

  const pub = async (...args: readonly string[]): Promise<void> => {
    expect(await runGodwit(['pub', '-p', `${broker.port}`, ...args])).toEqual({ code: 0, stdout: '', stderr: '' })
  }
  const lines = (topic: string, input: string): Promise<Finished> =>
    runGodwit(['pub', '-p', `${broker.port}`, '-t', topic, '-l', '-q', '1'], { input })
  const sub = (...args: readonly string[]): Promise<Finished> => runGodwit(['sub', '-p', `${broker.port}`, ...args])

  test.skipIf(!hasMosquittoClients).each(['mqttv5', 'mqttv311', 'mqttv31'])(
    'shows what mosquitto_pub publishes, by %s',
    async (version) => {
      const running = await subscribed(broker.port, '-V', version, '-t', `from/${version}`, '-q', '2', '-v', '-C', '2')
      for (const payload of ['one', 'two']) {
        const args = ['-p', `${broker.port}`, '-V', version, '-t', `from/${version}`, '-q', '2', '-m', payload]
        expect(await new Godwit(spawn('mosquitto_pub', args)).exited).toEqual([0, null])
      }
      expect(await running.exited).toEqual([0, null])
      expect(running.stdout).toBe(`from/${version} one\nfrom/${version} two\n`)
    }
  )

  test('tells retained messages from fresh ones', async () => {
    await pub('-r', 'keep/a', '1', '-q', '1')
    await pub('-r', 'keep/b', '2', '-q', '1')
    expect(await sub('keep/#', '-C', '2', '-F', '%t %p %r')).toEqual({ code: 0, stdout: 'keep/a 1 1\nkeep/b 2 1\n', stderr: '' })
    const fresh = await subscribed(broker.port, '-t', 'keep/#', '-R', '-T', 'keep/b', '-C', '1')
    await pub('keep/b', 'left out')
    await pub('keep/a', 'fresh')
    expect(await fresh.exited).toEqual([0, null])
    expect(fresh.stdout).toBe('fresh\n')
    expect(await sub('keep/#', '--retained-only', '--remove-retained', '--idle', '1')).toMatchObject({
      code: 0,
      stdout: '1\n2\n'
    })
    expect(await sub('keep/#', '-W', '0.5')).toEqual({ code: 27, stdout: '', stderr: 'godwit: timed out\n' })
  })

  test('ends when asked: after a payload, when idle, when subscribed', async () => {
    const until = await subscribed(broker.port, 'end', '--until', 'stop')
    await lines('end', 'go\nstop\nnot seen\n')
    expect([await until.exited, until.stdout]).toEqual([[0, null], 'go\nstop\n'])
    expect(await sub('end', '--idle', '0.1')).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await sub('end', '-E')).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('a message for several of its filters is shown once', async () => {
    const running = await subscribed(broker.port, '-t', 'over/#', '-t', 'over/+', '-t', 'over/lap', '-q', '1', '-C', '2')
    await lines('over/lap', 'one\ntwo\n')
    expect([await running.exited, running.stdout]).toEqual([[0, null], 'one\ntwo\n'])
  })

  test('goes on with a session, and gives up what it subscribed to there', async () => {
    const session = ['-i', 'keeper', '-c', '-q', '1'] as const
    expect((await sub(...session, '-t', 'kept', '-t', 'other', '-E')).code).toBe(0)
    await lines('kept', 'one\ntwo\n')
    expect(await sub(...session, 'kept', '-C', '1')).toMatchObject({ code: 0, stdout: 'one\n' })
    // What was not shown was not acknowledged.
    expect(await sub(...session, 'kept', '-C', '1')).toMatchObject({ code: 0, stdout: 'two\n' })
    expect((await sub(...session, '-U', 'other')).code).toBe(0)
    await lines('other', 'three\n')
    await lines('kept', 'four\n')
    expect(await sub(...session, 'kept', 'other', '--idle', '0.5')).toMatchObject({ code: 0, stdout: 'four\n' })
  })

  test('a message is acknowledged once it is written: none is lost when it is killed before', async () => {
    const COUNT = 100
    const session = ['-i', 'reader', '-c', '-q', '1', 'large'] as const
    expect((await sub(...session, '-E')).code).toBe(0)
    const text = (number: number): string => `${number} ${'x'.repeat(20_000)}`
    await lines('large', Array.from({ length: COUNT }, (_, number) => text(number)).join('\n'))
    const reader = new Godwit(spawnGodwit(['sub', '-p', `${broker.port}`, ...session], bench.directory))
    await reader.printed('stdout', /^10 x/m)
    // What it prints now fills the pipe, and waits.
    reader.child.stdout?.pause()
    await pub('meanwhile', 'x')
    reader.child.kill('SIGKILL')
    reader.child.stdout?.resume()
    expect(await reader.exited).toEqual([null, 'SIGKILL'])
    const rest = await sub(...session, '--idle', '1')
    const whole = [...`${reader.stdout}\n${rest.stdout}`.matchAll(/^(\d+) x{20000}$/gm)].map(([, number]) => Number(number))
    expect(reader.stdout).not.toContain(text(COUNT - 1))
    expect(new Set(whole).size).toBe(COUNT)
    expect(rest.code).toBe(0)
  })
})

describe('godwit sub', () => {
  let broker: RunningBroker
  beforeAll(async () => void (broker = await godwitKind.start()))
  afterAll(() => broker.stop())

  test('ends with Ctrl-C, in order: status 0, and no will', async () => {
    const watcher = await subscribed(broker.port, 'gone', '-W', '1')
    const running = await subscribed(broker.port, 'x', '--will-topic', 'gone', '--will-payload', 'w')
    expect(await running.stop('SIGINT')).toEqual([0, null])
    expect(await watcher.exited).toEqual([27, null])
    expect(watcher.stdout).toBe('')
  })

  test('ends without a word when its reader has gone', async () => {
    const running = await subscribed(broker.port, 'pipe')
    running.child.stdout?.destroy()
    const before = running.stderr
    await runGodwit(['pub', '-p', `${broker.port}`, 'pipe', 'x', '--repeat', '3'])
    expect(await running.exited).toEqual([0, null])
    expect(running.stderr).toBe(before)
  })

  test('goes on when the server comes back, and says so meanwhile', async () => {
    const port = await freePort()
    const flags = ['--memory', '--port', `${port}`, '--http-port', '0'] as const
    const first = await bench.serve(...flags)
    const running = await subscribed(port, 'back', '-q', '1', '-C', '1')
    await first.stop('SIGKILL')
    await running.printed('stderr', /trying again in \d\.\d s/)
    await bench.serve(...flags)
    await running.printed('stderr', /connected to .*(?:\n.*)*connected to /)
    await runGodwit(['pub', '-p', `${port}`, 'back', 'again', '-q', '1', '--repeat', '2', '--repeat-delay', '1'])
    expect([await running.exited, running.stdout]).toEqual([[0, null], 'again\n'])
  })

  test('what the server refuses is told; it goes on with the rest, and ends with the Reason Code', async () => {
    const choosy = await scriptedServer((packet) => {
      if (packet.type !== PacketType.Subscribe) return undefined
      const { packetIdentifier, subscriptions } = packet
      const reasonCodes = subscriptions.map(({ topicFilter }) =>
        topicFilter === 'shut/#' ? ReasonCode.NotAuthorized : ReasonCode.GrantedQoS0
      )
      return { type: PacketType.Suback, packetIdentifier, reasonCodes, properties: {} }
    })
    bench.cleanup(() => choosy.stop())
    const told = 'godwit: shut/#: The server refused the subscription: Not authorized (0x87)\n'
    const sub = (...args: readonly string[]): Promise<Finished> => runGodwit(['sub', '-p', `${choosy.port}`, ...args])
    expect(await sub('shut/#', 'open', '--idle', '0.2')).toEqual({ code: 135, stdout: '', stderr: told })
    expect(await sub('shut/#')).toEqual({ code: 135, stdout: '', stderr: told })
  })

  test.each([
    [[], 'a Topic Filter is missing: an argument, or --topic'],
    [['a/#/b'], 'the Topic Filter is "a/#/b": # must be a level of its own, and the last'],
    [['a', '-T', '$share/g/a'], '--filter-out is "$share/g/a": messages have no share; leave it out'],
    [['a', '-R', '--retained-only'], '--fresh-only and --retained-only leave nothing to show'],
    [['a', '-U', 'b'], '--unsubscribe is for a session that was kept: it goes with --disable-clean-session and --id'],
    [['a', '-C', '0'], '--count is 0; accepted is a whole number from 1 to 9007199254740991'],
    [['a', '--random-filter', '0'], '--random-filter is 0; accepted is a percentage from 0.1 to 100'],
    [['a', '--retain-handling', 'sometimes'], '--retain-handling is "sometimes"; accepted is always, new or never'],
    [['a', '-D', 'PUBLISH', 'content-type', 'x'], '-D PUBLISH is for pub and request: sub publishes nothing'],
    [['a', '-F', '%k'], '--format has "%k"; accepted after % is C D E F I l L p P q r R S t U x X j J %']
  ])('2: %j', async (args, line) => {
    expect(await runGodwit(['sub', ...args])).toEqual({ code: 2, stdout: '', stderr: `godwit: ${line}\n` })
  })
})
