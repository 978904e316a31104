import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.test.support.ts'
import { type Timer, Timers } from './timers.ts'

// fast-check prints its seed when a property fails.

const GRANULARITY_MS = 100

type Step =
  | { readonly kind: 'set'; readonly timer: number; readonly inMs: number }
  | { readonly kind: 'clear'; readonly timer: number }
  | { readonly kind: 'advance'; readonly byMs: number }

const TIMERS = 12
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set'), timer: fc.nat(TIMERS - 1), inMs: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('clear'), timer: fc.nat(TIMERS - 1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance'), byMs: fc.nat(1500) }) }
)

function rethrow(error: unknown): never {
  throw error
}

describe('timers', () => {
  it('given any history of setting, moving and clearing, then each fires once, in the order of due times', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const clock = new ManualClock()
        const timers = new Timers(clock, rethrow)
        const fired: { readonly name: number; readonly atMs: number }[] = []
        const made: Timer[] = Array.from({ length: TIMERS }, (_, name) =>
          timers.create(() => fired.push({ name, atMs: clock.now() }))
        )
        const due = new Map<number, number>()
        for (const next of steps) {
          if (next.kind === 'advance') {
            const before = fired.length
            clock.advance(next.byMs)
            const expected = [...due].filter(([, atMs]) => atMs <= clock.now())
            const actual = fired.slice(before)
            expect(new Set(actual.map(({ name }) => name))).toEqual(new Set(expected.map(([name]) => name)))
            expect(actual.map(({ atMs }) => atMs)).toEqual(expected.map(([, atMs]) => atMs).toSorted((a, b) => a - b))
            for (const [name] of expected) due.delete(name)
          } else {
            const timer = made[next.timer]
            if (timer === undefined) continue
            if (next.kind === 'clear') {
              timers.clear(timer)
              due.delete(next.timer)
            } else {
              timers.set(timer, clock.now() + next.inMs)
              due.set(next.timer, Math.ceil((clock.now() + next.inMs) / GRANULARITY_MS) * GRANULARITY_MS)
            }
          }
          for (const [name, timer] of made.entries()) expect(timer.isSet).toBe(due.has(name))
        }
      }),
      { numRuns: 300 }
    )
  })

  it('given a thousand keep alives in the same tenth of a second, then the host is asked for one call', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock, rethrow)
    const base = Math.ceil(clock.now() / GRANULARITY_MS) * GRANULARITY_MS + 1000
    let fired = 0
    for (let index = 0; index < 1000; index++) {
      const timer = timers.create(() => fired++)
      timers.set(timer, base - (index % GRANULARITY_MS))
    }
    expect(clock.armed).toBe(1)
    clock.advance(base - clock.now())
    expect(fired).toBe(1000)
    expect(clock.waiting).toBe(0)
  })

  it('given Infinity, then the timer is never set, and one that was set is cleared', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock, rethrow)
    const timer = timers.create(() => expect.unreachable())
    timers.set(timer, Infinity)
    expect([timer.isSet, clock.waiting]).toEqual([false, 0])
    timers.set(timer, clock.now() + 500)
    timers.set(timer, Infinity)
    expect(timer.isSet).toBe(false)
    clock.advance(10_000)
  })

  it('given a timer that sets itself again when it fires, then it goes on, and no other is starved', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock, rethrow)
    const fired: string[] = []
    const again = timers.create(() => {
      fired.push('again')
      timers.set(again, clock.now() + 200)
    })
    timers.set(again, clock.now())
    timers.set(
      timers.create(() => fired.push('once')),
      clock.now() + 150
    )
    clock.advance(500)
    expect(fired).toEqual(['again', 'once', 'again', 'again'])
  })

  it('given a timer that clears another one due at the same time, then that one does not fire', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock, rethrow)
    const fired: string[] = []
    const first = timers.create(() => {
      fired.push('first')
      timers.clear(second)
    })
    const second = timers.create(() => {
      fired.push('second')
      timers.clear(first)
    })
    timers.set(first, clock.now() + 100)
    timers.set(second, clock.now() + 100)
    clock.advance(1000)
    expect(fired).toHaveLength(1)
  })

  it('given a host that calls too early, then nothing fires before its time, and it fires then', () => {
    const clock = new ManualClock()
    let hostCall: (() => void) | undefined
    const early = {
      now: () => clock.now(),
      at: (_timeMs: number, callback: () => void) => {
        hostCall = callback
        return () => {}
      },
      defer: (callback: () => void) => clock.defer(callback)
    }
    const timers = new Timers(early, rethrow)
    let fired = 0
    timers.set(
      timers.create(() => fired++),
      clock.now() + 1000
    )
    hostCall?.()
    expect(fired).toBe(0)
    clock.advance(1100)
    hostCall?.()
    expect(fired).toBe(1)
  })

  it('given a timer that throws, then it is told, and those behind it fire all the same', () => {
    const clock = new ManualClock()
    const errors: unknown[] = []
    const timers = new Timers(clock, (error) => errors.push(error))
    const mistake = new Error('a mistake')
    const fails = timers.create(() => rethrow(mistake))
    let fired = 0
    const follows = timers.create(() => fired++)
    timers.set(fails, clock.now() + 100)
    timers.set(follows, clock.now() + 200)
    clock.advance(1000)
    expect([errors, fired]).toEqual([[mistake], 1])
  })

  it('given clearAll, then nothing fires any more, and timers may be set again', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock, rethrow)
    let fired = 0
    const made = Array.from({ length: 5 }, () => timers.create(() => fired++))
    for (const timer of made) timers.set(timer, clock.now() + 100)
    timers.clearAll()
    expect(clock.waiting).toBe(0)
    clock.advance(1000)
    expect([fired, made.some(({ isSet }) => isSet)]).toEqual([0, false])
    for (const timer of made) timers.set(timer, clock.now() + 100)
    clock.advance(1000)
    expect(fired).toBe(5)
  })
})
