import { describe, expect, test } from 'vitest'
import { StreamLedger } from './stream-ledger.ts'
import { findingsOf, type StreamFindings, verify, violationsOf } from './verification.ts'

function stream(publisher: number, sequences: readonly number[], published: number, damaged = 0): StreamFindings {
  const ledger = new StreamLedger()
  for (const sequence of sequences) ledger.take(sequence)
  return findingsOf(publisher, ledger, published, damaged)
}

describe('two publishers and two subscribers of both', () => {
  const counts = [0, 1].map((publisher) => ({ publisher, published: 4, failed: 0 }))
  const whole = (publisher: number): StreamFindings => stream(publisher, [0, 1, 2, 3], 4)

  test('given that everything came, nothing is found', () => {
    const streams = [whole(0), whole(1), whole(0), whole(1)]
    const verification = verify(counts, streams, 2, 0)
    expect(verification).toMatchObject({
      expected: 16,
      received: 16,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      damaged: 0,
      publishers: []
    })
    for (const qos of [0, 1, 2] as const) expect(violationsOf(verification, qos)).toEqual([])
  })

  test('given that something is wrong, it is found at the publisher whose messages they are', () => {
    const streams = [whole(0), stream(1, [0, 2, 1], 4, 1), whole(0), stream(1, [0, 1, 2, 2, 3], 4)]
    const verification = verify(counts, streams, 2, 3)
    expect(verification).toMatchObject({
      expected: 16,
      received: 15,
      lost: 1,
      duplicated: 1,
      reordered: 1,
      damaged: 1,
      foreign: 3
    })
    expect(verification.publishers).toEqual([
      { publisher: 1, expected: 8, received: 7, lost: 1, duplicated: 1, reordered: 1, damaged: 1 }
    ])
    expect(violationsOf(verification, 0)).toEqual(['1 duplicated', '1 reordered', '1 damaged'])
    expect(violationsOf(verification, 1)).toEqual(['1 lost', '1 reordered', '1 damaged'])
    expect(violationsOf(verification, 2)).toEqual(['1 lost', '1 duplicated', '1 reordered', '1 damaged'])
  })

  test('given that the broker refused a message, or has not acknowledged it, it is not lost', () => {
    const refused = [{ publisher: 0, published: 4, failed: 1 }]
    expect(verify(refused, [stream(0, [0, 1, 2], 4)], 1, 0)).toMatchObject({ expected: 3, lost: 0 })
    expect(verify(refused, [stream(0, [0, 1], 4)], 1, 0)).toMatchObject({ expected: 3, lost: 1 })
  })
})
