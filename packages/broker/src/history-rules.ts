import { isSharedSubscription, validateTopicFilter } from '@godwit/protocol'
import { isReplayFilter } from './replay-requests.ts'

/** Keeps the messages of some topics for clients that come later; as long as each of the bounds allows. */
export interface HistoryRule {
  /** Which topics; each has a queue of its own in the store. */
  readonly topicFilter: string
  /** How old a message may become. */
  readonly seconds?: number | undefined
  /** How many messages are kept. */
  readonly messages?: number | undefined
  /** How much the topics and payloads of those that are kept may measure together. */
  readonly bytes?: number | undefined
}

export type HistoryBound = 'seconds' | 'messages' | 'bytes'

/** What each bound may be set to, from 1. */
export const HISTORY_BOUNDS_MAX: Readonly<Record<HistoryBound, number>> = {
  seconds: 0xffff_ffff,
  messages: Number.MAX_SAFE_INTEGER,
  bytes: Number.MAX_SAFE_INTEGER
}

const BOUNDS = ['seconds', 'messages', 'bytes'] as const satisfies readonly HistoryBound[]

/** @throws RangeError that tells what is wrong with a rule, and what is accepted */
export function checkHistory(rules: readonly HistoryRule[]): readonly HistoryRule[] {
  for (const [index, rule] of rules.entries()) {
    const problem = historyFilterProblem(rule.topicFilter) ?? boundsProblem(rule)
    if (problem !== undefined) throw new RangeError(`history[${index}]: ${problem}`)
    if (rules.findIndex(({ topicFilter }) => topicFilter === rule.topicFilter) !== index) {
      throw new RangeError(`history[${index}]: there is a rule for ${rule.topicFilter} already`)
    }
  }
  return rules
}

/** Why there can be no history for a topic filter, for people; undefined: there can. */
export function historyFilterProblem(topicFilter: string): string | undefined {
  const problem = validateTopicFilter(topicFilter)
  if (problem !== undefined) return problem
  if (isSharedSubscription(topicFilter)) return 'history is kept for topics, not for a Shared Subscription'
  return isReplayFilter(topicFilter) ? 'the topic filter stands without $replay/' : undefined
}

function boundsProblem(rule: HistoryRule): string | undefined {
  if (BOUNDS.every((bound) => rule[bound] === undefined)) return `at least one is needed of ${BOUNDS.join(', ')}`
  for (const bound of BOUNDS) {
    const value = rule[bound] ?? 1
    const max = HISTORY_BOUNDS_MAX[bound]
    if (!Number.isInteger(value) || value < 1 || value > max) {
      return `${bound} is ${value}; accepted is a whole number from 1 to ${max}`
    }
  }
  return undefined
}
