import { filterCovers, filtersMeet, isSharedSubscription, validateTopicFilter, validateTopicName } from '@godwit/protocol'
import { LIMITS, type Limits } from './limits.ts'

/** What is done when a backlog has come to its bound. */
export const OVERFLOW_ACTIONS = {
  refuse: 'messages that would have to wait are refused, until the backlog has shrunk',
  'drop-oldest': 'the oldest messages make room for new ones',
  'drop-newest': 'new messages are dropped, until an eighth of the backlog is gone',
  'dead-letter': 'as drop-oldest, and what is dropped is published to another topic'
} as const

export type OverflowAction = keyof typeof OVERFLOW_ACTIONS

/**
 * What to do about backlogs: those that its filter covers, of sessions whose clients came by one of its listeners. A
 * bound that is not given is that of `limits`; there is none on age.
 */
export interface OverflowRule {
  /** It has to cover the subscription's: `alarms/#` covers `alarms/+/fire`. Default: `#`, which covers all but `$...`. */
  readonly topicFilter?: string | undefined
  /** Names of listeners. Default: all, and groups, which have none. */
  readonly listeners?: readonly string[] | undefined
  /** Messages that wait. Default: limits.queuedMessagesMax. */
  readonly messagesMax?: number | undefined
  /** Bytes of messages that wait. Default: limits.queuedBytesMax. */
  readonly bytesMax?: number | undefined
  /** Seconds since the oldest message that waits was published. Default: any time. */
  readonly ageSecondsMax?: number | undefined
  readonly action: OverflowAction
  /** For dead-letter: where to, with `{topic}` for the message's own topic. Default: `$dead-letter/{topic}`. */
  readonly deadLetterTopic?: string | undefined
}

/** What an `OverflowRule` accepts. */
export const OVERFLOW_BOUNDS: Readonly<Record<'messagesMax' | 'bytesMax' | 'ageSecondsMax', { min: number; max: number }>> = {
  messagesMax: LIMITS.queuedMessagesMax,
  bytesMax: LIMITS.queuedBytesMax,
  ageSecondsMax: { min: 1, max: 0xffff_ffff }
}

const DEFAULT_DEAD_LETTER_TOPIC = '$dead-letter/{topic}'

/** A rule with everything that it leaves out. */
export interface OverflowPolicy {
  readonly topicFilter: string
  readonly action: OverflowAction
  readonly messagesMax: number
  readonly bytesMax: number
  /** Infinity: any. */
  readonly ageMs: number
  readonly deadLetterTopic: string
  /** Why a message is dropped when the bound is passed in messages or bytes, and when in age: for its fate. */
  readonly whenFull: string
  readonly whenOld: string
  /** Why a message is refused, for its publisher: it learns the rule, and nothing of the subscriber. */
  readonly refusal: string
}

interface Ruled {
  readonly listeners: readonly string[] | undefined
  readonly policy: OverflowPolicy
  /** For backlogs that nothing more comes to. */
  readonly ofLeaving: OverflowPolicy
}

/** The rules of a broker: what goes for each backlog. */
export class OverflowPolicies {
  readonly #rules: readonly Ruled[]
  readonly #lastResort: OverflowPolicy
  /** Whether any of the rules refuses messages. */
  readonly canRefuse: boolean

  /** @throws RangeError that names what is wrong with a rule, and what is accepted */
  constructor(rules: readonly OverflowRule[], limits: Limits) {
    const { queuedMessagesMax, queuedBytesMax } = limits
    const whenFull = `limits: queuedMessagesMax is ${queuedMessagesMax}, queuedBytesMax ${queuedBytesMax}`
    this.#lastResort = { ...policyOf({ action: 'drop-oldest' }, 0, limits), whenFull }
    this.canRefuse = rules.some(({ action }) => action === 'refuse')
    this.#rules = rules.map((rule, index) => {
      const problem = problemOfRule(rule)
      if (problem !== undefined) {
        const { key, accepted } = problem
        throw new RangeError(`overflow[${index}].${key} is ${String(rule[key])}; accepted is ${accepted}`)
      }
      const policy = policyOf(rule, index, limits)
      return { listeners: rule.listeners, policy, ofLeaving: ofLeaving(policy, this.#lastResort) }
    })
  }

  /**
   * @param listener by which the session's client last connected; undefined: it is a group's backlog
   * @param isLeaving whether nothing more comes to the backlog
   */
  policyFor(listener: string | undefined, topicFilter: string, isLeaving = false): OverflowPolicy {
    for (const { listeners, policy, ofLeaving: policyOfLeaving } of this.#rules) {
      const isListener = listeners === undefined || (listener !== undefined && listeners.includes(listener))
      if (isListener && filterCovers(policy.topicFilter, topicFilter)) return isLeaving ? policyOfLeaving : policy
    }
    return this.#lastResort
  }
}

/** The topic that a dead letter goes to. */
export function deadLetterTopicOf(policy: OverflowPolicy, topicName: string): string {
  return policy.deadLetterTopic.replace('{topic}', () => topicName)
}

/** Which key of a rule is wrong, if one is, and what it accepts. */
export function problemOfRule(rule: OverflowRule): { readonly key: keyof OverflowRule; readonly accepted: string } | undefined {
  const { action, topicFilter = '#', deadLetterTopic } = rule
  if (!Object.hasOwn(OVERFLOW_ACTIONS, action)) return { key: 'action', accepted: Object.keys(OVERFLOW_ACTIONS).join(', ') }
  const invalid = validateTopicFilter(topicFilter) ?? (isSharedSubscription(topicFilter) ? SHARED : undefined)
  if (invalid !== undefined) return { key: 'topicFilter', accepted: `a topic filter: ${invalid}` }
  for (const key of ['messagesMax', 'bytesMax', 'ageSecondsMax'] as const) {
    const { min, max } = OVERFLOW_BOUNDS[key]
    const value = rule[key]
    const isAccepted = value === undefined || (Number.isInteger(value) && value >= min && value <= max)
    if (!isAccepted) return { key, accepted: `a whole number from ${min} to ${max}` }
  }
  if (action !== 'dead-letter') {
    return deadLetterTopic === undefined ? undefined : { key: 'deadLetterTopic', accepted: `none with the action ${action}` }
  }
  const accepted = acceptedInstead(deadLetterTopic ?? DEFAULT_DEAD_LETTER_TOPIC, topicFilter)
  return accepted === undefined ? undefined : { key: 'deadLetterTopic', accepted }
}

const SHARED = 'a rule for a group names the filter that it shares, without $share/NAME/'

/** What to give in place of a topic for dead letters that will not do. */
function acceptedInstead(template: string, topicFilter: string): string | undefined {
  const invalid = validateTopicName(template)
  if (invalid !== undefined) return `a topic name: ${invalid}`
  if (/[^/]\{topic\}|\{topic\}./.test(template)) return '{topic} as the last level'
  // A backlog that got its own dead letters would be pushed out by them, one after another.
  const isOwn = filtersMeet(topicFilter, template.replace('{topic}', '#'))
  return isOwn ? `a topic that the rule's own topicFilter, ${topicFilter}, does not match` : undefined
}

/**
 * A backlog that nothing more comes to has kept to its bound, and what comes to the queue for others must not push it out:
 * only too old it may become. What the log holds for it is bounded by the limits.
 */
function ofLeaving(policy: OverflowPolicy, lastResort: OverflowPolicy): OverflowPolicy {
  if (policy.ageMs === Infinity || policy.action === 'refuse' || policy.action === 'drop-newest') return lastResort
  const { messagesMax, bytesMax, whenFull } = lastResort
  return { ...policy, messagesMax, bytesMax, whenFull }
}

function policyOf(rule: OverflowRule, index: number, limits: Limits): OverflowPolicy {
  const messagesMax = rule.messagesMax ?? limits.queuedMessagesMax
  const bytesMax = rule.bytesMax ?? limits.queuedBytesMax
  const { topicFilter = '#', action, ageSecondsMax } = rule
  const age = ageSecondsMax === undefined ? '' : `, for ${ageSecondsMax} s`
  return {
    topicFilter,
    action,
    messagesMax,
    bytesMax,
    ageMs: ageSecondsMax === undefined ? Infinity : ageSecondsMax * 1000,
    deadLetterTopic: rule.deadLetterTopic ?? DEFAULT_DEAD_LETTER_TOPIC,
    whenFull: `overflow[${index}]: messagesMax is ${messagesMax}, bytesMax ${bytesMax}`,
    whenOld: `overflow[${index}]: ageSecondsMax is ${ageSecondsMax}`,
    refusal: `a subscriber's queue is full: for ${topicFilter} at most ${messagesMax} messages and ${bytesMax} bytes may wait${age}`
  }
}
