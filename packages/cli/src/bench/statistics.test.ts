import { createHistogram } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { distributionOf, newHistogram, percentilesOf, recordMs } from './latency.ts'
import { median, signTest, spread } from './statistics.ts'

test.each<readonly [values: readonly number[], middle: number, apart: number]>([
  [[3], 3, 0],
  [[1, 3], 2, 1],
  [[9, 1, 5], 5, 1.6],
  [[4, 1, 3, 2], 2.5, 1.2],
  [[0, 0, 0], 0, 0]
])('of %j the median is %d and the spread %d', (values, middle, apart) => {
  expect([median(values), spread(values)]).toEqual([middle, apart])
})

test('of nothing there is no median', () => {
  expect(median([])).toBeNaN()
})

describe('the sign test', () => {
  test.each([
    [5, 5, 1 / 16],
    [0, 5, 1 / 16],
    [4, 5, 6 / 16],
    [5, 10, 1],
    [1, 1, 1],
    [10, 10, 2 / 1024]
  ])('%i of %i on one side: %d', (onOneSide, all, expected) => {
    expect(signTest(onOneSide, all)).toBeCloseTo(expected, 10)
  })
})

describe('latencies', () => {
  test('of 1 to 1,000 ms, counted in two threads, have the percentiles of all', () => {
    const [odd, even, all] = [newHistogram(), newHistogram(), newHistogram()]
    for (let ms = 1; ms <= 1_000; ms++) recordMs(ms % 2 === 0 ? even : odd, ms)
    all.add(odd)
    all.add(even)
    const percentiles = percentilesOf(all)
    expect(percentiles?.count).toBe(1_000)
    for (const [name, expected] of [
      ['p50', 500],
      ['p90', 900],
      ['p99', 990],
      ['p999', 999],
      ['max', 1_000],
      ['mean', 500.5]
    ] as const) {
      const measured = percentiles?.[name] ?? 0
      expect(Math.abs(measured / expected - 1), `${name} is ${measured}`).toBeLessThan(0.002)
    }
    const distribution = distributionOf(all)
    expect(distribution[0]?.[0]).toBe(0)
    expect(distribution.at(-1)?.[0]).toBe(100)
    for (const [index, [percentile, ms]] of distribution.entries()) {
      expect(percentile).toBeGreaterThan(distribution[index - 1]?.[0] ?? -1)
      expect(ms).toBeGreaterThanOrEqual(distribution[index - 1]?.[1] ?? 0)
    }
  })

  test('that are below or above what is counted, count as the nearest', () => {
    const histogram = newHistogram()
    for (const ms of [-3, 0, 1e12]) recordMs(histogram, ms)
    expect(histogram.count).toBe(3)
    expect(histogram.exceeds).toBe(0)
    expect(histogram.min).toBe(1)
  })

  test('that are none have no percentiles', () => {
    expect(percentilesOf(createHistogram())).toBeNull()
    expect(distributionOf(createHistogram())).toEqual([])
  })
})
