import type { RecordableHistogram } from 'node:perf_hooks'
import { newHistogram, percentilesOf } from './latency.ts'
import { nowMs } from './now.ts'
import { type ProcessUsage, processUsage } from './process-usage.ts'
import type { Rates, SeriesPoint } from './results.ts'
import type { RateOf } from './scenarios.ts'
import type { ThreadSample } from './thread-messages.ts'

/** All threads at one moment. */
export interface Moment extends Readonly<Record<RateOf, number>> {
  readonly atMs: number
  readonly underWay: number
  readonly failed: number
  readonly disconnects: number
  readonly writtenOff: number
  readonly isDone: boolean
  readonly lastConnectionAtMs: number
  readonly lastAcknowledgementAtMs: number
  readonly lastDeliveryAtMs: number
  readonly threads: readonly ThreadSample[]
  readonly usage: ProcessUsage | undefined
}

export type LatencyOf = 'connection' | 'acknowledgement' | 'delivery'

const HISTOGRAMS = { connection: 'connecting', acknowledgement: 'acknowledging', delivery: 'delivering' } as const

/** What was measured between two moments, and the series of those between them. */
export interface Recording {
  readonly from: Moment
  readonly to: Moment
  readonly latency: RecordableHistogram
  readonly acknowledging: RecordableHistogram
  readonly series: readonly SeriesPoint[]
  readonly lagMs: number
}

/** Puts the samples of all threads together, and keeps those of the time that is measured. */
export class Recorder {
  readonly #latencyOf: LatencyOf
  readonly #pid: number | undefined
  #last: Moment | undefined = undefined
  #from: Moment | undefined = undefined
  #latency = newHistogram()
  #acknowledging = newHistogram()
  #series: SeriesPoint[] = []
  #lagMs = 0

  /** @param pid of the broker, if it is on this machine */
  constructor(latencyOf: LatencyOf, pid: number | undefined) {
    this.#latencyOf = latencyOf
    this.#pid = pid
  }

  /** Takes a sample of each thread. Returns also what has happened since the ones before. */
  take(threads: readonly ThreadSample[]): { readonly moment: Moment; readonly point: SeriesPoint } {
    const usage = this.#pid === undefined ? undefined : processUsage(this.#pid)
    const moment = momentOf(threads, usage)
    const latency = newHistogram()
    for (const thread of threads) {
      merge(latency, thread[HISTOGRAMS[this.#latencyOf]])
      merge(this.#acknowledging, thread.acknowledging)
    }
    const percentiles = percentilesOf(latency)
    const point: SeriesPoint = {
      atSeconds: Number(((moment.atMs - (this.#from ?? moment).atMs) / 1000).toFixed(3)),
      rates: ratesBetween(this.#last ?? moment, moment),
      latencyMs:
        percentiles === null ? null : { p50: percentiles.p50, p90: percentiles.p90, p99: percentiles.p99, max: percentiles.max },
      residentBytes: usage?.residentBytes ?? null
    }
    merge(this.#latency, latency)
    this.#lagMs = Math.max(this.#lagMs, ...threads.map(({ own }) => own.lagMs))
    this.#series.push(point)
    this.#last = moment
    return { moment, point }
  }

  /** What is measured begins at the last moment. */
  begin(): void {
    this.#from = this.#last
    this.#latency = newHistogram()
    this.#acknowledging = newHistogram()
    this.#series = []
    this.#lagMs = 0
  }

  /** What was measured from `begin` to the last moment; what comes after is not part of it. */
  end(): Recording {
    const from = this.#from
    const to = this.#last
    if (from === undefined || to === undefined) throw new Error('nothing was measured')
    const recording: Recording = {
      from,
      to,
      latency: this.#latency,
      acknowledging: this.#acknowledging,
      series: this.#series,
      lagMs: this.#lagMs
    }
    this.begin()
    return recording
  }
}

function momentOf(threads: readonly ThreadSample[], usage: ProcessUsage | undefined): Moment {
  const sum = (of: (sample: ThreadSample) => number): number => threads.reduce((total, sample) => total + of(sample), 0)
  const last = (of: (sample: ThreadSample) => number): number => Math.max(...threads.map(of))
  return {
    atMs: nowMs(),
    connections: sum((each) => each.connections),
    published: sum((each) => each.published),
    acknowledged: sum((each) => each.acknowledged),
    received: sum((each) => each.received),
    underWay: sum((each) => each.underWay),
    failed: sum((each) => each.failed),
    disconnects: sum((each) => each.disconnects),
    writtenOff: sum((each) => each.writtenOff),
    isDone: threads.every((each) => each.isDone),
    lastConnectionAtMs: last((each) => each.lastConnectionAtMs),
    lastAcknowledgementAtMs: last((each) => each.lastAcknowledgementAtMs),
    lastDeliveryAtMs: last((each) => each.lastDeliveryAtMs),
    threads,
    usage
  }
}

function ratesBetween(from: Moment, to: Moment): Rates {
  const rate = (of: RateOf): number => rateOf(to[of] - from[of], to.atMs - from.atMs)
  return {
    connections: rate('connections'),
    published: rate('published'),
    acknowledged: rate('acknowledged'),
    received: rate('received')
  }
}

/** Per second; 0 in no time. */
export function rateOf(count: number, ms: number): number {
  return ms <= 0 ? 0 : Number(((count * 1000) / ms).toFixed(1))
}

function merge(into: RecordableHistogram, from: RecordableHistogram): void {
  if (from.count > 0) into.add(from)
}
