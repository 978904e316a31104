import { expect, test } from 'vitest'
import { SimClock } from './sim-clock.ts'

function firedUntil(clock: SimClock, untilMs: number): number {
  let fired = 0
  while (clock.advanceToNext(untilMs)) fired++
  return fired
}

test('time stands still until it is moved', () => {
  const clock = new SimClock(1000)
  expect(clock.now()).toBe(1000)
  expect(firedUntil(clock, 1500)).toBe(0)
  expect(clock.now()).toBe(1500)
  expect(firedUntil(clock, 1200)).toBe(0)
  expect(clock.now()).toBe(1500)
})

test('timers fire at their times, in the order of these, equal ones in the order set', () => {
  const clock = new SimClock(0)
  const fired: [string, number][] = []
  for (const [name, timeMs] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
    ['b again', 20]
  ] as const) {
    clock.at(timeMs, () => fired.push([name, clock.now()]))
  }
  expect(firedUntil(clock, 25)).toBe(3)
  expect(clock.timers).toBe(1)
  expect(fired).toEqual([
    ['a', 10],
    ['b', 20],
    ['b again', 20]
  ])
})

test('a timer that was taken back does not fire; one set by another fires in the same move', () => {
  const clock = new SimClock(0)
  const fired: string[] = []
  const cancel = clock.at(10, () => fired.push('taken back'))
  clock.at(10, () => {
    clock.at(20, () => fired.push('later'))
  })
  cancel()
  expect(firedUntil(clock, 20)).toBe(2)
  expect(fired).toEqual(['later'])
})

test('a timer of the past fires without moving the time', () => {
  const clock = new SimClock(1000)
  let firedAt = 0
  clock.at(500, () => {
    firedAt = clock.now()
  })
  expect(clock.advanceToNext(1000)).toBe(true)
  expect(firedAt).toBe(1000)
})

test('what is deferred runs at the end of the turn, in order; what it defers belongs to the next', () => {
  const clock = new SimClock()
  const ran: number[] = []
  clock.defer(() => {
    ran.push(1)
    clock.defer(() => ran.push(3))
  })
  clock.defer(() => ran.push(2))
  expect(clock.runDeferred()).toBe(true)
  expect(ran).toEqual([1, 2])
  expect(clock.runDeferred()).toBe(true)
  expect(clock.runDeferred()).toBe(false)
  expect(ran).toEqual([1, 2, 3])
})
