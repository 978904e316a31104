import type { QoS } from '@godwit/protocol'
import type { BrokerName } from './bench-plan.ts'
import type { Comparison } from './comparison.ts'
import type { Distribution, Percentiles } from './latency.ts'
import type { RateOf, ScenarioName } from './scenarios.ts'
import type { Verification } from './verification.ts'

// What `--json` prints and `--save` keeps. The names stay; a reader has to bear with new ones. What is not known is null.

/** All of one call. */
export interface Report {
  readonly format: 'godwit-bench'
  readonly formatVersion: 1
  /** Of the godwit command. */
  readonly version: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly machine: Machine
  readonly brokers: readonly Broker[]
  /** In the order in which they were made. */
  readonly runs: readonly RunResult[]
  /** B against A; empty without `--compare`. */
  readonly comparisons: readonly Comparison[]
  /** This against what was saved; null without `--baseline`. */
  readonly baseline: BaselineReport | null
  /** What a reader of the figures has to know. */
  readonly warnings: readonly string[]
}

interface BaselineReport {
  readonly startedAt: string
  readonly comparisons: readonly Comparison[]
}

export interface Machine {
  readonly platform: string
  readonly processors: number
  readonly processorModel: string
  readonly memoryBytes: number
  readonly node: string
}

export interface Broker {
  readonly name: BrokerName
  /** Without secrets. */
  readonly url: string
  readonly pid: number | null
}

interface RunSettings {
  readonly publishers: number
  readonly subscribers: number
  readonly payloadBytes: number
  readonly inflight: number
  readonly ratePerSecond: number | null
  readonly messages: number | null
  readonly threads: number
}

/** Per second; null where the scenario has none. */
export type Rates = Readonly<Record<RateOf, number | null>>

/** One scenario, once, against one broker. */
export interface RunResult {
  readonly scenario: ScenarioName
  readonly qos: QoS
  readonly broker: BrokerName
  /** From 1. */
  readonly round: number
  readonly settings: RunSettings
  /** That were measured; of `durable`, storing and draining. */
  readonly seconds: number
  readonly rates: Rates
  /** Which of the rates stands for the scenario. */
  readonly headline: RateOf
  readonly latency: {
    /** From CONNECT to CONNACK, from PUBLISH to the end of its acknowledgement, from PUBLISH to the subscriber. */
    readonly of: 'connection' | 'acknowledgement' | 'delivery'
    readonly ms: Percentiles
    readonly distribution: Distribution
  } | null
  readonly acknowledgementMs: Percentiles | null
  readonly series: readonly SeriesPoint[]
  /** Null where nothing is published. */
  readonly verification: Verification | null
  readonly errors: { readonly count: number; readonly kinds: readonly { readonly message: string; readonly count: number }[] }
  readonly generator: GeneratorUsage
  readonly process: BrokerUsage | null
  readonly warnings: readonly string[]
}

/** A part of the time that was measured. */
export interface SeriesPoint {
  /** Where it ends, from the start of the measurement. */
  readonly atSeconds: number
  readonly rates: Rates
  readonly latencyMs: Pick<Percentiles, 'p50' | 'p90' | 'p99' | 'max'> | null
  readonly residentBytes: number | null
}

/** How busy the generator was itself. */
export interface GeneratorUsage {
  readonly threads: readonly ThreadUsage[]
  /** The most that a message was late by the generator's own fault, at a steady rate. */
  readonly lagMs: number
  /** It was as busy as it can be, so that the broker may do more than was measured. */
  readonly isLimit: boolean
}

export interface ThreadUsage {
  readonly cpuPercent: number
  /** Part of the time in which the event loop did not wait. */
  readonly busyPercent: number
}

/** What `--pid` measured. */
export interface BrokerUsage {
  readonly cpuPercent: number
  /** Of the headline's messages, or connections. */
  readonly messagesPerCpuSecond: number
  readonly residentBytes: number
  readonly residentBytesBefore: number
}
