import { describe, expect, it } from 'vitest'
import { type LimitName, LIMITS, type Limits, resolveLimits } from './limits.ts'

const NAMES = Object.keys(LIMITS).filter((name): name is LimitName => Object.hasOwn(LIMITS, name))

function only(name: LimitName, value: number): Partial<Limits> {
  return Object.fromEntries([[name, value]])
}

describe('limits', () => {
  it('given nothing, then every limit has its default', () => {
    const limits = resolveLimits({})
    expect(Object.keys(limits)).toEqual(NAMES)
    for (const name of NAMES) expect(limits[name]).toBe(LIMITS[name].default)
  })

  describe.each(NAMES)('%s', (name) => {
    const { default: fallback, min, max, purpose } = LIMITS[name]

    it('has a default within its bounds, and says what it is for', () => {
      expect(min).toBeLessThanOrEqual(fallback)
      expect(fallback).toBeLessThanOrEqual(max)
      expect([min, fallback, max].every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true)
      expect(purpose.length).toBeGreaterThan(20)
    })

    it('takes its bounds, and changes nothing else', () => {
      for (const value of [min, max]) {
        expect(resolveLimits(only(name, value))).toEqual({ ...resolveLimits({}), [name]: value })
      }
    })

    it.each([min - 1, max + 1, min + 0.5, NaN, Infinity, -Infinity])('refuses %d, and says what it takes', (value) => {
      expect(() => resolveLimits(only(name, value))).toThrow(
        new RangeError(`limits.${name} is ${value}; accepted is a whole number from ${min} to ${max}`)
      )
    })
  })

  it('given an unknown name, then the error names it and all that there are', () => {
    const given: Record<string, number> = { clientsMaximum: 5 }
    expect(() => resolveLimits(given)).toThrow(RangeError)
    expect(() => resolveLimits(given)).toThrow('limits.clientsMaximum is not a limit; there are clientsMax, ')
    for (const name of NAMES) expect(() => resolveLimits(given)).toThrow(name)
  })

  it.each(['toString', 'constructor', '__proto__'])('given the inherited name %s, then it is not a limit', (name) => {
    const given: Record<string, number> = Object.fromEntries([[name, 1]])
    expect(() => resolveLimits(given)).toThrow(`limits.${name} is not a limit`)
  })
})
