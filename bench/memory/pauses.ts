import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Mqload } from '../compare/mqload.ts'
import { pinned } from '../compare/pinned.ts'
import { scenariosNamed } from '../compare/scenarios.ts'
import type { NumbersTable } from '../numbers-file.ts'
import { MeasuredBroker } from '../process/measured-broker.ts'
import { quantile } from '../statistics.ts'

const SCENARIOS = 'p2p-q0,p2p-q1,p2p-q2,fanout-q0,fanout-q1,fanin-q1,rate-10k,durable'
const WARM_UP_SECONDS = 2
const SECONDS = 10

/** How long the program stands still to collect garbage, under the loads of the comparison and on one processor, in milliseconds. */
export async function measurePauses(mqload: Mqload, folder: string, report: (title: string) => void): Promise<NumbersTable> {
  const rows: Record<string, Record<string, number>> = {}
  for (const { name, kind, load } of scenariosNamed(SCENARIOS)) {
    const broker = await MeasuredBroker.start({ data: join(folder, `pauses-${name}`), collects: false, wrapper: pinned('0', []) })
    // What is measured is a broker that has been running: the first seconds compile, and the heap grows.
    const warmUp = await mqload.run(load, broker.port, broker.pid, WARM_UP_SECONDS)
    await broker.memory()
    const isSteady = kind !== 'durable'
    const running = mqload.run(load, broker.port, broker.pid, SECONDS + (isSteady ? WARM_UP_SECONDS : 0))
    // Clients have come by then.
    if (isSteady) await delay(WARM_UP_SECONDS * 1_000)
    const { pausesMs: atFirst } = await broker.memory()
    const startedAt = performance.now()
    const outcome = await running
    const passedMs = performance.now() - startedAt
    const { pausesMs } = await broker.memory()
    await broker.stop()
    const error = warmUp.error ?? outcome.error
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    rows[name] = {
      collections: pausesMs.length,
      percent: (100 * pausesMs.reduce((sum, pause) => sum + pause, 0)) / passedMs,
      median: quantile(pausesMs, 0.5),
      p99: quantile(pausesMs, 0.99),
      p999: quantile(pausesMs, 0.999),
      longest: Math.max(...pausesMs),
      ...(isSteady && { longestAtFirst: Math.max(0, ...atFirst) })
    }
    report(name)
  }
  return rows
}
