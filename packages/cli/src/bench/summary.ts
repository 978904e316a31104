import { type Comparison, isSameScenario, type Verdict } from './comparison.ts'
import { labelOf } from './load.ts'
import { durationText, numberText, ratioText } from './numbers.ts'
import type { Report, RunResult } from './results.ts'
import { median, spread } from './statistics.ts'

/** The results as text, for people. */
export function summaryOf(report: Report): string {
  const { runs, comparisons, baseline, brokers, warnings } = report
  const sections = [
    ...brokers.map(({ name, url }) => {
      const title = brokers.length > 1 ? `${name}: ${url}` : url
      return `${title}\n\n${table(runsTable(runs.filter(({ broker }) => broker === name)))}`
    }),
    ...(comparisons.length === 0 ? [] : [`B against A\n\n${table(comparisonTable(comparisons, 'A', 'B'))}`]),
    ...(baseline === null
      ? []
      : [`Now against the baseline of ${baseline.startedAt}\n\n${table(comparisonTable(baseline.comparisons, 'then', 'now'))}`]),
    ...(warnings.length === 0 ? [] : [warnings.map((warning) => `! ${warning}`).join('\n')])
  ]
  return `${sections.join('\n\n')}\n`
}

export const VERDICTS: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'worse',
  'within-noise': 'within the noise',
  'too-few': 'too few rounds to tell'
}

const HEAD = ['', 'rate', '', '50 %', '90 %', '99 %', '99.9 %', 'max', 'lost', 'generator']

function runsTable(runs: readonly RunResult[]): string[][] {
  const rows = [...Map.groupBy(runs, labelOf)].flatMap(([label, rounds]) => rowsOf(label, rounds))
  const hasUsage = runs.some(({ process }) => process !== null)
  const hasRounds = runs.some(({ round }) => round > 1)
  return [
    [...HEAD, ...(hasUsage ? ['per CPU s', 'CPU', 'memory'] : []), ...(hasRounds ? ['spread'] : [])],
    ...rows.map(({ cells, usage, spread: part }) => [...cells, ...(hasUsage ? usage : []), ...(hasRounds ? [part] : [])])
  ]
}

interface Row {
  readonly cells: readonly string[]
  readonly usage: readonly string[]
  readonly spread: string
}

/** Medians of all rounds; the worst of what went wrong. Of `durable` two rows: what was stored, and what was drained. */
function rowsOf(label: string, rounds: readonly RunResult[]): Row[] {
  const [first] = rounds
  if (first === undefined) return []
  const rates = first.scenario === 'durable' ? (['acknowledged', 'received'] as const) : [first.headline]
  return rates.map((rate, index): Row => {
    const values = rounds.map((each) => each.rates[rate] ?? 0)
    const of = (pick: (result: RunResult) => number | undefined): number => median(rounds.map((each) => pick(each) ?? Number.NaN))
    const latencies = (['p50', 'p90', 'p99', 'p999', 'max'] as const).map((name) => {
      const value = of(({ latency }) => latency?.ms[name])
      return index > 0 || Number.isNaN(value) ? '' : durationText(value)
    })
    const lost = rounds.reduce((sum, { verification }) => sum + (verification?.lost ?? 0), 0)
    const busy = of(({ generator }) => Math.max(...generator.threads.map(({ busyPercent }) => busyPercent)))
    const cpuSecond = of(({ process }) => process?.messagesPerCpuSecond)
    return {
      cells: [
        index === 0 ? label : '',
        numberText(median(values)),
        `${rate}/s`,
        ...latencies,
        first.verification === null || index < rates.length - 1 ? '' : numberText(lost),
        index > 0 ? '' : `${Math.round(busy)} %`
      ],
      usage:
        Number.isNaN(cpuSecond) || index < rates.length - 1
          ? ['', '', '']
          : [
              numberText(cpuSecond),
              `${Math.round(of(({ process }) => process?.cpuPercent))} %`,
              `${numberText(of(({ process }) => (process?.residentBytes ?? 0) / 1e6))} MB`
            ],
      spread: `${numberText(spread(values) * 100)} %`
    }
  })
}

function comparisonTable(comparisons: readonly Comparison[], a: string, b: string): string[][] {
  return [
    ['', '', a, b, `${b}/${a}`, 'of rounds', ''],
    ...comparisons.map((each, index) => [
      isSameScenario(comparisons[index - 1], each) ? '' : labelOf(each),
      each.figure,
      numberText(each.a.median),
      numberText(each.b.median),
      ratioText(each.ratio),
      `${ratioText(each.ratioRange[0])} to ${ratioText(each.ratioRange[1])}`,
      VERDICTS[each.verdict]
    ])
  ]
}

/** Numbers to the right; columns in which there is nothing are left out. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows
  const columns = head.map((_, column) => column).filter((column) => rows.slice(1).some((row) => (row[column] ?? '') !== ''))
  const widths = columns.map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      columns
        .map((column, place) => {
          const cell = row[column] ?? ''
          const width = widths[place] ?? 0
          return /^[\d×]/.test(rows[1]?.[column] ?? '') ? cell.padStart(width) : cell.padEnd(width)
        })
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
