import { describe, expect, it } from 'vitest'
import { checkHistory } from './history-rules.ts'

describe('checkHistory', () => {
  it('accepts filters with at least one bound', () => {
    const rules = [
      { topicFilter: 'a/#', seconds: 1 },
      { topicFilter: '#', messages: 10, bytes: Number.MAX_SAFE_INTEGER },
      { topicFilter: '$SYS/#', seconds: undefined, bytes: 1 }
    ]
    expect(checkHistory(rules)).toBe(rules)
  })

  it.each([
    ['no bound', [{ topicFilter: 'a' }], 'history[0]: at least one is needed of seconds, messages, bytes'],
    ['a bound of 0', [{ topicFilter: 'a', messages: 0 }], 'history[0]: messages is 0; accepted is a whole number from 1'],
    ['a broken bound', [{ topicFilter: 'a', seconds: 1.5 }], 'history[0]: seconds is 1.5'],
    ['a filter that is none', [{ topicFilter: 'a/#/b', seconds: 1 }], 'history[0]: # must be'],
    ['a Shared Subscription', [{ topicFilter: '$share/g/a', seconds: 1 }], 'history[0]: history is kept for topics'],
    ['a replay', [{ topicFilter: '$replay/all/a', seconds: 1 }], 'history[0]: the topic filter stands without $replay/'],
    [
      'a filter twice',
      [
        { topicFilter: 'a', seconds: 1 },
        { topicFilter: 'a', bytes: 1 }
      ],
      'history[1]: there is a rule for a already'
    ]
  ])('refuses %s', (_, rules, message) => {
    expect(() => checkHistory(rules)).toThrow(message)
  })
})
