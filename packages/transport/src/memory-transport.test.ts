import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryTransportPair, type MemoryTransport, type MemoryWire } from './memory-transport.ts'
import { pattern, Recorder } from './recorder.test.support.ts'

/** A network that carries nothing until the test says so. */
class ManualNetwork {
  readonly wires: MemoryWire[] = []
  readonly tasks: (() => void)[] = []
  readonly schedule = (task: () => void): void => void this.tasks.push(task)
  readonly carry = (wire: MemoryWire): void => void this.wires.push(wire)

  pair(writeBufferBytes = 65_536): [MemoryTransport, MemoryTransport] {
    return memoryTransportPair({ schedule: this.schedule, carry: this.carry, writeBufferBytes })
  }

  /** Carries one wire that waits. */
  carryOne(bytesMax?: number): number | undefined {
    return this.wires.shift()?.deliver(bytesMax)
  }

  runTasks(): void {
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task()
  }
}

describe('a pair in memory', () => {
  test('delivers nothing within the call that sends', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const there = Recorder.on(far)
    near.start(new Recorder())
    near.write(pattern(5))
    near.end()
    expect([there.receivedBytes, there.closes, near.bufferedBytes]).toEqual([0, [], 5])
    network.carryOne()
    expect([there.receivedBytes, there.closes, near.bufferedBytes]).toEqual([5, [], 0])
    network.carryOne()
    expect(there.closes).toEqual([])
    network.runTasks()
    expect(there.closes).toEqual([undefined])
  })

  test('copies: the sender may reuse its buffer at once', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const there = Recorder.on(far)
    const reused = Buffer.from([1, 2, 3])
    near.write(reused)
    reused.fill(9)
    near.write(reused.subarray(1))
    network.carryOne()
    expect(there.received).toEqual(Buffer.from([1, 2, 3, 9, 9]))
  })

  test('the network decides the cut: it splits and joins what was written, one delivery at a time', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const there = Recorder.on(far)
    for (let at = 0; at < 30; at += 10) near.write(pattern(10, at))
    expect(network.wires).toHaveLength(1)
    expect(network.wires[0]).toMatchObject({ waitingBytes: 30, sender: near, receiver: far })
    expect([network.carryOne(4), network.carryOne(14), network.carryOne(0), network.carryOne()]).toEqual([4, 14, 1, 11])
    expect(there.chunks.map((chunk) => chunk.length)).toEqual([4, 14, 1, 11])
    expect(there.received).toEqual(Buffer.from(pattern(30)))
    expect(network.wires).toEqual([])
  })

  test('whatever the cuts, delays and pauses, the stream is what was written', () => {
    const step = fc.oneof(
      fc.record({ write: fc.nat(300) }),
      fc.record({ carry: fc.nat(400) }),
      fc.constantFrom('pause' as const, 'resume' as const, 'cork' as const, 'uncork' as const)
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const network = new ManualNetwork()
        const [near, far] = network.pair(500)
        const here = Recorder.on(near)
        const there = Recorder.on(far)
        let written = 0
        let refused = 0
        for (const what of steps) {
          if (what === 'pause') far.pause()
          else if (what === 'resume') far.resume()
          else if (what === 'cork') near.cork()
          else if (what === 'uncork') near.uncork()
          else if ('carry' in what) network.carryOne(what.carry)
          else {
            if (!near.write(pattern(what.write, written))) refused++
            written += what.write
          }
          expect(near.bufferedBytes).toBe(written - there.receivedBytes)
        }
        near.end()
        far.resume()
        while (network.carryOne() !== undefined);
        network.runTasks()
        expect(there.received).toEqual(Buffer.from(pattern(written)))
        expect([here.closes, there.closes]).toEqual([[undefined], [undefined]])
        expect(here.drains).toBeLessThanOrEqual(refused)
      })
    )
  })

  test('write returns false from the bound on, and onDrain follows once, when all is taken', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair(100)
    const here = Recorder.on(near)
    Recorder.on(far)
    expect([near.write(pattern(99)), near.write(pattern(1)), near.write(pattern(1))]).toEqual([true, false, false])
    network.carryOne(100)
    expect([here.drains, near.bufferedBytes, near.write(pattern(1))]).toEqual([0, 1, false])
    network.carryOne()
    expect([here.drains, near.bufferedBytes, near.write(pattern(1))]).toEqual([1, 0, true])
  })

  test('a paused end takes nothing, even of a delivery that was under way', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const there = Recorder.on(far)
    near.write(pattern(3))
    far.pause()
    expect(network.carryOne()).toBe(0)
    near.end()
    expect(network.wires).toEqual([])
    far.resume()
    expect([network.carryOne(), network.carryOne()]).toEqual([3, 0])
    network.runTasks()
    expect(there.closes).toEqual([undefined])
  })

  test('a cut is an error without an end, here alone; what was under way may still arrive', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const here = Recorder.on(near)
    const there = Recorder.on(far)
    near.write(pattern(10))
    far.write(pattern(10))
    near.cut()
    expect(near.write(pattern(10))).toBe(false)
    network.carryOne(4)
    network.carryOne()
    network.carryOne()
    network.runTasks()
    expect(here.closes).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
    expect([here.receivedBytes, there.receivedBytes, there.closes]).toEqual([0, 10, []])
    far.cut(new Error('cable'))
    network.runTasks()
    expect(there.closes).toEqual([expect.objectContaining({ message: 'cable' })])
    expect(here.closes).toHaveLength(1)
  })

  test('destroy drops what is under way; the other end learns of it from the network', () => {
    const network = new ManualNetwork()
    const [near, far] = network.pair()
    const here = Recorder.on(near)
    const there = Recorder.on(far)
    near.write(pattern(10))
    near.destroy()
    network.runTasks()
    expect([here.closes, there.closes]).toEqual([[undefined], []])
    network.carryOne()
    network.runTasks()
    expect([there.receivedBytes, there.closes]).toEqual([0, [undefined]])
  })

  test('each end has its peer', () => {
    const peers = [
      { address: '192.0.2.1', port: 1, certificate: undefined },
      { address: '192.0.2.2', port: 2, certificate: undefined }
    ] as const
    expect(memoryTransportPair({ peers }).map((end) => [end.kind, end.peer])).toEqual(peers.map((peer) => ['memory', peer]))
  })
})
