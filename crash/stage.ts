import type { Ledger } from './ledger.ts'

/** What the clients of a run share. */
export interface Stage {
  readonly ledger: Ledger
  /** Numbers from 0 to below 1, from the run's seed. */
  readonly random: () => number
  /** Whether the broker listens, and nobody has begun to end it: a connection that it closes then is a failure. */
  isUp: boolean
  /** Of two connections that one client opens at the same time the broker takes either first: they may be on two threads. */
  readonly hasThreads: boolean
  /** Where it listens. */
  port: number
}

/** A whole number from 0 to below `end`. */
export function below(random: () => number, end: number): number {
  return Math.floor(random() * end)
}
