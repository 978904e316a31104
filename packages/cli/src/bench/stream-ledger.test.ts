import { describe, expect, test } from 'vitest'
import { StreamLedger } from './stream-ledger.ts'

interface Account {
  readonly received: number
  readonly duplicated: number
  readonly reordered: number
  readonly missing: number
}

function accountOf(sequences: readonly number[], published: number): Account {
  const ledger = new StreamLedger()
  for (const sequence of sequences) ledger.take(sequence)
  const { received, duplicated, reordered } = ledger
  return { received, duplicated, reordered, missing: ledger.missing(published) }
}

describe('a subscriber that gets', () => {
  const none = { received: 5, duplicated: 0, reordered: 0, missing: 0 }
  test.each<readonly [what: string, sequences: readonly number[], expected: Account]>([
    ['everything, in its order', [0, 1, 2, 3, 4], none],
    ['nothing', [], { ...none, received: 0, missing: 5 }],
    ['all but the first', [1, 2, 3, 4], { ...none, received: 4, missing: 1 }],
    ['all but one in the middle', [0, 1, 3, 4], { ...none, received: 4, missing: 1 }],
    ['all but the last two', [0, 1, 2], { ...none, received: 3, missing: 2 }],
    ['one twice', [0, 1, 1, 2, 3, 4], { ...none, duplicated: 1 }],
    ['one again at the end', [0, 1, 2, 3, 4, 0], { ...none, duplicated: 1 }],
    ['two in the wrong order', [0, 2, 1, 3, 4], { ...none, reordered: 1 }],
    ['everything backwards', [4, 3, 2, 1, 0], { ...none, reordered: 4 }],
    ['a late one twice', [0, 2, 1, 1, 3, 4], { ...none, reordered: 1, duplicated: 1 }]
  ])('%s', (_what, sequences, expected) => {
    expect(accountOf(sequences, 5)).toEqual(expected)
  })
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('losses, repetitions and changes of order at random, seed %i', (seed) => {
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const published = 2_000
  const sequences: number[] = []
  for (let sequence = 0; sequence < published; sequence++) {
    const copies = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1][random(10)] ?? 1
    for (let copy = 0; copy < copies; copy++) sequences.splice(Math.max(0, sequences.length - random(4)), 0, sequence)
  }

  const seen = new Set<number>()
  let highest = -1
  let duplicated = 0
  let reordered = 0
  for (const sequence of sequences) {
    if (seen.has(sequence)) duplicated++
    else if (sequence < highest) reordered++
    seen.add(sequence)
    highest = Math.max(highest, sequence)
  }
  expect(reordered * duplicated * (published - seen.size)).toBeGreaterThan(0)
  expect(accountOf(sequences, published)).toEqual({ received: seen.size, duplicated, reordered, missing: published - seen.size })
})

test('what is missing in more gaps than it remembers is lost all the same', () => {
  const everySecond = Array.from({ length: 5_000 }, (_, index) => index * 2)
  expect(accountOf(everySecond, 10_000)).toEqual({ received: 5_000, duplicated: 0, reordered: 0, missing: 5_000 })
})
