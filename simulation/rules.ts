import type { HistoryRule, OverflowAction, OverflowRule } from '@godwit/broker'

// Topics under an overflow rule, or kept in a history, are matched by no other filters than these: so it is known what
// waits in which backlog.

/** What is done with what waits for a filter, when that is too much. */
const FILTERS: Readonly<Record<OverflowAction, string>> = {
  'drop-oldest': 'o/+/1',
  'drop-newest': 'n/+/1',
  'dead-letter': 'd/+/1',
  refuse: 'q/+/1'
}

const ACTIONS: ReadonlyMap<string, OverflowAction> = new Map(
  (['drop-oldest', 'drop-newest', 'dead-letter', 'refuse'] as const).map((action) => [FILTERS[action], action])
)

const DEAD = 'dead/'

export function boundedTopics(action: OverflowAction): readonly [string, string] {
  return [FILTERS[action].replace('+', 'x'), FILTERS[action].replace('+', 'y')]
}

export function boundedFilters(action: OverflowAction): readonly [string, ...string[]] {
  return action === 'dead-letter' ? [FILTERS[action], `${DEAD}#`] : [FILTERS[action]]
}

export const HISTORY_TOPICS = ['h/x/1', 'h/y/1'] as const
export const HISTORY_FILTERS = ['h/+/1', 'h/x/1', 'h/#'] as const

/** @param messagesMax 0: no rules */
export function overflowRules(messagesMax: number): OverflowRule[] {
  if (messagesMax === 0) return []
  return Array.from(ACTIONS, ([topicFilter, action]) => ({
    topicFilter,
    action,
    messagesMax,
    ...(action === 'dead-letter' && { deadLetterTopic: `${DEAD}{topic}` })
  }))
}

/** What is done when too much waits for a filter; undefined: there is no rule for it. */
export function overflowAction(topicFilter: string): OverflowAction | undefined {
  return ACTIONS.get(topicFilter)
}

export function deadLetterTopic(topicName: string): string {
  return `${DEAD}${topicName}`
}

export function isDeadLetterTopic(topicName: string): boolean {
  return topicName.startsWith(DEAD)
}

/** @param messagesMax 0: no rule */
export function historyRules(messagesMax: number): HistoryRule[] {
  return messagesMax === 0 ? [] : [{ topicFilter: 'h/#', messages: messagesMax }]
}

export function isInHistory(topicName: string): boolean {
  return HISTORY_TOPICS.some((each) => each === topicName)
}

export function isHistoryFilter(topicFilter: string): boolean {
  return HISTORY_FILTERS.some((each) => each === topicFilter)
}
