import type { DiskFault } from '@godwit/testkit'
import { type History, historyOf } from './history.ts'
import { play } from './play.ts'
import { shrink } from './shrink.ts'
import { Violation } from './violation.ts'

export interface Outcome {
  /** The seed of the first history that failed; undefined: none did. */
  readonly failedSeed: number | undefined
  /** Messages that sessions had to get, and got. */
  readonly owed: number
  /** Messages that sessions had to get, had they not expired first. */
  readonly expired: number
}

/** Plays histories of one seed after the other, until one fails. */
export async function runHistories(firstSeed: number, runs: number, fault?: DiskFault): Promise<Outcome> {
  let owed = 0
  let expired = 0
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const { error, checked } = await play(historyOf(seed), { fault })
    owed += checked.owed
    expired += checked.expired
    if (error !== undefined) return { failedSeed: seed, owed, expired }
  }
  return { failedSeed: undefined, owed, expired }
}

/** What went wrong in a history, and how to see it again: the shortest history that was found to go wrong in the same way. */
export async function explain(seed: number): Promise<string> {
  const history = historyOf(seed)
  const { error } = await play(history)
  const failsAlike = async (shorter: History): Promise<boolean> => kindOf((await play(shorter)).error) === kindOf(error)
  const shortest = await shrink(history, failsAlike)
  const { error: shortError, trace } = await play(shortest, { isTraced: true })
  return [
    describe(shortError),
    `in a history of ${shortest.actions.length} actions, of the ${history.actions.length} of seed ${seed}:`,
    `  ${shortest.actions.map(({ kind, client }) => `${kind} (c${client + 1})`).join(', ')}`,
    JSON.stringify(history.profile),
    ...trace,
    `To replay: GODWIT_SIMULATION_SEED=${seed} npx vitest run simulation/simulation.test.ts`
  ].join('\n')
}

function describe(error: unknown): string {
  if (error instanceof Violation) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** The same thing going wrong with other clients, messages and numbers. */
function kindOf(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message.replaceAll(/"[^"]*"|[\w$+#/]*\d[\w$+#/]*/g, '')}` : String(error)
}
