import { median, spread } from '../statistics.ts'
import type { BrokerName } from './brokers.ts'
import { TROUBLES } from './figure-catalogue.ts'
import type { Run } from './results.ts'

/** What the runs of a scenario with a broker say together. */
export class FiguresOf {
  readonly #runs: readonly Run[]

  constructor(runs: readonly Run[], scenario: string, broker: BrokerName) {
    this.#runs = runs.filter((run) => run.scenario === scenario && run.broker === broker)
  }

  get isMeasured(): boolean {
    return this.#sound.length > 0
  }

  /** NaN: it was not measured. */
  median(key: string): number {
    return median(this.#values(key))
  }

  spread(key: string): number {
    return spread(this.#values(key))
  }

  /** What went wrong in any of the runs, for each kind the numbers of all; errors as they are. */
  get troubles(): string[] {
    const kinds = TROUBLES.filter((key) => this.#sound.some(({ figures }) => (figures[key] ?? 0) !== 0))
    return [
      ...kinds.map((key) => `${key} ${this.#sound.map(({ figures }) => figures[key] ?? 0).join(', ')}`),
      ...this.#runs.flatMap(({ error }) => error ?? [])
    ]
  }

  /** Whether the generator was at its end while the broker was not. */
  get isBoundByGenerator(): boolean {
    return this.#sound.some(({ figures }) => (figures['gen_cpu_pct'] ?? 0) > 90 && (figures['broker_cpu_pct'] ?? 100) < 90)
  }

  get #sound(): readonly Run[] {
    return this.#runs.filter(({ error }) => error === undefined)
  }

  #values(key: string): number[] {
    return this.#sound.flatMap(({ figures }) => figures[key] ?? [])
  }
}
