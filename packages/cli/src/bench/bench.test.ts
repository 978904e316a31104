import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, ProtocolVersion } from '@godwit/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerKinds, godwitKind, type RunningBroker } from '../brokers.test.support.ts'
import { runGodwit, workbench } from '../godwit.test.support.ts'
import { meddler } from './meddler.test.support.ts'
import type { Report } from './results.ts'

const { directory, ...work } = workbench()
const cleanup = (undo: () => unknown): void => work.cleanup(undo)

interface Benched {
  readonly code: number | null
  readonly report: Report
  readonly stderr: string
}

async function bench(...args: readonly string[]): Promise<Benched> {
  const { code, stdout, stderr } = await runGodwit(['bench', ...args, '--json'], { cwd: directory })
  expect(stdout, stderr).toMatch(/^\{/)
  const report: unknown = JSON.parse(stdout)
  if (!isReport(report)) throw new TypeError(`not a report: ${stdout}`)
  return { code, report, stderr }
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === 'godwit-bench'
}

/** Few clients, and a time that is long enough to measure something. */
const small = ['--quiet', '--clients', '3', '--duration', '0.3', '--warm-up', '0'] as const
const whole = { lost: 0, duplicated: 0, reordered: 0, damaged: 0, foreign: 0, publishers: [] }

let broker: RunningBroker
let url = ''
beforeAll(async () => {
  broker = await godwitKind.start()
  url = `mqtt://127.0.0.1:${broker.port}`
})
afterAll(async () => void (await broker.stop()))

describe('everything that was published comes, once and in its order', () => {
  test.each([
    ['subscribe', '1', '1'],
    ['fan-out', '0', '2'],
    ['fan-in', '2', '2'],
    ['p2p', '0', '2'],
    ['p2p', '1', '1'],
    ['p2p', '2', '1'],
    ['durable', '1', '2']
  ])('%s at QoS %s, in %s threads', async (scenario, qos, threads) => {
    const { code, report } = await bench(scenario, ...small, '-q', qos, '--threads', threads, '--url', url)
    const [run] = report.runs
    expect(run).toMatchObject({ scenario, qos: Number(qos), broker: 'A', round: 1, errors: { count: 0 } })
    expect(code).toBe(0)
    expect(run?.rates[run.headline]).toBeGreaterThan(0)
    expect(run?.generator.threads).toHaveLength(Number(threads))
    expect(run?.series.length).toBeGreaterThan(1)
    const { expected = 0, ...verification } = run?.verification ?? {}
    expect(expected).toBeGreaterThan(0)
    expect(verification).toEqual({ ...whole, received: expected })
  })
})

test.each(['0', '1'])('publish at QoS %s: what the broker has taken is counted', async (qos) => {
  const { code, report } = await bench('publish', ...small, '-q', qos, '--threads', '2', '--url', url)
  const [run] = report.runs
  expect(code).toBe(0)
  expect(run).toMatchObject({ headline: qos === '0' ? 'published' : 'acknowledged', verification: null })
  expect(run?.rates[run.headline]).toBeGreaterThan(0)
})

describe.each(brokerKinds)('durable, with $name', ({ start }) => {
  test.each(['3.1.1', '5.0'] as const)('by %s: everything comes, and no session is left behind', async (version) => {
    const running = await start()
    cleanup(() => running.stop())
    const watch = await meddler(running.port)
    cleanup(() => watch.close())
    const { code, report } = await bench(
      'durable',
      '--quiet',
      '--clients',
      '3',
      '--messages',
      '30',
      '-V',
      version,
      '--url',
      watch.url
    )
    expect([code, report.runs[0]?.verification]).toEqual([0, { ...whole, expected: 30, received: 30 }])
    expect(report.runs[0]?.rates.acknowledged).toBeGreaterThan(0)
    expect(watch.clientIds.size).toBe(6)
    for (const clientId of watch.clientIds) {
      const options = {
        clientId,
        cleanStart: false,
        protocolVersion: version === '5.0' ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311
      }
      await using again = await connect(`mqtt://127.0.0.1:${running.port}`, options)
      expect(again.connection?.sessionPresent, clientId).toBe(false)
    }
  })
})

test('connect: as many connections as were asked for', async () => {
  const { code, report } = await bench('connect', '--quiet', '--clients', '20', '--hold', '0.1', '--threads', '2', '--url', url)
  expect(code).toBe(0)
  expect(report.runs[0]).toMatchObject({
    headline: 'connections',
    verification: null,
    latency: { of: 'connection', ms: { count: 20 } }
  })
})

test.each([500, 10])('at a rate of %i messages/s, so many are published, at their time', async (rate) => {
  const { code, report } = await bench('p2p', ...small, '--duration', '1', '--rate', `${rate}`, '--url', url)
  const [run] = report.runs
  const published = run?.rates.published ?? 0
  expect(code).toBe(0)
  expect(published).toBeGreaterThan(rate * 0.7)
  expect(published).toBeLessThan(rate * 1.3)
  // Had each waited for the next to be due, it would be this late.
  expect(run?.generator.lagMs).toBeLessThan(100)
})

test('so many messages as were asked for', async () => {
  const { report } = await bench('fan-out', '--quiet', '--clients', '5', '--messages', '101', '-q', '1', '--url', url)
  expect(report.runs[0]?.verification).toEqual({ ...whole, expected: 505, received: 505 })
})

test('what others publish is counted', async () => {
  const others = await connect(url)
  const timer = setInterval(() => void others.publish('others/1', 'hello'), 10)
  cleanup(() => {
    clearInterval(timer)
    return others.close()
  })
  const { code, report } = await bench('subscribe', ...small, '--publishers', '0', '-t', 'others/#', '--url', url)
  expect(code).toBe(0)
  expect(report.runs[0]?.verification).toBeNull()
  expect(report.runs[0]?.rates.received).toBeGreaterThan(0)
})

test.runIf(process.platform === 'linux')('with --pid, what the broker itself takes', async () => {
  const { report } = await bench('p2p', ...small, '--url', url, '--pid', `${process.pid}`)
  expect(report.brokers).toEqual([{ name: 'A', url, pid: process.pid }])
  expect(report.runs[0]?.process?.residentBytes).toBeGreaterThan(10_000_000)
})

test('two brokers in turns, beside what was saved, with a report', async () => {
  const args = ['p2p', '--quiet', '--clients', '2', '--duration', '0.2', '--warm-up', '0', '--url', url] as const
  const saved = join(directory, 'saved.json')
  const first = await bench(...args, '--save', saved)
  expect(JSON.parse(readFileSync(saved, 'utf8'))).toEqual(first.report)
  const html = join(directory, 'report.html')
  const { code, stdout } = await runGodwit(
    ['bench', ...args, '--compare', url, '--rounds', '2', '--baseline', saved, '--html', html],
    { cwd: directory }
  )
  expect(code).toBe(0)
  expect(stdout).toMatch(/^A: mqtt.*^B: mqtt.*^B against A$.*too few rounds to tell.*^Now against the baseline of /ms)
  expect(readFileSync(html, 'utf8')).toMatch(/^<!DOCTYPE html>.*<\/html>\n$/s)
})

test('progress is told in lines where there is no terminal', async () => {
  const { stderr } = await bench('p2p', '--clients', '2', '--duration', '1.5', '--warm-up', '0', '--url', url)
  expect(stderr).toMatch(/^p2p, QoS 1 {2}measuring {2}[\d.,]+\/s {2}50 % [\d.,]+ (µs|ms) {2}99 % .* {2}max .*$/m)
})

test('no broker: status 4', async () => {
  const { code, stdout, stderr } = await runGodwit(['bench', 'p2p', '--quiet', '--url', 'mqtt://127.0.0.1:1'])
  expect([code, stdout]).toEqual([4, ''])
  expect(stderr).toMatch(/^godwit: .*\n$/)
})

test('a scenario that there is not: status 2', async () => {
  const line = 'scenario is "p2pp"; accepted is connect, publish, subscribe, fan-out, fan-in, p2p, durable'
  expect(await runGodwit(['bench', 'p2pp'])).toEqual({ code: 2, stdout: '', stderr: `godwit: ${line}\n` })
})

describe('a broker that does not keep its word', () => {
  // One of each, and far enough apart that no two meet.
  function planted(publish: Buffer, number: number, held: Buffer[]): readonly Buffer[] {
    switch (number) {
      case 5:
        return []
      case 20:
        return [publish, publish]
      case 40:
        held.push(publish)
        return []
      case 41:
        return [publish, ...held]
      case 60: {
        const damaged = Buffer.from(publish)
        damaged[damaged.byteLength - 1] = (damaged.at(-1) ?? 0) ^ 1
        return [damaged]
      }
      default:
        return [publish]
    }
  }

  test('at QoS 0: publishers go on without what has not come for a second', async () => {
    const between = await meddler(broker.port, () => () => [])
    cleanup(() => between.close())
    const args = ['p2p', '--quiet', '--clients', '1', '--inflight', '5', '--duration', '1.8', '--warm-up', '0', '-q', '0']
    const { code, report } = await bench(...args, '--url', between.url)
    const [run] = report.runs
    expect(code).toBe(0)
    const { expected = 0, received, lost } = run?.verification ?? {}
    expect(expected).toBeGreaterThan(5)
    expect([received, lost]).toEqual([0, expected])
    expect(run?.warnings.join()).toMatch(/(\d+) of \1 messages did not come, as QoS 0 allows,.* went on after a second, \d+ time/)
  })

  test.each(['0', '1'])('at QoS %s: each message that was lost, repeated, reordered and damaged is found', async (qos) => {
    const between = await meddler(broker.port, () => {
      const held: Buffer[] = []
      return (publish, number) => planted(publish, number, held)
    })
    cleanup(() => between.close())
    const args = ['p2p', '--quiet', '--clients', '2', '--inflight', '100', '--messages', '200', '-q', qos, '--url', between.url]
    const { code, report } = await bench(...args)
    // Of both publishers one is lost, and one is no more what it was.
    const publisher = { expected: 100, received: 98, lost: 2, duplicated: 1, reordered: 1, damaged: 1 }
    expect(report.runs[0]?.verification).toEqual({
      expected: 200,
      received: 196,
      lost: 4,
      duplicated: 2,
      reordered: 2,
      damaged: 2,
      foreign: 0,
      publishers: [
        { publisher: 0, ...publisher },
        { publisher: 1, ...publisher }
      ]
    })
    expect(code).toBe(1)
    expect(report.warnings[0]).toMatch(qos === '0' ? /2 duplicated, 2 reordered, 2 damaged/ : /4 lost, 2 reordered, 2 damaged/)
  })
})
