import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Misuse } from '../misuse.ts'
import type { BenchFlags } from './bench-flags.ts'
import { type BenchPlan, benchPlanOf } from './bench-plan.ts'
import { readReport } from './saved-report.ts'
import { TOUR } from './scenarios.ts'

const directory = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
afterAll(() => rmSync(directory, { recursive: true }))

function planOf(names: readonly string[], flags: BenchFlags = {}): Promise<BenchPlan> {
  return benchPlanOf(names, flags, () => undefined)
}

describe('what is not accepted', () => {
  test.each<readonly [names: readonly string[], flags: BenchFlags, message: string]>([
    [['p2p', 'x'], {}, 'scenario is "x"; accepted is connect, publish, subscribe, fan-out, fan-in, p2p, durable'],
    [['p2p'], { qos: '3' }, '--qos is 3; accepted is 0, 1 or 2'],
    [['p2p'], { payloadSize: '27' }, '--payload-size is 27; accepted is a whole number from 28 to 268434432'],
    [['p2p'], { threads: '0' }, '--threads is 0; accepted is a whole number from 1 to 64'],
    [['p2p'], { duration: '0' }, '--duration is 0; accepted is a number of seconds above 0'],
    [['p2p'], { duration: '1', messages: '1' }, 'either --messages or --duration, not both'],
    [['p2p'], { publishers: '3' }, 'p2p has pairs of one publisher and one subscriber; --clients says how many'],
    [['p2p'], { publishers: '0' }, '--publishers is 0; accepted is a whole number from 1 to 1000000'],
    [['p2p'], { topic: 'a/#' }, '--topic is "a/#", which is not a Topic Name: '],
    [['connect'], { publishers: '3' }, 'connect has no publishers; --clients says how many connect'],
    [['publish'], { subscribers: '3' }, 'publish has no subscribers'],
    [['subscribe'], { publishers: '0' }, '--publishers 0 needs --topic: what others publish to'],
    [['p2p'], { comparePid: '3' }, '--compare-pid goes with --compare'],
    [['p2p'], { compare: 'ftp://x' }, '--compare is "ftp://x"; accepted is a URL ']
  ])('%j %j: %s', async (names, flags, message) => {
    const error: unknown = await planOf(names, flags).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Misuse)
    expect(error instanceof Misuse ? error.message : '').toContain(message)
  })

  test.each([
    ['none.json', undefined, 'which cannot be read: there is no such file'],
    ['text.json', 'hello', 'which is not JSON; accepted is a file that godwit bench --save has written'],
    ['other.json', '{"format":"godwit-bench","formatVersion":2}', 'which has another format, version 2; accepted is a file'],
    [
      'runs.json',
      '{"format":"godwit-bench","formatVersion":1,"startedAt":"","version":"","machine":{},"runs":[{}]}',
      'which has another format'
    ]
  ])('a baseline %s that holds %j', (name, text, message) => {
    const path = join(directory, name)
    if (text !== undefined) writeFileSync(path, text)
    expect(() => readReport('--baseline', path)).toThrow(message)
  })
})

describe('what is measured', () => {
  test('nothing said: the tour', async () => {
    const { loads, rounds, targets } = await planOf([])
    expect(loads.map(({ scenario, qos }) => ({ scenario, qos }))).toEqual(TOUR)
    expect(rounds).toBe(1)
    expect(targets.map(({ name, url }) => [name, url])).toEqual([['A', 'mqtt://localhost']])
  })

  test('a QoS said: each scenario of the tour once, with it, but what is kept for nobody at QoS 0', async () => {
    const { loads } = await planOf([], { qos: '0' })
    expect(loads.map(({ scenario, qos }) => `${scenario} ${qos}`)).toEqual([
      'connect 0',
      'p2p 0',
      'fan-out 0',
      'fan-in 0',
      'durable 1'
    ])
  })

  test('the many of a scenario are what --clients counts', async () => {
    const { loads } = await planOf(['p2p', 'fan-out', 'fan-in', 'publish', 'connect', 'durable'], { clients: '7' })
    expect(loads.map(({ publishers, subscribers }) => [publishers, subscribers])).toEqual([
      [7, 7],
      [1, 7],
      [7, 1],
      [7, 0],
      [0, 7],
      [7, 7]
    ])
  })

  test('two brokers: what is said of the second replaces all of the first, and secrets are not shown', async () => {
    const { targets, rounds } = await planOf(['p2p'], { host: 'a.example', port: '1884', compare: 'mqtts://me:secret@b.example' })
    expect(targets.map(({ url }) => url)).toEqual(['mqtt://a.example:1884', 'mqtts://b.example'])
    expect(targets[1]?.flags).toMatchObject({ url: ['mqtts://me:secret@b.example'] })
    expect(targets[1]?.flags.host).toBeUndefined()
    expect(rounds).toBe(5)
  })
})
