import { describe, expect, test } from 'vitest'
import { compare, differencesOf, type Pairing, type Verdict } from './comparison.ts'
import { roundsWith, runWith } from './report.test.support.ts'

function verdictOf(a: readonly number[], b: readonly number[], pairing: Pairing): Verdict | undefined {
  return compare(roundsWith('A', a), roundsWith('B', b), pairing).find(({ figure }) => figure === 'received/s')?.verdict
}

describe('two brokers in turns', () => {
  test.each<readonly [what: string, a: readonly number[], b: readonly number[], verdict: Verdict]>([
    ['five rounds that agree', [100, 90, 110, 95, 105], [110, 99, 120, 99, 106], 'better'],
    ['five rounds that agree, the other way', [100, 90, 110, 95, 105], [99, 89, 100, 94, 50], 'worse'],
    ['five rounds of which one does not agree', [100, 90, 110, 95, 105], [200, 180, 109, 190, 210], 'within-noise'],
    [
      'ten rounds of which one does not agree',
      Array.from({ length: 10 }, () => 100),
      [...Array.from({ length: 9 }, () => 101), 99],
      'better'
    ],
    ['rounds that are all alike', [100, 100, 100, 100, 100], [100, 100, 100, 100, 100], 'within-noise'],
    ['four rounds, however much they agree', [100, 100, 100, 100], [900, 900, 900, 900], 'too-few'],
    ['one round', [100], [900], 'too-few']
  ])('%s: %j, %j', (_what, a, b, verdict) => {
    expect(verdictOf(a, b, 'rounds')).toBe(verdict)
  })

  test('the ratio is of the medians, and its range of the rounds', () => {
    const [comparison] = compare(roundsWith('A', [100, 200, 300]), roundsWith('B', [150, 200, 600]), 'rounds')
    expect(comparison).toMatchObject({ figure: 'received/s', ratio: 1, ratioRange: [1, 2] })
  })

  test('a lower latency is better', () => {
    const slow = roundsWith('A', [1, 1, 1, 1, 1])
    const quick = slow.map((run) => ({
      ...run,
      latency: run.latency === null ? null : { ...run.latency, ms: { ...run.latency.ms, p50: 0.5 } }
    }))
    const verdicts = compare(slow, quick, 'rounds').map(({ figure, verdict }) => [figure, verdict])
    expect(verdicts).toContainEqual(['latency 50 %, ms', 'better'])
    expect(verdicts).toContainEqual(['latency 99 %, ms', 'within-noise'])
  })
})

describe('now and then', () => {
  test.each<readonly [what: string, a: readonly number[], b: readonly number[], verdict: Verdict]>([
    ['ranges that do not touch', [100, 90, 110, 95, 105], [120, 111, 130, 125, 140], 'better'],
    ['ranges that overlap', [100, 90, 110, 95, 105], [120, 109, 130, 125, 140], 'within-noise'],
    ['one round each', [100], [900], 'too-few']
  ])('%s', (_what, a, b, verdict) => {
    expect(verdictOf(a, b, 'apart')).toBe(verdict)
  })

  test('what was measured otherwise is told', () => {
    const now = [runWith(1), runWith(1, { scenario: 'fan-in' })]
    const before = [runWith(1, { settings: { ...runWith(1).settings, payloadBytes: 1_024 } })]
    expect(differencesOf(now, before)).toEqual([
      'p2p, QoS 1 was measured with other settings in the baseline: payloadBytes 1024, now 64',
      'fan-in, QoS 1 is not in the baseline'
    ])
  })
})
