/** The middle of some values, or between the two in the middle. NaN: there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** How far values lie apart, (highest − lowest) / median; 0 where the median is. */
export function spread(values: readonly number[]): number {
  const middle = median(values)
  return middle === 0 || Number.isNaN(middle) ? 0 : (Math.max(...values) - Math.min(...values)) / Math.abs(middle)
}

/**
 * How likely it is that of so many tosses of a coin as few, or as many, fall on one side as these: the sign test, with two sides. Of 5 that agree it
 * is 1 in 16.
 */
export function signTest(onOneSide: number, all: number): number {
  const rarer = Math.min(onOneSide, all - onOneSide)
  let ways = 0
  for (let count = 0; count <= rarer; count++) ways += waysOf(count, all)
  return Math.min(1, (2 * ways) / 2 ** all)
}

/** In how many ways so many can be chosen of all. */
function waysOf(count: number, all: number): number {
  let ways = 1
  for (let index = 0; index < count; index++) ways = (ways * (all - index)) / (index + 1)
  return ways
}
