import { setTimeout as delay } from 'node:timers/promises'
import { type BrokerName, MAIN_BROKERS } from './brokers.ts'
import { HEADLINES, TROUBLES } from './figure-catalogue.ts'
import type { Mqload, Outcome } from './mqload.ts'
import type { Run } from './results.ts'
import { RunningBroker } from './running-broker.ts'
import type { Scenario } from './scenarios.ts'

export interface MeasureOptions {
  readonly mqload: Mqload
  readonly rounds: number
  /** Of a measurement, for scenarios that run for a time. */
  readonly seconds: number | undefined
  /** Per cent of a processor that others may use before a run counts as disturbed. */
  readonly quietPercent: number
  /** Undefined: those that belong to the scenario. */
  readonly brokers: readonly BrokerName[] | undefined
  readonly brokerCpu: string
  readonly onRun: (line: string) => void
}

type Measured = Omit<Run, 'series'>

/** A disturbed run is tried again so many times; the least disturbed counts. */
const TRIES = 3
const PAUSE_MS = 3_000

/** Runs a scenario on brokers in turn, A B C, C B A, and so on, each started afresh. */
export async function measure(scenario: Scenario, options: MeasureOptions): Promise<Measured[]> {
  const brokers = options.brokers ?? scenario.brokers ?? MAIN_BROKERS
  const runs: Measured[] = []
  for (let round = 0; round < options.rounds; round++) {
    for (const broker of round % 2 === 0 ? brokers : brokers.toReversed()) {
      const run = await quietRun(scenario, broker, options)
      options.onRun(`${scenario.name}, round ${round + 1}, ${broker}: ${describeRun(scenario, run)}`)
      runs.push(run)
    }
  }
  return runs
}

async function quietRun(scenario: Scenario, broker: BrokerName, options: MeasureOptions): Promise<Measured> {
  const tried: Measured[] = []
  while (tried.length < TRIES) {
    const { figures, error } = await runOnce(scenario, broker, options)
    const run = { scenario: scenario.name, broker, figures, ...(error === undefined ? {} : { error }) }
    tried.push(run)
    if (error !== undefined || disturbance(run) <= options.quietPercent) break
    options.onRun(`${scenario.name}, ${broker}: others used ${disturbance(run).toFixed(0)} % of a processor, once more`)
    await delay(PAUSE_MS)
  }
  const [least] = tried.toSorted((a, b) => disturbance(a) - disturbance(b))
  if (least === undefined) throw new Error('nothing was measured')
  return least
}

async function runOnce({ kind, load }: Scenario, name: BrokerName, options: MeasureOptions): Promise<Outcome> {
  const { mqload, seconds, brokerCpu } = options
  let broker: RunningBroker
  try {
    broker = await RunningBroker.start(name, brokerCpu)
  } catch (error) {
    return { figures: {}, error: String(error) }
  }
  const run = (what: string): Promise<Outcome> => mqload.run(what, broker.port, broker.pid, seconds)
  try {
    if (kind !== 'crash') return failed(await run(load), broker)
    const published = await run(`${load} --phase publish`)
    if (published.error !== undefined) return published
    await broker.crash()
    const drained = await run(`${load} --phase drain`)
    const { acked = 0, acked_s: ackedPerSecond = 0 } = published.figures
    return failed({ ...drained, figures: { ...drained.figures, acked, acked_s: ackedPerSecond } }, broker)
  } catch (error) {
    return { figures: {}, error: String(error) }
  } finally {
    await broker.stop()
  }
}

function failed(outcome: Outcome, { failure }: RunningBroker): Outcome {
  return failure === undefined ? outcome : { ...outcome, error: failure }
}

function disturbance({ figures }: Measured): number {
  return figures['other_cpu_pct'] ?? 0
}

function describeRun({ kind }: Scenario, { figures, error }: Measured): string {
  if (error !== undefined) return error
  const told = [...HEADLINES[kind].map(({ key }) => key), ...TROUBLES.filter((key) => (figures[key] ?? 0) !== 0)]
  return told.map((key) => `${key} ${figures[key] ?? '-'}`).join(', ')
}
