import { stripVTControlCharacters, styleText } from 'node:util'
import { labelOf } from './load.ts'
import type { OnProgress, RunPhase, RunRequest } from './load-run.ts'
import { durationText, numberText } from './numbers.ts'
import type { Moment } from './recorder.ts'
import type { SeriesPoint } from './results.ts'
import { SCENARIOS } from './scenarios.ts'

/** Where progress is shown. */
export interface ProgressScreen {
  readonly isTerminal: boolean
  readonly columns: number
  write(text: string): void
}

/** How often a terminal is drawn anew: as often as people can read. */
const REDRAW_MS = 200
/** How often there is a line where there is no terminal. */
const LINE_MS = 1_000
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const BARS_SHOWN = 20

/** Shows what happens: on a terminal in a line that changes, elsewhere in a line each second. */
export class ProgressLine {
  readonly #screen: ProgressScreen
  readonly #now: () => number
  #prefix = ''
  #shownAtMs = -Infinity
  #rates: number[] = []

  constructor(screen: ProgressScreen, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
  }

  /** What a run tells its progress to. */
  forRun({ load, target, round }: RunRequest, brokers: number, rounds: number): OnProgress {
    const { headline: wished } = SCENARIOS[load.scenario]
    const headline = wished === 'acknowledged' && load.qos === 0 ? 'published' : wished
    this.#prefix = [
      labelOf(load),
      ...(brokers > 1 ? [target.name] : []),
      ...(rounds > 1 ? [`round ${round}/${rounds}`] : [])
    ].join(' ')
    this.#rates = []
    return (phase, point, moment) => {
      const rate =
        phase === 'connecting' ? point.rates.connections : phase === 'storing' ? point.rates.acknowledged : point.rates[headline]
      this.#rates = [...this.#rates, rate ?? 0].slice(-BARS_SHOWN)
      const timeMs = this.#now()
      if (timeMs - this.#shownAtMs < (this.#screen.isTerminal ? REDRAW_MS : LINE_MS)) return
      this.#shownAtMs = timeMs
      this.#show(this.#lineOf(phase, rate ?? 0, point, moment))
    }
  }

  /** Nothing of it stays on a terminal. */
  clear(): void {
    if (this.#screen.isTerminal) this.#screen.write('\r\u001B[K')
  }

  #lineOf(phase: RunPhase, rate: number, { latencyMs }: SeriesPoint, { failed, disconnects, connections }: Moment): string {
    const errors = failed + disconnects
    return [
      styleText('bold', this.#prefix),
      phase === 'connecting' ? `connecting, ${numberText(connections)} so far` : phase,
      `${numberText(rate)}/s`,
      ...(latencyMs === null
        ? []
        : [`50 % ${durationText(latencyMs.p50)}`, `99 % ${durationText(latencyMs.p99)}`, `max ${durationText(latencyMs.max)}`]),
      ...(errors === 0 ? [] : [styleText('red', `${numberText(errors)} errors`)]),
      ...(this.#screen.isTerminal ? [sparkline(this.#rates)] : [])
    ].join('  ')
  }

  #show(line: string): void {
    const plain = stripVTControlCharacters(line)
    if (!this.#screen.isTerminal) this.#screen.write(`${plain}\n`)
    // A line that wraps could not be taken back.
    else this.#screen.write(`\r\u001B[K${plain.length < this.#screen.columns ? line : plain.slice(0, this.#screen.columns - 1)}`)
  }
}

function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, Number.MIN_VALUE)
  return values.map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / highest) * BARS.length))]).join('')
}
