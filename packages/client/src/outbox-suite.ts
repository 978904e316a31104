import { describe, it } from 'vitest'
import { OUTBOX_CHECKS } from './outbox-suite/checks.ts'
import { historyCheck, type HistoryCheck, type HistoryOptions } from './outbox-suite/history-check.ts'
import { OutboxBench, type OutboxCheck, type OutboxPlace } from './outbox-suite/outbox-bench.ts'

export { historyCheck, OUTBOX_CHECKS, OutboxBench, type HistoryCheck, type HistoryOptions, type OutboxCheck, type OutboxPlace }

/**
 * Registers, with vitest, the checks that every `OutboxStore` must pass, and a comparison of random histories with a model.
 *
 * @param makePlace makes an empty place for the stores of one check
 */
export function describeOutbox(
  name: string,
  makePlace: () => OutboxPlace | Promise<OutboxPlace>,
  histories: HistoryOptions = {}
): void {
  const register = ({ name: title, run }: OutboxCheck): void =>
    it(title, async () => {
      const bench = new OutboxBench(await makePlace())
      try {
        await run(bench)
      } finally {
        await bench.remove()
      }
    })

  describe(name, () => {
    for (const [group, checks] of Object.entries(OUTBOX_CHECKS)) describe(group, () => checks.forEach(register))
    const { name: title, run } = historyCheck(makePlace, histories)
    it(title, run)
  })
}
