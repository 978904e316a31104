import { DISK_FAULTS } from '@godwit/testkit'
import { describe, expect, test } from 'vitest'
import { runHistories } from './run-histories.ts'

const FIRST_SEED = 1
/** Each fault must be found within so many histories; most are within forty. */
const HISTORIES_MAX = 3000

describe('a disk that makes a mistake is found out', () => {
  for (const fault of faults()) {
    test(`${fault}: ${DISK_FAULTS[fault]}`, { timeout: 300_000 }, async () => {
      const { failedSeed } = await runHistories(FIRST_SEED, HISTORIES_MAX, fault)
      expect(failedSeed, `the first of ${HISTORIES_MAX} histories that finds it`).toBeDefined()
      console.log(`simulation: ${fault} was found by history ${(failedSeed ?? 0) - FIRST_SEED + 1}`)
      const runs = (failedSeed ?? 0) - FIRST_SEED + 1
      expect(await runHistories(FIRST_SEED, runs), 'the same histories on a disk that makes none').toMatchObject({
        failedSeed: undefined
      })
    })
  }
})

function faults() {
  return Object.keys(DISK_FAULTS).filter((name): name is keyof typeof DISK_FAULTS => Object.hasOwn(DISK_FAULTS, name))
}
