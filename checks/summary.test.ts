import { expect, test } from 'vitest'
import { countTests, summarize } from './summary.ts'

const report = {
  testResults: [
    {
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'a' },
        { status: 'passed', fullName: 'b' },
        { status: 'failed', fullName: 'c' },
        { status: 'skipped', fullName: 'd needs mosquitto' }
      ]
    },
    { status: 'failed', message: 'SyntaxError', assertionResults: [] },
    { status: 'passed', assertionResults: [{ status: 'passed', fullName: 'e' }] }
  ]
}

test('tests are counted, and a file that cannot be loaded as one failure', () => {
  expect(countTests(report)).toEqual({ passed: 3, failed: 2, skipped: 1, skippedNames: ['d needs mosquitto'] })
})

test.each([undefined, null, {}, { testResults: 'none' }])('the report %j counts as a failure', (missing) => {
  expect(countTests(missing).failed).toBe(1)
})

const succeeded = { title: 'Lint', succeeded: true, seconds: 1.23 }
const failed = { title: 'Format', succeeded: false, seconds: 0.5 }
const passing = { passed: 7, failed: 0, skipped: 0, skippedNames: [] }

test('the closing line stands alone at the end', () => {
  expect(summarize([succeeded], passing)).toBe('ok       Lint (1.2 s)\n\n7 passed, 0 failed, 0 skipped')
})

test('a failed step is never summed up as no failure', () => {
  expect(summarize([succeeded, failed], passing)).toContain('FAILED   Format (0.5 s)')
  expect(summarize([succeeded, failed], passing).split('\n').at(-1)).toBe('7 passed, 1 failed, 0 skipped')
})

test('skipped tests are named', () => {
  expect(summarize([succeeded], countTests(report))).toContain('skipped  d needs mosquitto')
})
