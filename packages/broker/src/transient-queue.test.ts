import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FateLedger } from './fates.ts'
import { Delivery } from './inflight.ts'
import { message } from './samples.test.support.ts'
import { SharedBound } from './shared-bound.ts'
import { TransientQueue } from './transient-queue.ts'

// fast-check prints its seed when a property fails.

function delivery(payloadBytes: number): Delivery {
  return new Delivery(message('t', { payload: new Uint8Array(payloadBytes) }), 1, false, [], 0, undefined)
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.constant({ push: undefined }) }
)

describe('a queue in memory', () => {
  it('given any history, then it is a list that loses its oldest beyond a bound, and counts them', () => {
    const bounds = fc.record({ messagesMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 500 }) })
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 200, size: 'max' }), ({ messagesMax, bytesMax }, steps) => {
        const fates = new FateLedger(0, () => 0)
        const bound = new SharedBound(bytesMax, Infinity, 0)
        const queue = new TransientQueue(messagesMax, bound, fates, 'owner')
        const model: Delivery[] = []
        let dropped = 0
        const bytes = () => model.reduce((sum, each) => sum + each.message.byteLength, 0)
        for (const { push } of steps) {
          if (push === undefined) expect(queue.shift()).toBe(model.shift())
          else {
            const pushed = delivery(push)
            queue.push(pushed)
            model.push(pushed)
            while (model.length > messagesMax || (bytes() > bytesMax && model.length > 1)) {
              model.shift()
              dropped++
            }
          }
          expect([queue.length, queue.peek(), bound.held]).toEqual([model.length, model[0], bytes()])
          expect(fates.count('queue-full')).toBe(dropped)
        }
        while (model.length > 0) expect(queue.shift()).toBe(model.shift())
        expect([queue.shift(), queue.length, bound.held]).toEqual([undefined, 0, 0])
      }),
      { numRuns: 300 }
    )
  })

  it('given a message larger than the bound, then it is kept alone', () => {
    const fates = new FateLedger(10, () => 5)
    const queue = new TransientQueue(10, new SharedBound(50, Infinity, 0), fates, 'owner')
    queue.push(delivery(10))
    queue.push(delivery(1000))
    expect([queue.length, fates.count('queue-full')]).toEqual([1, 1])
    const reason = 'limits.transientQueuedBytesMax or limits.transientQueuesBytesMax'
    expect(fates.recent()).toEqual([
      { fate: 'queue-full', topicName: 't', clientId: 'owner', payloadBytes: 10, count: 1, atMs: 5, reason }
    ])
  })

  it('given that all queues together hold too much, then one that grows is held to a sixteenth of its own bound', () => {
    const fates = new FateLedger(0, () => 0)
    const bound = new SharedBound(1600, 2000, 0)
    const [first, second] = [new TransientQueue(1000, bound, fates, 'first'), new TransientQueue(1000, bound, fates, 'second')]
    for (let count = 0; count < 15; count++) first.push(delivery(99))
    for (let count = 0; count < 15; count++) second.push(delivery(99))
    expect(second.length).toBeLessThan(15)
    expect(bound.held).toBeLessThanOrEqual(2000 + 100)
    expect(first.length + second.length + fates.count('queue-full')).toBe(30)
  })

  it('given that a message waits, then it does not hold on to the chunk that it came in', () => {
    const chunk = Buffer.alloc(64)
    const queue = new TransientQueue(10, new SharedBound(1000, Infinity, 0), new FateLedger(0, () => 0), 'owner')
    const waiting = new Delivery(message('t', { payload: chunk.subarray(10, 20) }), 1, false, [], 0, undefined)
    queue.push(waiting)
    chunk.fill(1)
    expect(waiting.message.payload).toEqual(Buffer.alloc(10))
  })
})
