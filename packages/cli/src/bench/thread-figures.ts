import type { RecordableHistogram } from 'node:perf_hooks'
import { newHistogram } from './latency.ts'
import type { ThreadSample } from './thread-messages.ts'

/** Kinds of errors that are told apart; the rest counts as one. */
const ERROR_KINDS_MAX = 20

/** What a thread counts. Latencies are those since the last sample. */
export class ThreadFigures {
  connections = 0
  published = 0
  acknowledged = 0
  received = 0
  failed = 0
  disconnects = 0
  writtenOff = 0
  lagMs = 0
  lastConnectionAtMs = 0
  lastAcknowledgementAtMs = 0
  lastDeliveryAtMs = 0
  connecting: RecordableHistogram = newHistogram()
  acknowledging: RecordableHistogram = newHistogram()
  delivering: RecordableHistogram = newHistogram()
  readonly #errors = new Map<string, number>()

  error(message: string): void {
    const known = this.#errors.get(message)
    const kind = known === undefined && this.#errors.size >= ERROR_KINDS_MAX ? 'other errors' : message
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1)
  }

  sample(underWay: number, isDone: boolean): ThreadSample {
    const { connections, published, acknowledged, received, failed, disconnects, writtenOff, lagMs } = this
    const { connecting, acknowledging, delivering, lastConnectionAtMs, lastAcknowledgementAtMs, lastDeliveryAtMs } = this
    const { active: activeMs, idle: idleMs } = performance.eventLoopUtilization()
    const { user, system } = process.threadCpuUsage()
    this.lagMs = 0
    // They are handed over, not copied: the other thread reads the same counts.
    this.connecting = newHistogram()
    this.acknowledging = newHistogram()
    this.delivering = newHistogram()
    return {
      connections,
      published,
      acknowledged,
      underWay,
      received,
      failed,
      disconnects,
      writtenOff,
      lastConnectionAtMs,
      lastAcknowledgementAtMs,
      lastDeliveryAtMs,
      isDone,
      errors: [...this.#errors],
      connecting,
      acknowledging,
      delivering,
      own: { cpuMs: (user + system) / 1000, activeMs, idleMs, lagMs }
    }
  }
}
