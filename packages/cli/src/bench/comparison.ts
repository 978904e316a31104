import type { QoS } from '@godwit/protocol'
import { labelOf } from './load.ts'
import type { RunResult } from './results.ts'
import type { ScenarioName } from './scenarios.ts'
import { median, signTest } from './statistics.ts'

/**
 * `better`, `worse`: of the second, and more than chance explains. `within-noise`: the rounds do not agree. `too-few`: with so few rounds nothing
 * can be said.
 */
export type Verdict = 'better' | 'worse' | 'within-noise' | 'too-few'

/** One figure of one scenario, in two sets of rounds. */
export interface Comparison {
  readonly scenario: ScenarioName
  readonly qos: QoS
  readonly figure: string
  readonly isHigherBetter: boolean
  readonly a: Values
  readonly b: Values
  /** B / A of the medians. */
  readonly ratio: number
  /** The lowest and the highest that single rounds give. */
  readonly ratioRange: readonly [lowest: number, highest: number]
  readonly verdict: Verdict
}

interface Values {
  readonly median: number
  readonly rounds: readonly number[]
}

/** What chance explains as often as this, or more often, is noise: 5 rounds that agree are just enough. */
const CHANCE_MAX = 1 / 16
/** Below it even rounds that all agree prove nothing. */
const ROUNDS_MIN = 5

interface Figure {
  readonly name: string
  readonly isHigherBetter: boolean
  readonly valueOf: (result: RunResult) => number | null
}

const FIGURES: readonly Figure[] = [
  { name: 'connections/s', isHigherBetter: true, valueOf: ({ rates }) => rates.connections },
  {
    name: 'published/s',
    isHigherBetter: true,
    valueOf: ({ headline, rates }) => (headline === 'published' ? rates.published : null)
  },
  {
    name: 'acknowledged/s',
    isHigherBetter: true,
    valueOf: ({ headline, scenario, rates }) =>
      headline === 'acknowledged' || scenario === 'durable' ? rates.acknowledged : null
  },
  {
    name: 'received/s',
    isHigherBetter: true,
    valueOf: ({ headline, rates }) => (headline === 'received' ? rates.received : null)
  },
  { name: 'latency 50 %, ms', isHigherBetter: false, valueOf: ({ latency }) => latency?.ms.p50 ?? null },
  { name: 'latency 99 %, ms', isHigherBetter: false, valueOf: ({ latency }) => latency?.ms.p99 ?? null },
  { name: 'messages per CPU second', isHigherBetter: true, valueOf: ({ process }) => process?.messagesPerCpuSecond ?? null },
  {
    name: 'resident memory, MB',
    isHigherBetter: false,
    valueOf: ({ process }) => (process === null ? null : process.residentBytes / 1e6)
  }
]

/** How rounds of two sets belong together: measured in turns, each with the other of its round; or at different times, all with all. */
export type Pairing = 'rounds' | 'apart'

/** B against A, for each scenario that both have. */
export function compare(a: readonly RunResult[], b: readonly RunResult[], pairing: Pairing): Comparison[] {
  const others = Map.groupBy(b, labelOf)
  return [...Map.groupBy(a, labelOf)].flatMap(([label, runs]) => {
    const against = others.get(label)
    return against === undefined ? [] : FIGURES.flatMap((figure) => compareFigure(figure, runs, against, pairing))
  })
}

function compareFigure(
  { name, isHigherBetter, valueOf }: Figure,
  runsA: readonly RunResult[],
  runsB: readonly RunResult[],
  pairing: Pairing
): Comparison[] {
  const [first] = runsA
  const a = valuesOf(runsA, valueOf)
  const b = valuesOf(runsB, valueOf)
  if (first === undefined || a.length === 0 || b.length === 0) return []
  const ratios =
    pairing === 'rounds'
      ? a.slice(0, b.length).map((value, round) => (b[round] ?? 0) / value)
      : a.flatMap((value) => b.map((other) => other / value))
  const { scenario, qos } = first
  return [
    {
      scenario,
      qos,
      figure: name,
      isHigherBetter,
      a: { median: median(a), rounds: a },
      b: { median: median(b), rounds: b },
      ratio: median(b) / median(a),
      ratioRange: [Math.min(...ratios), Math.max(...ratios)],
      verdict: pairing === 'rounds' ? verdictOfRounds(ratios, isHigherBetter) : verdictApart(a, b, ratios, isHigherBetter)
    }
  ]
}

function valuesOf(runs: readonly RunResult[], valueOf: Figure['valueOf']): number[] {
  // What is 0 has no ratio.
  return runs.map((run) => valueOf(run) ?? 0).filter((value) => value > 0)
}

/** By the sign test: in how many rounds B was ahead. */
function verdictOfRounds(ratios: readonly number[], isHigherBetter: boolean): Verdict {
  const decided = ratios.filter((ratio) => ratio !== 1)
  if (ratios.length < ROUNDS_MIN) return 'too-few'
  const higher = decided.filter((ratio) => ratio > 1).length
  if (decided.length === 0 || signTest(higher, decided.length) > CHANCE_MAX) return 'within-noise'
  return higher * 2 > decided.length === isHigherBetter ? 'better' : 'worse'
}

/** The machine may have changed meanwhile, so that only what does not overlap at all counts. */
function verdictApart(a: readonly number[], b: readonly number[], ratios: readonly number[], isHigherBetter: boolean): Verdict {
  if (a.length < ROUNDS_MIN || b.length < ROUNDS_MIN) return 'too-few'
  const isHigher = ratios.every((ratio) => ratio > 1)
  const isLower = ratios.every((ratio) => ratio < 1)
  if (!isHigher && !isLower) return 'within-noise'
  return isHigher === isHigherBetter ? 'better' : 'worse'
}

/** Whether a figure is of the same scenario as the one before it. */
export function isSameScenario(before: Comparison | undefined, comparison: Comparison): boolean {
  return before !== undefined && labelOf(before) === labelOf(comparison)
}

/** Why two sets of results cannot be compared scenario by scenario; empty: they can. */
export function differencesOf(now: readonly RunResult[], before: readonly RunResult[]): string[] {
  const others = Map.groupBy(before, labelOf)
  return [...Map.groupBy(now, labelOf)].flatMap(([label, [run]]) => {
    const [other] = others.get(label) ?? []
    if (run === undefined) return []
    if (other === undefined) return [`${label} is not in the baseline`]
    const names = SETTINGS.filter((name) => run.settings[name] !== other.settings[name])
    return names.length === 0
      ? []
      : [`${label} was measured with other settings in the baseline: ${names.map((name) => named(name, other, run)).join(', ')}`]
  })
}

const SETTINGS = ['publishers', 'subscribers', 'payloadBytes', 'inflight', 'ratePerSecond', 'threads'] as const

function named(name: (typeof SETTINGS)[number], before: RunResult, now: RunResult): string {
  return `${name} ${before.settings[name] ?? 'none'}, now ${now.settings[name] ?? 'none'}`
}
