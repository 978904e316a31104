import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freeIdentifiers, PacketIdentifiers } from './packet-identifiers.ts'

describe('packet identifiers', () => {
  it('given none in use, then they come in order from 1 and begin again after 65,535', () => {
    const identifiers = new PacketIdentifiers()
    const none = new Set<number>()
    for (let expected = 1; expected <= 0xffff; expected++) expect(identifiers.next(none)).toBe(expected)
    expect(identifiers.next(none)).toBe(1)
    expect(identifiers.next(none)).toBe(2)
  })

  it('given any in use, then the next is the first free one in the circle', () => {
    const near = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0xffff - 20, max: 0xffff }))
    fc.assert(
      fc.property(fc.uniqueArray(near), fc.integer({ min: 0xffff - 25, max: 0xffff }), (inUse, last) => {
        const taken = new Set(inUse)
        const identifiers = new PacketIdentifiers()
        identifiers.continueAfter(last)
        let expected = last
        do expected = (expected % 0xffff) + 1
        while (taken.has(expected))
        expect(identifiers.next(taken)).toBe(expected)
      })
    )
  })

  it('given all but one in use, then that one is found; given all, then there is none until one is free', () => {
    const taken = new Set(Array.from({ length: 0xffff }, (_, index) => index + 1))
    const identifiers = new PacketIdentifiers()
    expect([freeIdentifiers(taken), identifiers.next(taken)]).toEqual([0, 0])
    taken.delete(127)
    expect(freeIdentifiers(taken)).toBe(1)
    expect(identifiers.next(taken)).toBe(127)
    expect(identifiers.next(taken)).toBe(127)
    taken.add(127)
    expect(identifiers.next(taken)).toBe(0)
  })

  it('given a restored session, then it goes on after its last identifier', () => {
    const identifiers = new PacketIdentifiers()
    const inUse = new Set([128])
    identifiers.continueAfter(127)
    expect(identifiers.next(inUse)).toBe(129)
    identifiers.continueAfter(0xffff)
    expect(identifiers.next(inUse)).toBe(1)
  })
})
