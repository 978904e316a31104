import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Commits, type CommitWaiter } from './commits.ts'

// fast-check prints its seed when a property fails.

function waiter(name: number, log: string[]): CommitWaiter {
  return {
    onCommitted: (commit) => void log.push(`${name} committed ${commit}`),
    onCommitFailed: ({ message }) => void log.push(`${name} failed: ${message}`)
  }
}

function rethrow(error: unknown): never {
  throw error
}

describe('commits', () => {
  it('given any order of waiting, success and failure, then each waiter hears once, of its own commit, in order', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('wait' as const) },
      { weight: 2, arbitrary: fc.constant('commit' as const) },
      { weight: 1, arbitrary: fc.constant('fail' as const) }
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const failures: string[] = []
        const commits = new Commits(
          () => {},
          ({ message }) => failures.push(message),
          rethrow
        )
        const log: string[] = []
        const expected: string[] = []
        const expectedFailures: string[] = []
        let gathering = 1
        let waiting: number[] = []
        for (const [name, step] of steps.entries()) {
          if (step === 'wait') {
            commits.wait(gathering, waiter(name, log))
            waiting.push(name)
            expect(commits.awaited).toBe(gathering)
            continue
          }
          const commit = gathering++
          if (step === 'commit') {
            commits.onCommitted(commit)
            for (const each of waiting) expected.push(`${each} committed ${commit}`)
          } else {
            commits.onCommitFailed(commit, new Error(`no ${commit}`))
            expectedFailures.push(`no ${commit}`)
            for (const each of waiting) expected.push(`${each} failed: no ${commit}`)
          }
          waiting = []
          expect([log, failures, commits.awaited]).toEqual([expected, expectedFailures, 0])
          expect(commits.isDurable(gathering)).toBe(false)
          if (step === 'commit') expect(commits.isDurable(commit)).toBe(true)
        }
      })
    )
  })

  it('given waiters for several commits, then a commit tells those up to it, and a failure as well', () => {
    const commits = new Commits(
      () => {},
      () => {},
      rethrow
    )
    const log: string[] = []
    commits.wait(1, waiter(1, log))
    commits.wait(2, waiter(2, log))
    commits.wait(3, waiter(3, log))
    commits.onCommitted(1)
    expect(log).toEqual(['1 committed 1'])
    commits.onCommitFailed(2, new Error('disk full'))
    expect(log).toEqual(['1 committed 1', '2 failed: disk full'])
    expect(commits.awaited).toBe(3)
    commits.onCommitted(3)
    expect(log.at(-1)).toBe('3 committed 3')
  })

  it('given a waiter that waits again when told, then it is told again by the next commit only', () => {
    const commits = new Commits(
      () => {},
      () => {},
      rethrow
    )
    const told: number[] = []
    const again: CommitWaiter = {
      onCommitted(commit) {
        told.push(commit)
        commits.wait(commit + 1, again)
      },
      onCommitFailed: () => expect.unreachable()
    }
    commits.wait(1, again)
    commits.onCommitted(1)
    expect(told).toEqual([1])
    commits.onCommitted(2)
    expect(told).toEqual([1, 2])
  })

  it('given a waiter that throws, then it is reported, and those behind it are told all the same', () => {
    const errors: unknown[] = []
    const commits = new Commits(
      () => {},
      () => {},
      (error) => errors.push(error)
    )
    const log: string[] = []
    const mistake = new Error('mistake')
    commits.wait(1, { onCommitted: () => rethrow(mistake), onCommitFailed: () => expect.unreachable() })
    commits.wait(1, waiter(2, log))
    commits.onCommitted(1)
    expect([log, errors]).toEqual([['2 committed 1'], [mistake]])
  })
})
