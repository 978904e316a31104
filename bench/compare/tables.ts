import { formatted } from '../statistics.ts'
import { BROKER_NAMES, BROKERS, type BrokerName } from './brokers.ts'
import { type Headline, HEADLINES } from './figure-catalogue.ts'
import { FiguresOf } from './figures-of.ts'
import type { Run, Series } from './results.ts'
import { type Scenario, SCENARIOS } from './scenarios.ts'

/** A run in which others used more of a processor is told of as disturbed. */
const QUIET_PERCENT = 30

/** A Markdown table; all columns but the first two are numbers. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = heads.map((_, column) => (column < 2 ? '---' : '--:'))
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Medians of Godwit and of those that it is compared with, the ratios to each of these, and the widest spread. */
export function resultsTable(runs: readonly Run[], scenarios: readonly Scenario[], others: readonly BrokerName[]): string {
  const brokers = ['godwit', ...others] as const
  const heads = ['scenario', 'figure', ...brokers.map(titleOf), ...others.map((other) => `Godwit/${titleOf(other)}`), 'spread']
  const rows = scenarios.flatMap(({ name, kind }) => {
    const figures = brokers.map((broker) => new FiguresOf(runs, name, broker))
    if (!figures.some(({ isMeasured }) => isMeasured)) return []
    return HEADLINES[kind].map((headline, index) => [index === 0 ? name : '', headline.title, ...cellsOf(headline, figures)])
  })
  return table(heads, rows)
}

function cellsOf({ key, divisor = 1, better }: Headline, figures: readonly FiguresOf[]): string[] {
  const medians = figures.map((each) => each.median(key) / divisor)
  const [own = Number.NaN, ...others] = medians
  const ratios = others.map((other) => ratioText(own / other, better))
  const spreads = figures.map((each) => each.spread(key))
  return [...medians.map(formatted), ...ratios, `${formatted(Math.max(...spreads) * 100)} %`]
}

/** Bold where Godwit is behind. */
function ratioText(ratio: number, better: Headline['better']): string {
  if (!Number.isFinite(ratio)) return '-'
  const text = ratio.toFixed(2)
  return isBehind(ratio, better) ? `**${text}**` : text
}

/** By more than what is likely to be noise. */
function isBehind(ratio: number, better: Headline['better']): boolean {
  return better === 'higher' ? ratio < 0.95 : ratio > 1.05
}

/** One line for each figure in which Godwit is behind one of the others. */
export function behind(runs: readonly Run[], others: readonly BrokerName[]): string {
  const lines = SCENARIOS.flatMap(({ name, kind }) =>
    HEADLINES[kind].flatMap(({ key, title, better }) => {
      const own = new FiguresOf(runs, name, 'godwit').median(key)
      const against = others.flatMap((other) => {
        const ratio = own / new FiguresOf(runs, name, other).median(key)
        return Number.isFinite(ratio) && isBehind(ratio, better) ? [`${ratio.toFixed(2)} × ${titleOf(other)}'s`] : []
      })
      return against.length === 0 ? [] : [`- ${name}, ${title}: ${against.join(', ')}`]
    })
  )
  return lines.length === 0 ? 'In none of the figures that were measured.' : lines.join('\n')
}

/** What went wrong, where the generator was the limit, and how many runs others on the machine disturbed. */
export function findings(runs: readonly Run[]): string {
  const disturbances = runs.map(({ figures }) => figures['other_cpu_pct'] ?? 0).filter((percent) => percent > QUIET_PERCENT)
  const lines = SCENARIOS.flatMap(({ name }) =>
    BROKER_NAMES.flatMap((broker) => {
      const { troubles, isBoundByGenerator } = new FiguresOf(runs, name, broker)
      const found = [
        ...(troubles.length > 0 ? [troubles.join('; ')] : []),
        ...(isBoundByGenerator ? ['the generator was the limit'] : [])
      ]
      return found.map((what) => `- ${name}, ${titleOf(broker)}: ${what}`)
    })
  )
  const disturbed =
    disturbances.length === 0
      ? []
      : [
          `- ${disturbances.length} of ${runs.length} runs were disturbed: others used ${QUIET_PERCENT} to ` +
            `${formatted(Math.max(...disturbances))} % of a processor meanwhile`
        ]
  return [...(lines.length === 0 ? ['- Nothing was lost, repeated, reordered or refused.'] : lines), ...disturbed].join('\n')
}

/** What the runs were measured on; where that differs between series, all of it. */
export function seriesTable(series: readonly Series[]): string {
  const titles = [...new Set(series.flatMap((each) => Object.keys(each)))]
  const rows = titles.map((title) => [title, [...new Set(series.flatMap((each) => each[title] ?? []))].join('; ')])
  const brokers = Object.values(BROKERS)
  const settings = brokers.map(({ title, settings }) => [`settings of ${title}`, settings])
  const policies = brokers.map(({ title, syncPolicy }) => [`sync policy of ${title}`, syncPolicy])
  return table(['', ''], [...rows, ...settings, ...policies])
}

function titleOf(broker: BrokerName): string {
  return BROKERS[broker].title
}
