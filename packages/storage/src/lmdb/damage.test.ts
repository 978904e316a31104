import { expect, test } from 'vitest'
import { DAMAGES } from './testing/damage.ts'
import { fuzzDataFile, type DamageFinding } from './testing/fuzz-data-file.ts'

const SEED = Date.now() % 0x7fff_ffff
const CASES = 6 * Object.keys(DAMAGES).length

// More of them: node --conditions=godwit-source packages/storage/fuzz/fuzz-data-file.ts
test(`given a file damaged at random (seed ${SEED}), then it is refused, or read and written without harm to the process`, async () => {
  const findings: DamageFinding[] = []
  for await (const finding of fuzzDataFile(SEED, 0, CASES - 1)) findings.push(finding)
  const harmed = findings.filter(
    ({ outcome }) => outcome === undefined || !/^(?:refused|unreadable|unwritable|fine)/.test(outcome)
  )
  expect(harmed).toEqual([])
  expect(findings.length).toBe(CASES)
  // Cutting a file short is always noticed.
  expect(findings.filter(({ kind }) => kind.startsWith('cut short')).every(({ outcome }) => outcome?.startsWith('refused'))).toBe(
    true
  )
}, 120_000)
