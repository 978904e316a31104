import { messageChecks, readChecks } from './message-checks.ts'
import type { OutboxCheck } from './outbox-bench.ts'
import { stateChecks } from './state-checks.ts'

/** What every store must do, in groups. They need neither vitest nor Node: a page in a browser can run them as well. */
export const OUTBOX_CHECKS: Readonly<Record<string, readonly OutboxCheck[]>> = {
  messages: messageChecks,
  reads: readChecks,
  'what else is kept': stateChecks
}
