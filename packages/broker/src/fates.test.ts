import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FATE_NAMES } from './fate-catalogue.ts'
import { type Drop, FateLedger } from './fates.ts'
import { message } from './samples.test.support.ts'

// fast-check prints its seed when a property fails.

const CLIENTS = ['', 'c1', 'c2', '$share/g/t']

/** One message, several that went together, or one that was lost to several clients. */
const drops = fc.array(
  fc.record({
    fate: fc.constantFrom(...FATE_NAMES),
    what: fc.oneof(
      fc.record({ clientId: fc.constantFrom(...CLIENTS) }),
      fc.record({ clientId: fc.constantFrom(...CLIENTS), count: fc.nat(5) }),
      fc.record({ clientIds: fc.subarray(['c1', 'c2', 'c3']) })
    )
  }),
  { maxLength: 60, size: 'max' }
)

describe('fates', () => {
  it('given any drops, then each is counted, in all and per client, and told, and the latest are remembered, oldest first', () => {
    fc.assert(
      fc.property(fc.nat(10), drops, (recentMax, history) => {
        let now = 0
        const ledger = new FateLedger(recentMax, () => ++now)
        const told: Drop[] = []
        ledger.listen((drop) => told.push(drop))
        const counts = new Map<string, number>()
        const count = (key: string, by: number): void => void counts.set(key, (counts.get(key) ?? 0) + by)
        let recorded = 0
        for (const { fate, what } of history) {
          const clientIds = 'clientIds' in what ? what.clientIds : [what.clientId]
          const each = 'count' in what ? what.count : 1
          if ('clientIds' in what) ledger.recordForMany(fate, message('t/x'), what.clientIds)
          else if ('count' in what) ledger.recordMany(fate, what.count, 't/+', what.clientId)
          else ledger.record(fate, message('t/x'), what.clientId)
          count(fate, each * clientIds.length)
          for (const clientId of clientIds) count(`${clientId} ${fate}`, each)
          if (each * clientIds.length > 0) recorded++
        }
        for (const fate of FATE_NAMES) {
          expect(ledger.count(fate)).toBe(counts.get(fate) ?? 0)
          for (const clientId of [...CLIENTS.slice(1), 'c3']) {
            expect(ledger.clients.of(clientId).get(fate) ?? 0).toBe(counts.get(`${clientId} ${fate}`) ?? 0)
          }
        }
        expect(ledger.clients.of('').size).toBe(0)
        expect([...ledger.counts()]).toEqual(FATE_NAMES.map((fate) => [fate, ledger.count(fate)]))
        expect(ledger.total).toBe(FATE_NAMES.reduce((sum, fate) => sum + ledger.count(fate), 0))
        expect(told).toHaveLength(recorded)
        expect(ledger.recent()).toEqual(recentMax === 0 ? [] : told.slice(-recentMax))
        expect(ledger.latest(3)).toEqual(ledger.recent().slice(-3))
      })
    )
  })

  it('given one message, then its topic, size, client, reason and time are remembered; given many, their filter and number', () => {
    const ledger = new FateLedger(3, () => 1234)
    ledger.record('refused-by-client', message('t/x', { payload: 'abc' }), 'c1', 'Not authorized')
    ledger.recordMany('session-ended', 7, 't/+', 'c2')
    ledger.recordForMany('subscriber-offline', message('t/y', { payload: 'ab' }), ['c1', 'c2', 'c3'])
    expect(ledger.recent()).toStrictEqual([
      {
        fate: 'refused-by-client',
        topicName: 't/x',
        clientId: 'c1',
        payloadBytes: 3,
        count: 1,
        atMs: 1234,
        reason: 'Not authorized'
      },
      { fate: 'session-ended', topicName: 't/+', clientId: 'c2', payloadBytes: 0, count: 7, atMs: 1234, reason: undefined },
      { fate: 'subscriber-offline', topicName: 't/y', clientId: '', payloadBytes: 2, count: 3, atMs: 1234, reason: undefined }
    ])
  })

  it('given what was read before, then later drops do not change it', () => {
    const ledger = new FateLedger(1, () => 0)
    ledger.recordMany('expired', 1, 'a', '')
    const [read, counts] = [ledger.recent(), ledger.counts()]
    ledger.recordMany('expired', 1, 'b', '')
    expect(read.map(({ topicName }) => topicName)).toEqual(['a'])
    expect(counts.get('expired')).toBe(1)
  })
})
