import type { BrokerName } from './bench-plan.ts'
import type { Report, RunResult } from './results.ts'

const percentiles = { count: 1_000, mean: 1.2, p50: 1, p90: 2, p99: 3, p999: 4, max: 5 }

/** A run in which so many messages came in a second. */
export function runWith(received: number, changes: Partial<RunResult> = {}): RunResult {
  return {
    scenario: 'p2p',
    qos: 1,
    broker: 'A',
    round: 1,
    settings: {
      publishers: 50,
      subscribers: 50,
      payloadBytes: 64,
      inflight: 20,
      ratePerSecond: null,
      messages: null,
      threads: 1
    },
    seconds: 1,
    rates: { connections: null, published: received, acknowledged: received, received },
    headline: 'received',
    latency: {
      of: 'delivery',
      ms: percentiles,
      distribution: [
        [0, 0.2],
        [50, 1],
        [99, 3],
        [100, 5]
      ]
    },
    acknowledgementMs: percentiles,
    series: [0.5, 1].map((atSeconds) => ({
      atSeconds,
      rates: { connections: 0, published: received, acknowledged: received, received },
      latencyMs: { p50: 1, p90: 2, p99: 3, max: 5 },
      residentBytes: null
    })),
    verification: { expected: received, received, lost: 0, duplicated: 0, reordered: 0, damaged: 0, foreign: 0, publishers: [] },
    errors: { count: 0, kinds: [] },
    generator: { threads: [{ cpuPercent: 50, busyPercent: 60 }], lagMs: 0, isLimit: false },
    process: null,
    warnings: [],
    ...changes
  }
}

/** Rounds of one broker, that differ in how many messages came. */
export function roundsWith(broker: BrokerName, received: readonly number[]): RunResult[] {
  return received.map((each, index) => runWith(each, { broker, round: index + 1 }))
}

export function reportWith(changes: Partial<Report>): Report {
  return {
    format: 'godwit-bench',
    formatVersion: 1,
    version: '0.1.0',
    startedAt: '2026-01-02T03:04:05.678Z',
    machine: { platform: 'linux x64', processors: 2, processorModel: 'a processor', memoryBytes: 8e9, node: '24.11.0' },
    brokers: [{ name: 'A', url: 'mqtt://a.example', pid: null }],
    runs: [runWith(1_000)],
    comparisons: [],
    baseline: null,
    warnings: [],
    ...changes
  }
}
