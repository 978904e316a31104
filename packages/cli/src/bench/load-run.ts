import { setTimeout as delay } from 'node:timers/promises'
import type { Target } from './bench-plan.ts'
import { copiesOf, type Load } from './load.ts'
import { LoadThreads } from './load-threads.ts'
import { nowMs } from './now.ts'
import { type LatencyOf, type Moment, Recorder, type Recording } from './recorder.ts'
import type { RunResult, SeriesPoint } from './results.ts'
import { type MeasuredSpan, runResultOf } from './run-result.ts'
import { SCENARIOS } from './scenarios.ts'
import { verify, type Verification } from './verification.ts'

export interface RunRequest {
  readonly target: Target
  readonly load: Load
  /** From 1. */
  readonly round: number
  readonly threads: number
}

export type RunPhase = 'connecting' | 'warming up' | 'measuring' | 'waiting for the rest' | 'storing' | 'draining' | 'holding'

/** What has happened since the last time it was told. */
export type OnProgress = (phase: RunPhase, point: SeriesPoint, moment: Moment) => void

interface Measured {
  readonly span: MeasuredSpan
  readonly recording: Recording
}

/** When nothing has come for so long, nothing will. */
const STALL_MS = { 0: 1_000, 1: 4_000, 2: 4_000 } as const
/** How often it is looked whether the end has come. */
const CLOSE_LOOK_MS = 50
const POINTS = 50
const POINT_MS_MIN = 100
const POINT_MS_MAX = 1_000

/** One scenario, once, against one broker. */
export class LoadRun {
  readonly #request: RunRequest
  readonly #onProgress: OnProgress
  readonly #threads: LoadThreads
  readonly #recorder: Recorder
  readonly #pointMs: number
  readonly #copies: number

  private constructor(request: RunRequest, onProgress: OnProgress, threads: LoadThreads) {
    const { load, target } = request
    this.#request = request
    this.#onProgress = onProgress
    this.#threads = threads
    this.#recorder = new Recorder(latencyOf(load), target.pid)
    this.#pointMs = Math.min(POINT_MS_MAX, Math.max(POINT_MS_MIN, Math.round(load.durationMs / POINTS)))
    this.#copies = copiesOf({ hears: SCENARIOS[load.scenario].hears, subscribers: load.subscribers })
  }

  /** @throws {ClientError} what a client ran into when it connected or subscribed */
  static async run(request: RunRequest, onProgress: OnProgress, signal: AbortSignal): Promise<RunResult> {
    const { load, target } = request
    const run = Math.floor(Math.random() * 2 ** 32)
    const threads = LoadThreads.start(request.threads, { flags: target.flags, load, run })
    const onAbort = (): void => void threads.terminate()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await new LoadRun(request, onProgress, threads).#run()
    } finally {
      signal.removeEventListener('abort', onAbort)
      await threads.terminate()
    }
  }

  async #run(): Promise<RunResult> {
    const { load } = this.#request
    const { span, recording } = await this.#measure()
    await this.#threads.stop()
    if (load.scenario !== 'connect' && load.scenario !== 'durable') await this.#untilAllHasCome('waiting for the rest')
    const { moment: last } = this.#recorder.take(await this.#threads.sample())
    const verification = await this.#verification()
    return runResultOf({ ...this.#request, latencyOf: latencyOf(load), recording, span, last, verification })
  }

  #measure(): Promise<Measured> {
    switch (this.#request.load.scenario) {
      case 'connect':
        return this.#connect()
      case 'durable':
        return this.#durable()
      default:
        return this.#steady()
    }
  }

  async #connect(): Promise<Measured> {
    const { load } = this.#request
    await this.#begin()
    await this.#during(this.#threads.do('connect'), 'connecting')
    const connected = await this.#look('connecting')
    const measured = this.#end({ toMs: { connections: connected.lastConnectionAtMs } })
    await this.#forMs(load.holdMs, 'holding')
    return measured
  }

  async #durable(): Promise<Measured> {
    await this.#during(this.#threads.do('connect'), 'connecting')
    await this.#begin()
    await this.#threads.do('publish')
    const stored = await this.#until('storing', ({ isDone, underWay }) => isDone && underWay === 0)
    await this.#threads.stop()
    const drainFromMs = nowMs()
    await Promise.all([this.#threads.do('return'), this.#untilAllHasCome('draining')])
    const drained = await this.#look('draining')
    const { lastAcknowledgementAtMs } = stored
    return this.#end({
      toMs: { published: lastAcknowledgementAtMs, acknowledged: lastAcknowledgementAtMs, received: drained.lastDeliveryAtMs },
      fromMs: { received: drainFromMs }
    })
  }

  async #steady(): Promise<Measured> {
    const { load } = this.#request
    await this.#during(this.#threads.do('connect'), 'connecting')
    if (load.messages !== undefined) {
      await this.#begin()
      await this.#threads.do('publish')
      await this.#until('measuring', ({ isDone }) => isDone)
      const last = await this.#untilAllHasCome('measuring')
      const endMs = Math.max(last.lastAcknowledgementAtMs, last.lastDeliveryAtMs)
      return this.#end({ toMs: { published: endMs, acknowledged: endMs, received: endMs } })
    }
    await this.#threads.do('publish')
    await this.#forMs(load.warmUpMs, 'warming up')
    await this.#begin()
    await this.#forMs(load.durationMs, 'measuring')
    return this.#end({})
  }

  async #begin(): Promise<void> {
    this.#recorder.take(await this.#threads.sample())
    this.#recorder.begin()
  }

  #end(span: MeasuredSpan): Measured {
    return { span, recording: this.#recorder.end() }
  }

  async #look(phase: RunPhase): Promise<Moment> {
    const { moment, point } = this.#recorder.take(await this.#threads.sample())
    this.#onProgress(phase, point, moment)
    return moment
  }

  async #forMs(durationMs: number, phase: RunPhase): Promise<void> {
    const endsAtMs = nowMs() + durationMs
    for (let leftMs = durationMs; leftMs > 0; leftMs = endsAtMs - nowMs()) {
      await delay(Math.min(leftMs, this.#pointMs))
      await this.#look(phase)
    }
  }

  /** Looks on while it is under way. */
  async #during(work: Promise<void>, phase: RunPhase): Promise<void> {
    const done = work.then(() => true)
    while (!(await Promise.race([done, delay(this.#pointMs, false)]))) await this.#look(phase)
  }

  #untilAllHasCome(phase: RunPhase): Promise<Moment> {
    return this.#until(phase, (moment) => {
      if (this.#copies === 0) return moment.underWay === 0
      return moment.underWay === 0 && moment.received >= (moment.published - moment.failed) * this.#copies
    })
  }

  /** Until it is so, or nothing happens any more. */
  async #until(phase: RunPhase, isSo: (moment: Moment) => boolean): Promise<Moment> {
    let moment = await this.#look(phase)
    let changedAtMs = nowMs()
    while (!isSo(moment) && nowMs() - changedAtMs < STALL_MS[this.#request.load.qos]) {
      await delay(CLOSE_LOOK_MS)
      const next = await this.#look(phase)
      const hasChanged = (['connections', 'published', 'acknowledged', 'received', 'failed'] as const).some(
        (name) => next[name] !== moment[name]
      )
      if (hasChanged) changedAtMs = nowMs()
      moment = next
    }
    return moment
  }

  async #verification(): Promise<Verification | null> {
    const counts = await this.#threads.stop()
    const findings = await this.#threads.finish(counts.map(({ published }) => published))
    if (counts.length === 0 || this.#copies === 0) return null
    const foreign = findings.reduce((sum, each) => sum + each.foreign, 0)
    return verify(
      counts,
      findings.flatMap((each) => each.streams),
      this.#copies,
      foreign
    )
  }
}

/** What its latency is: the way of a message to a subscriber, where there is one that waits for it. */
function latencyOf({ scenario }: Load): LatencyOf {
  if (scenario === 'connect') return 'connection'
  return scenario === 'publish' || scenario === 'durable' ? 'acknowledgement' : 'delivery'
}
