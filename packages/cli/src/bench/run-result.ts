import { distributionOf, percentilesOf } from './latency.ts'
import type { RunRequest } from './load-run.ts'
import { type LatencyOf, type Moment, rateOf, type Recording } from './recorder.ts'
import type { BrokerUsage, GeneratorUsage, Rates, RunResult, ThreadUsage } from './results.ts'
import { type RateOf, SCENARIOS } from './scenarios.ts'
import type { Verification } from './verification.ts'
import { warningsOf } from './run-warnings.ts'

/** Where the time that a rate counts differs from that of the recording; in milliseconds since the Unix epoch. */
export interface MeasuredSpan {
  readonly fromMs?: Partial<Record<RateOf, number>>
  readonly toMs?: Partial<Record<RateOf, number>>
}

export interface RunOutcome extends RunRequest {
  readonly latencyOf: LatencyOf
  readonly recording: Recording
  readonly span: MeasuredSpan
  /** After everything. */
  readonly last: Moment
  readonly verification: Verification | null
}

/** From here on, of 100, a thread has no time left: what is missing is how it is measured. */
const BUSY_PERCENT = 90

export function runResultOf(outcome: RunOutcome): RunResult {
  const { load, target, round, threads, recording, last, verification } = outcome
  const { from, to } = recording
  const rates = ratesOf(outcome)
  const { headline: wished } = SCENARIOS[load.scenario]
  // Nothing is acknowledged at QoS 0.
  const headline = wished === 'acknowledged' && load.qos === 0 ? 'published' : wished
  const ms = percentilesOf(recording.latency)
  const kinds = errorKindsOf(last)
  const result: Omit<RunResult, 'warnings'> = {
    scenario: load.scenario,
    qos: load.qos,
    broker: target.name,
    round,
    settings: {
      publishers: load.publishers,
      subscribers: load.subscribers,
      payloadBytes: load.payloadBytes,
      inflight: load.inflight,
      ratePerSecond: load.ratePerSecond ?? null,
      messages: load.messages ?? null,
      threads
    },
    seconds: Number(((to.atMs - from.atMs) / 1000).toFixed(3)),
    rates,
    headline,
    latency: ms === null ? null : { of: outcome.latencyOf, ms, distribution: distributionOf(recording.latency) },
    acknowledgementMs: percentilesOf(recording.acknowledging),
    series: recording.series,
    verification,
    errors: { count: kinds.reduce((sum, { count }) => sum + count, 0), kinds },
    generator: generatorOf(recording),
    process: brokerUsageOf(recording, headline)
  }
  return { ...result, warnings: warningsOf(result, last) }
}

function ratesOf({ load, recording: { from, to }, span }: RunOutcome): Rates {
  const rate = (of: RateOf): number => {
    const startMs = span.fromMs?.[of] ?? from.atMs
    return rateOf(to[of] - from[of], (span.toMs?.[of] ?? to.atMs) - startMs)
  }
  const { scenario, qos, publishers } = load
  const isConnect = scenario === 'connect'
  return {
    connections: isConnect ? rate('connections') : null,
    published: isConnect || publishers === 0 ? null : rate('published'),
    acknowledged: isConnect || publishers === 0 || qos === 0 ? null : rate('acknowledged'),
    received: isConnect || scenario === 'publish' ? null : rate('received')
  }
}

function errorKindsOf({ threads }: Moment): { readonly message: string; readonly count: number }[] {
  const counts = new Map<string, number>()
  for (const [message, count] of threads.flatMap(({ errors }) => errors)) counts.set(message, (counts.get(message) ?? 0) + count)
  return [...counts].map(([message, count]) => ({ message, count })).toSorted((a, b) => b.count - a.count)
}

function generatorOf({ from, to, lagMs }: Recording): GeneratorUsage {
  const threads = to.threads.map(({ own }, index): ThreadUsage => {
    const before = from.threads[index]?.own ?? { cpuMs: 0, activeMs: 0, idleMs: 0 }
    const activeMs = own.activeMs - before.activeMs
    const wholeMs = Math.max(activeMs + own.idleMs - before.idleMs, Number.MIN_VALUE)
    return {
      cpuPercent: Math.round((100 * (own.cpuMs - before.cpuMs)) / Math.max(1, to.atMs - from.atMs)),
      busyPercent: Math.round((100 * activeMs) / wholeMs)
    }
  })
  const isLimit = threads.some(({ cpuPercent, busyPercent }) => Math.max(cpuPercent, busyPercent) >= BUSY_PERCENT)
  return { threads, lagMs: Number(lagMs.toFixed(3)), isLimit }
}

function brokerUsageOf({ from, to }: Recording, headline: RateOf): BrokerUsage | null {
  if (from.usage === undefined || to.usage === undefined) return null
  const cpuSeconds = to.usage.cpuSeconds - from.usage.cpuSeconds
  return {
    cpuPercent: Math.round((100_000 * cpuSeconds) / (to.atMs - from.atMs)),
    messagesPerCpuSecond: cpuSeconds === 0 ? 0 : Math.round((to[headline] - from[headline]) / cpuSeconds),
    residentBytes: to.usage.residentBytes,
    residentBytesBefore: from.usage.residentBytes
  }
}
