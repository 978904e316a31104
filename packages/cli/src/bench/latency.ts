import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** An hour: what takes longer counts as that. In microseconds. */
const HIGHEST_US = 3_600_000_000

/** In milliseconds. */
export interface Percentiles {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Which part of all, in percent, took no longer than so many milliseconds. */
export type Distribution = readonly (readonly [percentile: number, ms: number])[]

/** Counts durations in microseconds, within a thousandth of their value; it can be handed to another thread. */
export function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 3 })
}

export function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1000))))
}

/** Null: nothing was recorded. */
export function percentilesOf(histogram: RecordableHistogram): Percentiles | null {
  if (histogram.count === 0) return null
  const at = (percentile: number): number => histogram.percentile(percentile) / 1000
  return {
    count: histogram.count,
    mean: rounded(histogram.mean / 1000),
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.max / 1000
  }
}

/** As a curve, with as many points as tell it. */
export function distributionOf(histogram: RecordableHistogram): Distribution {
  if (histogram.count === 0) return []
  const last = 100 - 100 / histogram.count
  const percentiles = [0]
  // Ten points for each further nine: 90, 99, 99.9 and so on.
  for (let step = 1; step <= 70; step++) {
    const percentile = 100 - 100 * 10 ** (-step / 10)
    if (percentile > last) break
    percentiles.push(percentile)
  }
  percentiles.push(100)
  return percentiles.map((percentile) => [
    Number(percentile.toFixed(5)),
    (percentile === 0 ? histogram.min : percentile === 100 ? histogram.max : histogram.percentile(percentile)) / 1000
  ])
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
