import { describe, expect, test } from 'vitest'
import { runClientHistories } from './client-histories.ts'
import { OUTBOX_FAULTS } from './sim-outbox.ts'

const SEED_VARIABLE = 'GODWIT_CLIENT_SIMULATION_SEED'
const RUNS = 2000
const FIRST_SEED = 1
/** Each fault must be found within so many histories. */
const HISTORIES_MAX = 1000

const chosenSeed = Number(process.env[SEED_VARIABLE] ?? Number.NaN)
const seed = Number.isInteger(chosenSeed) ? chosenSeed : FIRST_SEED
const runs = Number.isInteger(chosenSeed) ? 1 : RUNS

test(
  `${runs} random histories of clients, from seed ${seed}: what was stored arrives, at QoS 2 once`,
  { timeout: 300_000 },
  async () => {
    const { failedSeed, error, owed } = await runClientHistories(seed, runs)
    expect(error, `to replay: ${SEED_VARIABLE}=${failedSeed} npx vitest run simulation/client`).toBeUndefined()
    console.log(`client simulation: seeds ${seed} to ${seed + runs - 1}: ${owed} messages owed, all delivered`)
    if (runs === RUNS) expect(owed).toBeGreaterThan(RUNS * 10)
  }
)

describe('an outbox that makes a mistake is found out', () => {
  for (const fault of faults()) {
    test(`${fault}: ${OUTBOX_FAULTS[fault]}`, { timeout: 300_000 }, async () => {
      const { failedSeed } = await runClientHistories(FIRST_SEED, HISTORIES_MAX, fault)
      expect(failedSeed, `the first of ${HISTORIES_MAX} histories that finds it`).toBeDefined()
      console.log(`client simulation: ${fault} was found by history ${(failedSeed ?? 0) - FIRST_SEED + 1}`)
    })
  }
})

function faults() {
  return Object.keys(OUTBOX_FAULTS).filter((name): name is keyof typeof OUTBOX_FAULTS => Object.hasOwn(OUTBOX_FAULTS, name))
}
