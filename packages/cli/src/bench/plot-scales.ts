/** Turns values into places from 0 to 1, with marks to read them by. */
export interface Scale {
  place(value: number): number
  readonly ticks: readonly Tick[]
}

interface Tick {
  readonly value: number
  readonly label: string
}

const TICKS = 4

/** From 0 to a round number at or above the highest value. */
export function linearScale(highest: number, labelOf: (value: number) => string): Scale {
  const step = roundStep(Math.max(highest, Number.MIN_VALUE) / TICKS)
  const count = Math.max(1, Math.ceil(highest / step))
  const top = step * count
  return {
    place: (value) => value / top,
    ticks: Array.from({ length: count + 1 }, (_, index) => ({ value: index * step, label: labelOf(index * step) }))
  }
}

/** From 0 to the highest value itself. */
export function timeScale(highestSeconds: number): Scale {
  const highest = Math.max(highestSeconds, Number.MIN_VALUE)
  const step = roundStep(highest / TICKS)
  const count = Math.floor((highest * 1.001) / step)
  return {
    place: (value) => value / highest,
    ticks: Array.from({ length: count + 1 }, (_, index) => ({
      value: index * step,
      label: `${Number((index * step).toPrecision(6))} s`
    }))
  }
}

/** By powers of ten around all values, which are above 0. */
export function logScale(lowest: number, highest: number, labelOf: (value: number) => string): Scale {
  const from = Math.floor(Math.log10(lowest))
  const to = Math.max(from + 1, Math.ceil(Math.log10(highest)))
  // Where there are few powers, what lies between them has a mark as well.
  const marks = to - from <= 2 ? [1, 2, 5] : [1]
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
  const ticks = powers
    .flatMap((power) => marks.map((mark) => mark * power))
    .filter((value) => value <= 10 ** to * 1.001)
    .map((value) => ({ value, label: labelOf(value) }))
  return { place: (value) => (Math.log10(value) - from) / (to - from), ticks }
}

/** For percentiles: from 0 to 90 % takes as much room as from 90 % to 99 %, and from there to 99.9 %. */
export function ninesScale(highest: number): Scale {
  const ninesOf = (percentile: number): number => -Math.log10(1 - Math.min(percentile, highest) / 100)
  const span = Math.max(ninesOf(highest), 1)
  const ticks = [50, 90, 99, 99.9, 99.99, 99.999, 99.9999].filter((percentile) => percentile <= highest)
  return {
    place: (percentile) => ninesOf(percentile) / span,
    ticks: ticks.map((value) => ({ value, label: `${value} %` }))
  }
}

/** 1, 2 or 5 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const step = [1, 2, 5].find((each) => each * power >= least * 0.999) ?? 10
  return step * power
}
