import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { BROKER_NAMES, type BrokerName } from './brokers.ts'

/** One measurement. */
export interface Run {
  readonly scenario: string
  readonly broker: BrokerName
  /** Of `Results.series`. */
  readonly series: number
  readonly figures: Readonly<Record<string, number>>
  /** Why it came to nothing. */
  readonly error?: string
}

/** What a series of runs was measured on, and how: titles and values, for people to read. */
export type Series = Readonly<Record<string, string>>

export interface Results {
  readonly series: readonly Series[]
  readonly runs: readonly Run[]
}

export function readResults(file: string): Results {
  if (!existsSync(file)) return { series: [], runs: [] }
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isResults(value)) throw new TypeError(`${file}: not results of bench/compare`)
  return value
}

/** One run to a line. */
export function writeResults(file: string, { series, runs }: Results): void {
  const lines = (values: readonly unknown[]): string => values.map((value) => `    ${JSON.stringify(value)}`).join(',\n')
  writeFileSync(file, `{\n  "series": [\n${lines(series)}\n  ],\n  "runs": [\n${lines(runs)}\n  ]\n}\n`)
}

/** Puts runs of one more series in the place of earlier ones of the same scenarios and brokers; a series without runs goes. */
export function merge({ series, runs }: Results, next: Series, measured: readonly Omit<Run, 'series'>[]): Results {
  const replaced = new Set(measured.map(({ scenario, broker }) => `${scenario} ${broker}`))
  const kept = runs.filter(({ scenario, broker }) => !replaced.has(`${scenario} ${broker}`))
  const known = series.findIndex((each) => JSON.stringify(each) === JSON.stringify(next))
  const all = known < 0 ? [...series, next] : series
  const together = [...kept, ...measured.map((run) => ({ ...run, series: known < 0 ? series.length : known }))]
  const used = [...all.keys()].filter((index) => together.some((run) => run.series === index))
  return {
    series: all.filter((_, index) => used.includes(index)),
    runs: together.map((run) => ({ ...run, series: used.indexOf(run.series) }))
  }
}

function isResults(value: unknown): value is Results {
  if (typeof value !== 'object' || value === null) return false
  const runs: unknown = Reflect.get(value, 'runs')
  return Array.isArray(Reflect.get(value, 'series')) && Array.isArray(runs) && runs.every(isRun)
}

function isRun(value: unknown): value is Run {
  if (typeof value !== 'object' || value === null) return false
  const broker: unknown = Reflect.get(value, 'broker')
  return BROKER_NAMES.some((name) => name === broker) && typeof Reflect.get(value, 'figures') === 'object'
}
