import { describe, expect, it, test } from 'vitest'
import { resolveLimits } from './limits.ts'
import { OverflowPolicies, type OverflowRule } from './overflow-rules.ts'

const limits = resolveLimits({ queuedMessagesMax: 100, queuedBytesMax: 10_000 })

describe('overflow rules', () => {
  it('given none, then the limits count and the oldest go', () => {
    const policy = new OverflowPolicies([], limits).policyFor('', 'a')
    expect(policy).toMatchObject({ action: 'drop-oldest', messagesMax: 100, bytesMax: 10_000, ageMs: Infinity })
  })

  it('given several that apply, then the first counts, and the limits fill what it leaves out', () => {
    const policies = new OverflowPolicies(
      [
        { topicFilter: 'a/#', listeners: ['fleet'], action: 'refuse', bytesMax: 2000 },
        { topicFilter: 'a/b', action: 'drop-newest', messagesMax: 7, ageSecondsMax: 2 },
        { action: 'dead-letter' }
      ],
      limits
    )
    expect(policies.policyFor('fleet', 'a/b')).toMatchObject({ action: 'refuse', messagesMax: 100, bytesMax: 2000 })
    expect(policies.policyFor('web', 'a/b')).toMatchObject({ action: 'drop-newest', messagesMax: 7, ageMs: 2000 })
    expect(policies.policyFor(undefined, 'a/b').action).toBe('drop-newest')
    expect(policies.policyFor('web', 'a/+').action).toBe('dead-letter')
    expect(policies.policyFor('fleet', '$dead-letter/#').action).toBe('drop-oldest')
  })

  it('given a backlog that nothing more comes to, then only its age counts, where the oldest go, and the limits', () => {
    for (const action of ['refuse', 'drop-oldest', 'drop-newest', 'dead-letter'] as const) {
      const policies = new OverflowPolicies([{ action, messagesMax: 7, ageSecondsMax: 2 }], limits)
      const isCut = action === 'drop-oldest' || action === 'dead-letter'
      const expected = isCut ? { action, ageMs: 2000 } : { action: 'drop-oldest', ageMs: Infinity }
      const limited = { messagesMax: 100, bytesMax: 10_000, whenFull: 'limits: queuedMessagesMax is 100, queuedBytesMax 10000' }
      expect(policies.policyFor('', 'a', true)).toMatchObject({ ...expected, ...limited })
    }
  })

  test.each<[OverflowRule, string]>([
    [
      { action: 'refuse', topicFilter: 'a#' },
      'overflow[0].topicFilter is a#; accepted is a topic filter: # must be a level of its own, and the last'
    ],
    [{ action: 'refuse', topicFilter: '$share/g/a' }, 'without $share/NAME/'],
    [{ action: 'refuse', messagesMax: 0 }, 'overflow[0].messagesMax is 0; accepted is a whole number from 1 to 4294967295'],
    [{ action: 'refuse', bytesMax: 1.5 }, 'overflow[0].bytesMax is 1.5; accepted is a whole number from 1024 to 1099511627776'],
    [{ action: 'refuse', ageSecondsMax: 0 }, 'overflow[0].ageSecondsMax is 0'],
    [{ action: 'refuse', deadLetterTopic: 'd' }, 'overflow[0].deadLetterTopic is d; accepted is none with the action refuse'],
    [{ action: 'dead-letter', deadLetterTopic: 'd/+' }, 'overflow[0].deadLetterTopic is d/+'],
    [{ action: 'dead-letter', deadLetterTopic: 'd/{topic}/x', topicFilter: 'a' }, 'accepted is {topic} as the last level'],
    [{ action: 'dead-letter', deadLetterTopic: 'd/{topic}' }, "a topic that the rule's own topicFilter, #, does not match"],
    [{ action: 'dead-letter', topicFilter: '$dead-letter/#' }, "the rule's own topicFilter, $dead-letter/#, does not match"]
  ])('refuses %j: %s', (rule, problem) => {
    expect(() => new OverflowPolicies([rule], limits)).toThrow(problem)
  })
})
