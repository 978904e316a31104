import { record } from './workspace.ts'

export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** The full names of the tests that were skipped. */
  readonly skippedNames: readonly string[]
}

/**
 * Counts vitest's JSON report. A file that could not be loaded has no tests to fail, yet counts as one failure;
 * a report that is missing or of another shape counts as one as well.
 */
export function countTests(report: unknown): TestCounts {
  const files = record(report)['testResults']
  if (!Array.isArray(files)) return { passed: 0, failed: 1, skipped: 0, skippedNames: [] }
  let passed = 0
  let failed = 0
  const skippedNames: string[] = []
  for (const file of files.map(record)) {
    const tests = Array.isArray(file['assertionResults']) ? file['assertionResults'].map(record) : []
    const failedBefore = failed
    for (const { status, fullName } of tests) {
      if (status === 'passed') passed++
      else if (status === 'failed') failed++
      else skippedNames.push(String(fullName))
    }
    if (file['status'] === 'failed' && failed === failedBefore) failed++
  }
  return { passed, failed, skipped: skippedNames.length, skippedNames }
}

export interface StepResult {
  readonly title: string
  readonly succeeded: boolean
  readonly seconds: number
}

/**
 * What `npm test` ends with. The last line stands alone, for machines to read: the tests, and among the failures each step that
 * failed while all tests passed, so that it never says `0 failed` when the command fails.
 */
export function summarize(steps: readonly StepResult[], tests: TestCounts): string {
  const failedSteps = steps.filter(({ succeeded }) => !succeeded).length
  const failed = tests.failed > 0 ? tests.failed : failedSteps
  return [
    ...tests.skippedNames.map((name) => `skipped  ${name}`),
    ...steps.map(({ title, succeeded, seconds }) => `${succeeded ? 'ok     ' : 'FAILED '}  ${title} (${seconds.toFixed(1)} s)`),
    '',
    `${tests.passed} passed, ${failed} failed, ${tests.skipped} skipped`
  ].join('\n')
}
