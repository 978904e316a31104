import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { filterCovers, filtersMeet } from './filter-relations.ts'
import { topicMatches, validateTopicFilter } from './topics.ts'

// fast-check prints its seed when a property fails.

/** Every Topic Name of up to five levels with more names than any filter below has, so that they stand for all. */
const NAMES = ['a', 'b', '$c', 'other'] as const
const TOPICS: string[] = []
for (let known: string[] = [''], levels = 1; levels <= 5; levels++) {
  known = known.flatMap((before) => NAMES.map((name) => (levels === 1 ? name : `${before}/${name}`)))
  TOPICS.push(...known)
}

const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '$c', '+'), { maxLength: 3 }), fc.constantFrom<readonly string[]>([], ['#']))
  .map(([levels, rest]) => [...levels, ...rest].join('/'))
  .filter((text) => validateTopicFilter(text) === undefined)

describe('how topic filters relate', () => {
  test.each([
    ['#', 'a/b', true],
    ['#', '#', true],
    ['#', '$SYS/#', false],
    ['+/#', '#', true],
    ['a/+/#', 'a/#', false],
    ['alarms/#', 'alarms', true],
    ['alarms/#', 'alarms/+/fire', true],
    ['alarms/+', 'alarms/#', false],
    ['alarms/+/fire', 'alarms/#', false],
    ['+', 'a', true],
    ['+', '+/a', false],
    ['a//b', 'a/+/b', false],
    ['a/+/b', 'a//b', true]
  ])('%s covers %s: %s', (covering, covered, expected) => {
    expect(filterCovers(covering, covered)).toBe(expected)
  })

  it('given any two filters, then one covers the other exactly if it matches every topic that the other does', () => {
    fc.assert(
      fc.property(filter, filter, (covering, covered) => {
        const matched = TOPICS.filter((topic) => topicMatches(covered, topic))
        expect(filterCovers(covering, covered)).toBe(matched.every((topic) => topicMatches(covering, topic)))
      }),
      { numRuns: 2000 }
    )
  })

  it('given any two filters, then they meet exactly if some topic matches both', () => {
    fc.assert(
      fc.property(filter, filter, (one, other) => {
        expect(filtersMeet(one, other)).toBe(TOPICS.some((topic) => topicMatches(one, topic) && topicMatches(other, topic)))
      }),
      { numRuns: 2000 }
    )
  })
})
