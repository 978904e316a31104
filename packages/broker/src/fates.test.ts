import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Drop, type Fate, FateLedger, FATES } from './fates.ts'
import { message } from './samples.test.support.ts'

// fast-check prints its seed when a property fails.

const FATE_NAMES = Object.keys(FATES).filter((name): name is Fate => Object.hasOwn(FATES, name))

describe('fates', () => {
  it('given any drops, then each is counted and told, and the latest are remembered, oldest first', () => {
    const drops = fc.array(fc.record({ fate: fc.constantFrom(...FATE_NAMES), many: fc.option(fc.nat(5)) }), {
      maxLength: 60,
      size: 'max'
    })
    fc.assert(
      fc.property(fc.nat(10), drops, (recentMax, history) => {
        let now = 0
        const ledger = new FateLedger(recentMax, () => ++now)
        const told: Drop[] = []
        ledger.listen((drop) => told.push(drop))
        const counts = new Map<Fate, number>()
        let recorded = 0
        for (const { fate, many } of history) {
          if (many === null) ledger.record(fate, message('t/x', { payload: 'abc' }), 'c1')
          else ledger.recordMany(fate, many, 't/+', 'c1')
          counts.set(fate, (counts.get(fate) ?? 0) + (many ?? 1))
          if (many !== 0) recorded++
        }
        for (const fate of FATE_NAMES) expect(ledger.count(fate)).toBe(counts.get(fate) ?? 0)
        expect([...ledger.counts().keys()]).toEqual(FATE_NAMES)
        expect(told).toHaveLength(recorded)
        expect(ledger.recent()).toEqual(recentMax === 0 ? [] : told.slice(-recentMax))
      })
    )
  })

  it('given one message, then its topic, size, receiver and time are remembered; given many, their filter and number', () => {
    const ledger = new FateLedger(2, () => 1234)
    ledger.record('expired', message('t/x', { payload: 'abc' }), 'c1')
    ledger.recordMany('session-ended', 7, 't/+', 'c2')
    expect(ledger.recent()).toEqual([
      { fate: 'expired', topicName: 't/x', clientId: 'c1', payloadBytes: 3, count: 1, atMs: 1234 },
      { fate: 'session-ended', topicName: 't/+', clientId: 'c2', payloadBytes: 0, count: 7, atMs: 1234 }
    ])
  })

  it('given what was read before, then later drops do not change it', () => {
    const ledger = new FateLedger(1, () => 0)
    ledger.recordMany('expired', 1, 'a', '')
    const read = ledger.recent()
    ledger.recordMany('expired', 1, 'b', '')
    expect(read.map(({ topicName }) => topicName)).toEqual(['a'])
  })
})
