import { expect, it } from 'vitest'
import { formatted, median, quantile, spread } from './statistics.ts'

it('takes the middle of an odd number of values, and between the middle two of an even one', () => {
  expect(median([10, 1, 2])).toBe(2)
  expect(median([10, 1, 2, 4])).toBe(3)
  expect(median([])).toBeNaN()
})

it('relates how far values lie apart to their median', () => {
  expect(spread([90, 100, 120])).toBeCloseTo(0.3)
  expect(spread([5])).toBe(0)
  expect(spread([0, 0, 1])).toBe(0)
  expect(spread([])).toBe(0)
})

it('takes as a quantile a value that occurred', () => {
  const values = Array.from({ length: 1000 }, (_, index) => 1000 - index)
  expect(quantile(values, 0.5)).toBe(500)
  expect(quantile(values, 0.999)).toBe(999)
  expect(quantile([3, 1], 0.999)).toBe(3)
  expect(quantile([], 0.5)).toBeNaN()
})

it('writes numbers as long as they say something', () => {
  expect([1_234_567.8, 99.94, 1.234, 0.0456, 0, Number.NaN].map(formatted)).toEqual([
    '1,234,568',
    '99.9',
    '1.23',
    '0.046',
    '0',
    '-'
  ])
})
