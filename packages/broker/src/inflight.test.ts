import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Delivery, Inflight } from './inflight.ts'
import { message } from './samples.test.support.ts'

// fast-check prints its seed when a property fails.

function delivery(qos: 1 | 2, sequence = 0): Delivery {
  return new Delivery(message('t'), qos, false, [], sequence, undefined)
}

type Step =
  | { readonly kind: 'open'; readonly receiveMaximum: number }
  | { readonly kind: 'send'; readonly qos: 1 | 2 }
  | { readonly kind: 'puback' | 'pubrec' | 'pubcomp' | 'refuse' | 'withdraw'; readonly packetIdentifier: number }

const packetIdentifier = fc.integer({ min: 1, max: 12 })
const steps = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('open'), receiveMaximum: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('send'), qos: fc.constantFrom(1, 2) }) },
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constantFrom('puback', 'pubrec', 'pubcomp', 'refuse', 'withdraw'), packetIdentifier })
    }
  ),
  { maxLength: 100, size: 'max' }
) satisfies fc.Arbitrary<Step[]>

describe('messages in flight', () => {
  it('given any history, then the states, the order and the quota are those of a naive list', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (first, history) => {
        const inflight = new Inflight()
        inflight.open(first)
        let receiveMaximum = first
        /** In the order of sending; `isReleased` in the order of the PUBRECs behind them. */
        let unacknowledged: Delivery[] = []
        let released: number[] = []
        let toResend: Delivery[] = []
        const take = (): void => {
          for (let next = inflight.nextToResend(); next !== undefined; next = inflight.nextToResend()) {
            toResend = toResend.filter((other) => unacknowledged.includes(other))
            expect(next).toBe(toResend.shift())
          }
          toResend = toResend.filter((other) => unacknowledged.includes(other))
        }
        for (const step of history) {
          switch (step.kind) {
            case 'open':
              receiveMaximum = step.receiveMaximum
              inflight.open(receiveMaximum)
              toResend = [...unacknowledged]
              break
            case 'send': {
              if (!inflight.hasRoom) break
              expect(toResend, 'nothing new before everything unfinished was sent again').toEqual([])
              const added = delivery(step.qos)
              inflight.add(added)
              expect(added.packetIdentifier).toBeGreaterThan(0)
              expect([...unacknowledged.map((other) => other.packetIdentifier), ...released]).not.toContain(
                added.packetIdentifier
              )
              unacknowledged.push(added)
              break
            }
            case 'pubcomp': {
              const isReleased = released.includes(step.packetIdentifier)
              expect(inflight.complete(step.packetIdentifier)).toBe(isReleased)
              released = released.filter((other) => other !== step.packetIdentifier)
              break
            }
            default: {
              const found = unacknowledged.find((other) => other.packetIdentifier === step.packetIdentifier)
              const qos = step.kind === 'puback' ? 1 : 2
              const ends = step.kind === 'withdraw' ? found : found?.qos === qos ? found : undefined
              if (step.kind === 'withdraw') {
                if (found !== undefined) inflight.withdraw(found)
              } else if (step.kind === 'pubrec') expect(inflight.receive(step.packetIdentifier)).toBe(ends)
              else expect(inflight.acknowledge(step.packetIdentifier, qos)).toBe(ends)
              if (ends === undefined) break
              unacknowledged = unacknowledged.filter((other) => other !== ends)
              if (step.kind === 'pubrec') released.push(step.packetIdentifier)
            }
          }
          take()
          expect(inflight.room).toBeGreaterThanOrEqual(0)
          expect(inflight.room).toBeLessThanOrEqual(receiveMaximum)
          expect([...inflight.unacknowledged]).toEqual(unacknowledged)
          expect([...inflight.released]).toEqual(released)
          expect(inflight.size).toBe(unacknowledged.length + released.length)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('given a new connection, then exactly the Receive Maximum is sent until something is acknowledged', () => {
    const inflight = new Inflight()
    inflight.open(3)
    while (inflight.hasRoom) inflight.add(delivery(1))
    expect(inflight.size).toBe(3)
    inflight.acknowledge(2, 1)
    expect(inflight.room).toBe(1)
    inflight.acknowledge(2, 1)
    expect(inflight.room).toBe(1)
  })

  it('given a smaller Receive Maximum on the next connection, then the window is the smaller one ([5.0 MQTT-3.3.4-9])', () => {
    const inflight = new Inflight()
    inflight.open(5)
    const sent = Array.from({ length: 5 }, () => delivery(1))
    for (const each of sent) inflight.add(each)
    inflight.open(2)
    expect([inflight.nextToResend(), inflight.nextToResend(), inflight.nextToResend()]).toEqual([sent[0], sent[1], undefined])
    expect(inflight.hasRoom).toBe(false)
    inflight.acknowledge(1, 1)
    expect([inflight.nextToResend(), inflight.nextToResend()]).toEqual([sent[2], undefined])
  })

  it('given QoS 2, then the quota comes back with PUBCOMP, not with PUBREC, and the identifier stays in use', () => {
    const inflight = new Inflight()
    inflight.open(1)
    const sent = delivery(2)
    inflight.add(sent)
    expect(inflight.receive(1)).toBe(sent)
    expect(inflight.receive(1)).toBeUndefined()
    expect([inflight.hasRoom, inflight.isReleased(1), inflight.contains(sent)]).toEqual([false, true, false])
    expect(inflight.acknowledge(1, 2)).toBeUndefined()
    expect([inflight.complete(1), inflight.complete(1)]).toEqual([true, false])
    expect([inflight.hasRoom, inflight.size]).toEqual([true, 0])
  })

  it('given an acknowledgement of the wrong kind, then nothing changes', () => {
    const inflight = new Inflight()
    inflight.open(2)
    inflight.add(delivery(1))
    inflight.add(delivery(2))
    expect(inflight.receive(1)).toBeUndefined()
    expect(inflight.acknowledge(1, 2)).toBeUndefined()
    expect(inflight.acknowledge(2, 1)).toBeUndefined()
    expect(inflight.complete(2)).toBe(false)
    expect(inflight.size).toBe(2)
  })

  it('given every identifier in use by exchanges that never ended, then nothing new is sent', () => {
    const inflight = new Inflight()
    for (let sent = 0; sent < 0xffff; sent++) {
      inflight.open(1)
      const next = delivery(2)
      inflight.add(next)
      inflight.receive(next.packetIdentifier)
    }
    inflight.open(10)
    expect([inflight.hasRoom, inflight.room]).toEqual([false, 0])
    inflight.complete(40_000)
    expect([inflight.hasRoom, inflight.room]).toEqual([true, 1])
    const next = delivery(1)
    inflight.add(next)
    expect(next.packetIdentifier).toBe(40_000)
  })

  it('given what was recorded, then the same is in flight again, with DUP to come, and identifiers go on', () => {
    const before = new Inflight()
    before.open(10)
    for (const qos of [1, 2, 2, 1] as const) before.add(delivery(qos, 7))
    before.receive(2)
    const { inflight, released } = before.toRecords()
    expect(inflight.map(({ packetIdentifier, qos }) => [packetIdentifier, qos])).toEqual([
      [1, 1],
      [3, 2],
      [4, 1]
    ])
    expect(released).toEqual([2])

    const after = new Inflight()
    for (const record of inflight) after.restore(delivery(record.qos, record.sequence), record.packetIdentifier, false)
    for (const identifier of released) after.restoreReleased(identifier)
    expect(after.toRecords()).toEqual({ inflight, released })
    after.open(10)
    const resent = Array.from({ length: 3 }, () => after.nextToResend())
    expect(resent.map((each) => [each?.packetIdentifier, each?.wasSent])).toEqual([
      [1, true],
      [3, true],
      [4, true]
    ])
    const next = delivery(1)
    after.add(next)
    expect([1, 2, 3, 4]).not.toContain(next.packetIdentifier)
  })

  it('given messages that no queue holds, or holds no longer, then they are kept from flight to acknowledgement, once', () => {
    let cutThrough = 0
    const kept: string[] = []
    const messages = {
      put: (packetIdentifier: number) => void kept.push(`put ${packetIdentifier}`),
      delete: (packetIdentifier: number) => void kept.push(`delete ${packetIdentifier}`)
    }
    const source = { group: undefined, finish() {}, holds: (sequence: number) => sequence > cutThrough }
    const inflight = new Inflight(messages)
    inflight.open(10)
    const retained = delivery(1)
    const [first, second, third] = [5, 6, 7].map((sequence) => new Delivery(message('t'), 2, false, [], sequence, source))
    for (const each of [retained, first, second, third]) if (each !== undefined) inflight.add(each)
    expect(kept).toEqual(['put 1'])
    cutThrough = 6
    expect(inflight.keepMessages()).toBe(true)
    expect(kept.splice(0)).toEqual(['put 1', 'put 2', 'put 3'])
    expect(inflight.keepMessages()).toBe(false)
    inflight.acknowledge(1, 1)
    inflight.receive(2)
    if (second !== undefined) inflight.withdraw(second)
    inflight.acknowledge(4, 2)
    expect(kept).toEqual(['delete 1', 'delete 2', 'delete 3'])
  })
})
