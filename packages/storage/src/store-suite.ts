import { describe, it } from 'vitest'
import { commitChecks } from './suite/commit-checks.ts'
import { historyCheck, type HistoryOptions } from './suite/history-check.ts'
import { logChecks } from './suite/log-checks.ts'
import { StoreBench, type StoreCheck, type StorePlace } from './suite/open-store.ts'
import { recordChecks } from './suite/record-checks.ts'
import { retainedChecks } from './suite/retained-checks.ts'
import type { MaybePromise } from './store.ts'

export { StoreBench, type HistoryOptions, type StoreCheck, type StorePlace }

/** What every store must do, in groups. Numbers may have gaps, reads may be asynchronous, and commits may take their time. */
export const STORE_CHECKS: Readonly<Record<string, readonly StoreCheck[]>> = {
  'the log': logChecks,
  commits: commitChecks,
  'sessions, groups and wills': recordChecks,
  'retained messages': retainedChecks
}

/**
 * Registers, with vitest, the checks that every store must pass, and a comparison of random histories with a model.
 *
 * @param makePlace makes an empty place for the stores of one check
 */
export function describeStore(name: string, makePlace: () => MaybePromise<StorePlace>, histories: HistoryOptions = {}): void {
  const register = ({ name, run }: StoreCheck): void =>
    it(name, async () => {
      const bench = new StoreBench(await makePlace())
      try {
        await run(bench)
      } finally {
        await bench.remove()
      }
    })

  describe(name, () => {
    for (const [group, checks] of Object.entries(STORE_CHECKS)) describe(group, () => checks.forEach(register))
    const { title, run } = historyCheck(makePlace, histories)
    it(title, run)
  })
}
