import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FATE_NAMES } from './fate-catalogue.ts'
import { FateClients } from './fate-clients.ts'

// fast-check prints its seed when a property fails.

const FATES = FATE_NAMES.length

describe('the fates of clients', () => {
  it('given more clients than there is room for, then as many are forgotten, and the counters of the others are right', () => {
    const touches = fc.array(fc.record({ client: fc.nat(200), fate: fc.nat(FATES - 1), count: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 600,
      size: 'max'
    })
    fc.assert(
      fc.property(fc.nat(150), touches, (clientsMax, history) => {
        const clients = new FateClients(clientsMax)
        const model = new Map<string, number[]>()
        for (const { client, fate, count } of history) {
          const clientId = `c${client}`
          // Whoever is not known any more begins anew.
          const known = clients.rowOf(clientId) === undefined ? undefined : model.get(clientId)
          const counts = known ?? Array.from({ length: FATES }, () => 0)
          counts[fate] = (counts[fate] ?? 0) + count
          model.set(clientId, counts)
          clients.add(clientId, fate, count)
          expect(clients.rows).toBeLessThanOrEqual(clientsMax)
          expect(clients.rowOf(clientId) === undefined).toBe(clientsMax === 0)
        }
        const kept = [...model.keys()].filter((clientId) => clients.rowOf(clientId) !== undefined)
        expect(kept).toHaveLength(Math.min(clients.rows, clientsMax))
        for (const clientId of kept) {
          const row = clients.rowOf(clientId) ?? -1
          expect(clients.clientIdOf(row)).toBe(clientId)
          const expected = FATE_NAMES.map((fate, index) => [fate, model.get(clientId)?.[index] ?? 0]).filter(
            ([, count]) => count !== 0
          )
          expect([...clients.of(clientId)]).toEqual(expected)
        }
        for (const clientId of model.keys()) if (!kept.includes(clientId)) expect(clients.of(clientId).size).toBe(0)
      }),
      { numRuns: 60 }
    )
  })

  it('given that one has to go, then not one that was touched since the last had to', () => {
    const clients = new FateClients(3)
    for (const clientId of ['a', 'b', 'c', 'd']) clients.add(clientId, 0, 1)
    clients.add('b', 0, 1)
    clients.add('e', 0, 1)
    expect(['a', 'b', 'c', 'd', 'e'].map((clientId) => clients.of(clientId).get(FATE_NAMES[0] ?? 'expired'))).toEqual([
      undefined,
      2,
      undefined,
      1,
      1
    ])
    expect(clients.forgotten).toBe(2)
  })

  it('given that a period ends, then what changed before is told apart from what changes later', () => {
    const clients = new FateClients(2)
    clients.add('a', 0, 1)
    clients.add('a', 1, 1)
    clients.add('b', 0, 1)
    const period = clients.nextPeriod()
    clients.add('a', 1, 2)
    expect(clients.changes(0, 0)).toEqual([
      { fate: FATE_NAMES[0], count: 1 },
      { fate: FATE_NAMES[1], count: 3 }
    ])
    expect([clients.changes(0, period), clients.changes(1, period)]).toEqual([[{ fate: FATE_NAMES[1], count: 3 }], []])
    clients.add('c', 2, 5)
    const row = clients.rowOf('c') ?? -1
    expect(clients.changes(row, 0)).toEqual([{ fate: FATE_NAMES[2], count: 5 }])
  })
})
