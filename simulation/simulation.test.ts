import { expect, test } from 'vitest'
import { explain, runHistories } from './run-histories.ts'

/** Replays one history, or begins with it. */
const SEED_VARIABLE = 'GODWIT_SIMULATION_SEED'
/** How many histories to play. */
const RUNS_VARIABLE = 'GODWIT_SIMULATION_RUNS'
const RUNS = 3000
/** The same histories every time, so that a change is to blame for what it breaks; `npm run simulation` plays new ones. */
const FIRST_SEED = 1

const chosenSeed = wholeNumber(SEED_VARIABLE)
const seed = chosenSeed ?? FIRST_SEED
const runs = wholeNumber(RUNS_VARIABLE) ?? (chosenSeed === undefined ? RUNS : 1)

test(`${runs} random histories, from seed ${seed}, keep the promise`, { timeout: 60_000 + runs * 100 }, async () => {
  const { failedSeed, owed, expired } = await runHistories(seed, runs)
  if (failedSeed !== undefined) throw new Error(await explain(failedSeed))
  console.log(`simulation: seeds ${seed} to ${seed + runs - 1}: ${owed} messages owed, all delivered; ${expired} expired before`)
  if (runs >= RUNS) expect(owed).toBeGreaterThan(runs * 5)
})

function wholeNumber(variable: string): number | undefined {
  const value = process.env[variable]
  if (value === undefined || value === '') return undefined
  if (Number.isSafeInteger(Number(value)) && Number(value) >= 0) return Number(value)
  throw new RangeError(`${variable} is ${value}; accepted is a whole number`)
}
