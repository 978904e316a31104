import { describe, expect, it } from 'vitest'
import type { BrokerName } from './brokers.ts'
import { reachTable } from './reach.ts'
import type { Run } from './results.ts'
import { scenariosNamed } from './scenarios.ts'
import { behind, findings, resultsTable, seriesTable } from './tables.ts'

function runs(scenario: string, broker: BrokerName, ...figures: readonly Readonly<Record<string, number>>[]): Run[] {
  return figures.map((each) => ({ scenario, broker, series: 0, figures: each }))
}

const MEASURED: readonly Run[] = [
  ...runs(
    'fanin-q0',
    'godwit',
    { per_cpu_s: 800_000, p99_us: 30_000 },
    { per_cpu_s: 900_000, p99_us: 40_000 },
    { per_cpu_s: 1_000_000 }
  ),
  ...runs('fanin-q0', 'mosquitto', { per_cpu_s: 100_000, p99_us: 20_000 }),
  ...runs('fanin-q0', 'aedes', { per_cpu_s: 150_000, p99_us: 35_000, lost: 3 })
]

describe('the table of results', () => {
  it('gives medians, ratios and the widest spread, and Godwit in bold where it is behind', () => {
    const lines = resultsTable(MEASURED, scenariosNamed('fanin-q0'), ['mosquitto', 'aedes']).split('\n')
    expect(lines[2]).toBe('| fanin-q0 | messages per CPU second | 900,000 | 100,000 | 150,000 | 9.00 | 6.00 | 22.2 % |')
    expect(lines[4]).toBe('|  | latency, 99 %, ms | 35 | 20 | 35 | **1.75** | 1.00 | 28.6 % |')
  })

  it('leaves out scenarios that nobody has measured', () => {
    expect(resultsTable(MEASURED, scenariosNamed('p2p-q0'), ['mosquitto']).split('\n')).toHaveLength(2)
  })
})

it('lists where Godwit is behind', () => {
  expect(behind(MEASURED, ['mosquitto', 'aedes'])).toBe("- fanin-q0, latency, 99 %, ms: 1.75 × Mosquitto's")
})

it('lists what went wrong, errors too', () => {
  const failed: Run = { scenario: 'connect', broker: 'mosquitto', series: 0, figures: {}, error: 'it did not listen' }
  expect(findings([...MEASURED, failed])).toBe('- fanin-q0, Aedes: lost 3\n- connect, Mosquitto: it did not listen')
  expect(findings(MEASURED.slice(0, 4))).toBe('- Nothing was lost, repeated, reordered or refused.')
})

it('tells how many runs were disturbed', () => {
  const quiet = runs('connect', 'godwit', { other_cpu_pct: 29 }, { other_cpu_pct: 31 }, { other_cpu_pct: 150 })
  expect(findings(quiet)).toContain('- 2 of 3 runs were disturbed: others used 30 to 150 % of a processor meanwhile')
})

it('says of each target that was measured whether it is reached', () => {
  expect(reachTable(MEASURED).split('\n').slice(2)).toEqual([
    "| fanin-q0 | messages per CPU second | at least 6 × that of Mosquitto's | 9 | yes |",
    "| fanin-q0 | messages per CPU second | at least 8 × that of Aedes's | 6 | **no** |"
  ])
})

it('joins what differs between series', () => {
  expect(
    seriesTable([
      { date: 'monday', Node: '24' },
      { date: 'tuesday', Node: '24' }
    ])
      .split('\n')
      .slice(2, 4)
  ).toEqual(['| date | monday; tuesday |', '| Node | 24 |'])
})

it('knows its scenarios by name and by how names begin, and says which there are', () => {
  expect(scenariosNamed('p2p-q*,connect').map(({ name }) => name)).toEqual([
    'p2p-q0',
    'p2p-q1',
    'p2p-q2',
    'p2p-q0-v5',
    'p2p-q1-v5',
    'p2p-q0-1k',
    'connect'
  ])
  expect(() => scenariosNamed('p3p')).toThrow(/p3p: no such scenario; there are p2p-q0, /)
})
