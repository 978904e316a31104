import { readFileSync, writeFileSync } from 'node:fs'
import { replaceGenerated } from '../generated.ts'
import { barChart } from './bar-chart.ts'
import { BROKERS, type BrokerName } from './brokers.ts'
import { FiguresOf } from './figures-of.ts'
import { reachTable } from './reach.ts'
import type { Results, Run } from './results.ts'
import { type Kind, SCENARIOS } from './scenarios.ts'
import { behind, findings, resultsTable, seriesTable } from './tables.ts'

const README = new URL('../README.md', import.meta.url)
const OTHERS: readonly BrokerName[] = ['mosquitto', 'aedes']
const SHOWN: readonly BrokerName[] = ['godwit', 'mosquitto', 'aedes', 'mosquitto-safe']

/** The tables of the README, by the names of their marks. */
function tablesOf({ runs, series }: Results): Readonly<Record<string, string>> {
  const ofKinds = (...kinds: readonly Kind[]): string =>
    resultsTable(
      runs,
      SCENARIOS.filter(({ kind, brokers }) => kinds.includes(kind) && brokers === undefined),
      OTHERS
    )
  const safe = SCENARIOS.filter(({ brokers }) => brokers?.includes('mosquitto-safe'))
  return {
    reach: reachTable(runs),
    behind: behind(runs, OTHERS),
    findings: findings(runs),
    live: ofKinds('p2p', 'fanout', 'fanin', 'rate'),
    many: ofKinds('connect', 'match'),
    durable: ofKinds('durable', 'crash', 'retained'),
    safe: resultsTable(runs, safe, ['mosquitto-safe']),
    series: seriesTable(series)
  }
}

/** The plots beside the README, by their file names. */
function plotsOf(runs: readonly Run[]): Readonly<Record<string, string>> {
  const chart = (title: string, key: string, names: readonly string[]): string => {
    const groups = names.map((label) => ({
      label,
      bars: SHOWN.map((broker, series) => ({ series, value: new FiguresOf(runs, label, broker).median(key) }))
    }))
    const legend = SHOWN.filter((_, series) => groups.some(({ bars }) => Number.isFinite(bars[series]?.value)))
    return barChart({ title, legend: legend.map((broker) => BROKERS[broker].title), groups })
  }
  const named = (...kinds: readonly Kind[]): string[] =>
    SCENARIOS.filter(({ kind, isUsual }) => isUsual && kinds.includes(kind)).map(({ name }) => name)
  return {
    'messages.svg': chart('Messages, or deliveries, per second of CPU time', 'per_cpu_s', named('p2p', 'fanout', 'fanin')),
    'rate.svg': chart('CPU time for a steady rate of single messages, % of a processor', 'broker_cpu_pct', named('rate')),
    'durable.svg': chart('QoS 1 messages for absent sessions, acknowledged/s', 'acked_s', named('durable')),
    'drain.svg': chart('The same messages, drained/s', 'drain_s', named('durable'))
  }
}

/** Writes the generated parts of the README anew, and the plots. */
export function writeReport(results: Results): void {
  let document = readFileSync(README, 'utf8')
  for (const [name, content] of Object.entries(tablesOf(results))) document = replaceGenerated(document, name, content)
  writeFileSync(README, document)
  for (const [file, content] of Object.entries(plotsOf(results.runs))) {
    writeFileSync(new URL(`../plots/${file}`, import.meta.url), content)
  }
}
