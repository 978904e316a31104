import { bytesText, countText } from '../quantities.ts'
import { type Comparison, isSameScenario } from './comparison.ts'
import { STYLE } from './html-style.ts'
import { escaped } from './html-text.ts'
import { labelOf } from './load.ts'
import { durationText, numberText, ratioText } from './numbers.ts'
import { linearScale, logScale, ninesScale, timeScale } from './plot-scales.ts'
import type { Broker, Report, RunResult } from './results.ts'
import { median } from './statistics.ts'
import { VERDICTS } from './summary.ts'
import { type Bar, barPlot, linePlot, type PlotLine } from './svg-plots.ts'

/** The results as one HTML page that needs nothing else: no script, no other file, no network. */
export function htmlReport(report: Report): string {
  const { brokers, runs, comparisons, baseline, warnings, startedAt, version, machine } = report
  const byLabel = [...Map.groupBy(runs, labelOf)]
  const body = [
    '<h1>godwit bench</h1>',
    `<p class="quiet">${escaped(`${startedAt.slice(0, 16).replace('T', ' ')} UTC, godwit ${version}`)}</p>`,
    `<p class="quiet">${escaped(machineText(machine))}</p>`,
    ...brokers.map((broker) => `<p>${brokerKey(broker, brokers)}</p>`),
    ...(warnings.length === 0
      ? []
      : [`<div class="card warnings"><ul>${warnings.map((warning) => `<li>${escaped(warning)}</li>`).join('')}</ul></div>`]),
    '<h2>Results</h2>',
    `<div class="card">${runsTable(byLabel, brokers)}</div>`,
    '<h2>Rates</h2>',
    `<div class="card wide">${ratesPlot(byLabel, brokers)}</div>`,
    ...(comparisons.length === 0
      ? []
      : ['<h2>B against A</h2>', `<div class="card">${comparisonTable(comparisons, 'A', 'B')}</div>`]),
    ...(baseline === null || baseline.comparisons.length === 0
      ? []
      : [
          `<h2>Against the baseline of ${escaped(baseline.startedAt.slice(0, 16).replace('T', ' '))} UTC</h2>`,
          `<div class="card">${comparisonTable(baseline.comparisons, 'then', 'now')}</div>`
        ]),
    ...byLabel.map(([label, rounds]) => section(label, rounds, brokers))
  ]
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    `<title>${escaped(`godwit bench, ${startedAt.slice(0, 10)}`)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    ...body,
    '</main>',
    '</body>',
    '</html>\n'
  ].join('\n')
}

function machineText({ platform, processors, processorModel, memoryBytes, node }: Report['machine']): string {
  return `${processors} × ${processorModel}, ${bytesText(memoryBytes)}, ${platform}, Node ${node}`
}

function brokerKey({ name, url }: Broker, brokers: readonly Broker[]): string {
  const key = `<span class="key c${colourOf(name)}"></span>`
  return `${key}${escaped(brokers.length > 1 ? `${name}: ${url}` : url)}`
}

function colourOf(name: Broker['name']): number {
  return name === 'A' ? 0 : 1
}

type ByLabel = readonly (readonly [label: string, rounds: readonly RunResult[]])[]

function runsTable(byLabel: ByLabel, brokers: readonly Broker[]): string {
  const isPair = brokers.length > 1
  const head = [
    '',
    ...(isPair ? ['broker'] : []),
    'rate',
    '',
    '50 %',
    '90 %',
    '99 %',
    '99.9 %',
    'max',
    'lost',
    'duplicated',
    'reordered',
    'damaged',
    'generator'
  ]
  const rows = byLabel.flatMap(([label, all]) =>
    brokers.flatMap(({ name }) => {
      const rounds = all.filter(({ broker }) => broker === name)
      return rounds.length === 0 ? [] : [runRow(label, rounds, isPair ? [name] : [])]
    })
  )
  return tableOf(head, rows, isPair ? 2 : 1)
}

function runRow(label: string, rounds: readonly RunResult[], broker: readonly string[]): string[] {
  const [first] = rounds
  const headline = first?.headline ?? 'received'
  const latency = (name: 'p50' | 'p90' | 'p99' | 'p999' | 'max'): string => {
    const values = rounds.flatMap((each) => (each.latency === null ? [] : [each.latency.ms[name]]))
    return values.length === 0 ? '–' : durationText(median(values))
  }
  const found = (name: 'lost' | 'duplicated' | 'reordered' | 'damaged'): string => {
    if (first?.verification === null) return '–'
    const sum = rounds.reduce((total, { verification }) => total + (verification?.[name] ?? 0), 0)
    return sum > 0 ? `<span class="bad">${numberText(sum)}</span>` : '0'
  }
  const busy = median(rounds.map(({ generator }) => Math.max(...generator.threads.map(({ busyPercent }) => busyPercent))))
  return [
    escaped(label),
    ...broker,
    `<span class="strong">${numberText(median(rounds.map(({ rates }) => rates[headline] ?? 0)))}</span>`,
    `<span class="quiet">${headline}/s</span>`,
    latency('p50'),
    latency('p90'),
    latency('p99'),
    latency('p999'),
    latency('max'),
    found('lost'),
    found('duplicated'),
    found('reordered'),
    found('damaged'),
    `${Math.round(busy)} %`
  ]
}

function ratesPlot(byLabel: ByLabel, brokers: readonly Broker[]): string {
  const groups = byLabel.map(([label, all]) => ({
    label,
    headline: all[0]?.headline,
    bars: brokers.flatMap(({ name }): Bar[] => {
      const rounds = all.filter(({ broker }) => broker === name)
      const [first] = rounds
      if (first === undefined) return []
      const value = median(rounds.map(({ rates }) => rates[first.headline] ?? 0))
      return [{ name, colour: colourOf(name), value, label: `${numberText(value)} ${first.headline}/s` }]
    })
  }))
  const highest = (bars: readonly Bar[]): number => Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const scaled = groups.map(({ label, bars, headline }) => {
    // Of one broker, what counts the same has the same scale; two are compared scenario by scenario.
    const alike = groups.filter((other) => (other.headline === 'connections') === (headline === 'connections'))
    return { label, bars, highest: highest(brokers.length > 1 ? bars : alike.flatMap((other) => other.bars)) }
  })
  return barPlot({ title: 'Rate of each scenario', groups: scaled })
}

function comparisonTable(comparisons: readonly Comparison[], a: string, b: string): string {
  const rows = comparisons.map((each, index) => [
    isSameScenario(comparisons[index - 1], each) ? '' : escaped(labelOf(each)),
    escaped(each.figure),
    numberText(each.a.median),
    numberText(each.b.median),
    `<span class="strong">${ratioText(each.ratio)}</span>`,
    `${ratioText(each.ratioRange[0])} to ${ratioText(each.ratioRange[1])}`,
    `<span class="${each.verdict}">${VERDICTS[each.verdict]}</span>`
  ])
  return tableOf(['', '', a, b, `${b}/${a}`, 'of rounds', ''], rows, 2)
}

/** @param left columns that are text: they are aligned to the left */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const row = (tag: 'th' | 'td', cells: readonly string[]): string => {
    const marked = cells.map((cell, column) => `<${tag}${column < left ? ' class="left"' : ''}>${cell}</${tag}>`)
    return `<tr>${marked.join('')}</tr>`
  }
  return `<table><thead>${row('th', head.map(escaped))}</thead><tbody>\n${rows.map((cells) => row('td', cells)).join('\n')}\n</tbody></table>`
}

/** The plots of one scenario: of each broker the round in the middle. */
function section(label: string, rounds: readonly RunResult[], brokers: readonly Broker[]): string {
  const shown = brokers.flatMap(({ name }) => {
    const own = rounds
      .filter(({ broker }) => broker === name)
      .toSorted((a, b) => (a.rates[a.headline] ?? 0) - (b.rates[b.headline] ?? 0))
    return own.slice(own.length >> 1, (own.length >> 1) + 1)
  })
  const [first] = shown
  if (first === undefined) return ''
  const named = (run: RunResult, text: string): string => (brokers.length > 1 ? `${run.broker} ${text}` : text)
  const latencyOf = first.latency === null ? '' : ` (${first.latency.of})`
  const plots = [
    figure('Rate over time, per second', ratePlot(shown, named)),
    figure(`Latency over time${latencyOf}`, latencyPlot(shown, named)),
    figure(`Latency distribution${latencyOf}`, distributionPlot(shown, named))
  ]
  return `<h2>${escaped(label)}</h2>\n<p class="quiet">${escaped(settingsText(first))}</p>\n<div class="plots">${plots.join('\n')}</div>`
}

function figure(title: string, plot: string): string {
  return plot === '' ? '' : `<div class="card"><h3>${escaped(title)}</h3>${plot}</div>`
}

function settingsText({ settings, seconds }: RunResult): string {
  const { publishers, subscribers, payloadBytes, inflight, ratePerSecond, threads } = settings
  return [
    ...(publishers > 0 ? [countText(publishers, 'publisher')] : []),
    ...(subscribers > 0 ? [countText(subscribers, publishers > 0 ? 'subscriber' : 'client')] : []),
    ...(publishers > 0 ? [bytesText(payloadBytes), `${inflight} in flight for each publisher`] : []),
    ...(ratePerSecond === null ? [] : [`${numberText(ratePerSecond)} messages/s`]),
    countText(threads, 'thread'),
    `${numberText(seconds)} s`
  ].join(', ')
}

type Named = (run: RunResult, text: string) => string

function ratePlot(shown: readonly RunResult[], named: Named): string {
  const lines = shown.flatMap((run): PlotLine[] => {
    const rates = run.scenario === 'durable' ? (['acknowledged', 'received'] as const) : [run.headline]
    return rates.map((rate, index) => ({
      name: named(run, rate),
      colour: colourOf(run.broker),
      stroke: index === 0 ? 'solid' : 'dashed',
      points: run.series.map((point) => [point.atSeconds, point.rates[rate] ?? 0])
    }))
  })
  return overTime('Rate over time', lines, numberText)
}

function latencyPlot(shown: readonly RunResult[], named: Named): string {
  const percentiles = [
    { of: 'p50', text: '50 %', stroke: 'solid' },
    { of: 'p99', text: '99 %', stroke: 'dashed' },
    { of: 'max', text: 'max', stroke: 'dotted' }
  ] as const
  // More than four lines are not told apart any more.
  const drawn = shown.length > 1 ? percentiles.slice(0, 2) : percentiles
  const lines = shown.flatMap((run) =>
    drawn.map(({ of, text, stroke }): PlotLine => ({
      name: named(run, text),
      colour: colourOf(run.broker),
      stroke,
      points: run.series.flatMap(({ atSeconds, latencyMs }) => (latencyMs === null ? [] : [[atSeconds, latencyMs[of]] as const]))
    }))
  )
  return overTime('Latency over time', lines, durationText)
}

function overTime(title: string, lines: readonly PlotLine[], labelOfValue: (value: number) => string): string {
  const points = lines.flatMap((line) => line.points)
  if (points.length === 0) return ''
  const x = timeScale(Math.max(...points.map(([at]) => at)))
  const y = linearScale(Math.max(...points.map(([, value]) => value)), labelOfValue)
  return linePlot({ title, lines, x, y })
}

/** How long the quickest half took, the quickest 99 %, and so on. */
function distributionPlot(shown: readonly RunResult[], named: Named): string {
  const lines = shown.flatMap((run): PlotLine[] =>
    run.latency === null
      ? []
      : [{ name: named(run, run.latency.of), colour: colourOf(run.broker), stroke: 'solid', points: run.latency.distribution }]
  )
  const points = lines.flatMap((line) => line.points)
  if (points.length === 0) return ''
  const values = points.map(([, ms]) => ms)
  // The longest of all stands at the end, where 100 % would be infinitely far.
  const highest = Math.max(...points.map(([percentile]) => percentile).filter((percentile) => percentile < 100), 90)
  return linePlot({
    title: 'Latency distribution',
    lines,
    x: ninesScale(highest),
    y: logScale(Math.max(Math.min(...values), 0.001), Math.max(...values, 0.001), durationText)
  })
}
