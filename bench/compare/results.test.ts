import { expect, it } from 'vitest'
import { merge, type Results } from './results.ts'

const run = (scenario: string, value: number) => ({ scenario, broker: 'godwit' as const, figures: { value } })

it('given runs of a scenario that was measured before, then they take the place of the earlier ones', () => {
  const first = merge({ series: [], runs: [] }, { date: 'monday' }, [run('p2p-q0', 1), run('connect', 2)])
  const second = merge(first, { date: 'tuesday' }, [run('p2p-q0', 3), run('p2p-q0', 4)])
  expect(second).toEqual({
    series: [{ date: 'monday' }, { date: 'tuesday' }],
    runs: [
      { ...run('connect', 2), series: 0 },
      { ...run('p2p-q0', 3), series: 1 },
      { ...run('p2p-q0', 4), series: 1 }
    ]
  })
})

it('given a series of which no run is left, then it goes', () => {
  const first = merge({ series: [], runs: [] }, { date: 'monday' }, [run('p2p-q0', 1)])
  const second = merge(first, { date: 'tuesday' }, [run('p2p-q0', 2)])
  expect(second).toEqual({ series: [{ date: 'tuesday' }], runs: [{ ...run('p2p-q0', 2), series: 0 }] })
})

it('given runs on the same machine with the same settings, then they belong to one series', () => {
  const first = merge({ series: [], runs: [] }, { date: 'monday' }, [run('p2p-q0', 1)])
  const second: Results = merge(first, { date: 'monday' }, [run('connect', 2)])
  expect(second.series).toHaveLength(1)
  expect(second.runs.map(({ series }) => series)).toEqual([0, 0])
})
