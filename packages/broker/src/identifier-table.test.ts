import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IdentifierTable } from './identifier-table.ts'

// fast-check prints its seed when a property fails.

it('given any history of identifiers, then it is a Map in which what is put again goes to the end', () => {
  const identifier = fc.oneof(
    fc.integer({ min: 1, max: 0xffff }),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(1, 0x4001, 0xffff)
  )
  const step = fc.record({ identifier, isPut: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new IdentifierTable<{ readonly number: number }>()
      const model = new Map<number, { readonly number: number }>()
      for (const [number, { identifier: packetIdentifier, isPut }] of steps.entries()) {
        const isKnown = model.delete(packetIdentifier)
        if (isPut) {
          const item = { number }
          model.set(packetIdentifier, item)
          table.put(packetIdentifier, item)
        } else expect(table.delete(packetIdentifier)).toBe(isKnown)
        expect([table.size, table.get(packetIdentifier)]).toEqual([model.size, model.get(packetIdentifier)])
      }
      expect(table.keys()).toEqual([...model.keys()])
      expect(table.values()).toEqual([...model.values()])
    })
  )
})

it('given all identifiers in use, then each is found, and none when they have been given back', () => {
  const table = new IdentifierTable<{ readonly identifier: number }>()
  for (let identifier = 1; identifier <= 0xffff; identifier++) table.put(identifier, { identifier })
  for (let identifier = 1; identifier <= 0xffff; identifier++) expect(table.get(identifier)?.identifier).toBe(identifier)
  for (let identifier = 1; identifier <= 0xffff; identifier++) table.delete(identifier)
  expect([table.size, table.values(), table.get(1)]).toEqual([0, [], undefined])
})
