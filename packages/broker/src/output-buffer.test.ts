import { memoryTransportPair, type Transport, type TransportReceiver } from '@godwit/transport'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutputBuffer, SlabPool } from './output-buffer.ts'

// fast-check prints its seed when a property fails.

const BY_REFERENCE_BYTES = 4096

/** A transport that keeps what it is given, as views: it takes them only when told to. */
class HoldingTransport implements Transport {
  readonly kind = 'memory'
  readonly peer = { address: '', port: 0, certificate: undefined }
  readonly taken: number[] = []
  readonly writes: Uint8Array[] = []
  corks = 0
  #held: Uint8Array[] = []

  get bufferedBytes(): number {
    return this.#held.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** The operating system takes everything, as it is in memory at this moment. */
  take(): void {
    for (const bytes of this.#held) for (const byte of bytes) this.taken.push(byte)
    this.#held = []
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes)
    this.#held.push(bytes)
    return false
  }

  cork(): void {
    this.corks++
  }

  uncork(): void {
    this.corks--
  }

  start(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** One that the operating system takes everything from at once. */
class SwiftTransport extends HoldingTransport {
  override write(bytes: Uint8Array): boolean {
    super.write(bytes)
    this.take()
    return true
  }
}

type Step =
  | { readonly kind: 'append' | 'write'; readonly buffer: number; readonly length: number; readonly reserved: number }
  | { readonly kind: 'flush' | 'take'; readonly buffer: number }

const BUFFERS = 3
const buffer = fc.nat(BUFFERS - 1)
const length = fc.oneof(
  fc.nat(20),
  fc.nat(2000),
  fc.constantFrom(0, 1, 1023, 1024, 1025, 4095, 4096, 4097, 8192, 65_535, 65_536, 65_537, 100_000)
)
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constantFrom('append', 'write'), buffer, length, reserved: fc.nat(10) })
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('flush', 'take'), buffer }) }
  ),
  { maxLength: 40, size: 'max' }
) satisfies fc.Arbitrary<Step[]>

describe('an output buffer', () => {
  it('given any writes of several connections on one pool, then each transport gets the same bytes in order, whenever it takes them', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.boolean(), { minLength: BUFFERS, maxLength: BUFFERS }), (history, areSwift) => {
        const pool = new SlabPool()
        const ends = areSwift.map((isSwift) => ({
          output: new OutputBuffer(pool),
          transport: isSwift ? new SwiftTransport() : new HoldingTransport(),
          expected: new Array<number>()
        }))
        let value = 0
        for (const step of history) {
          const end = ends[step.buffer]
          if (end === undefined) continue
          const { output, transport, expected } = end
          if (!('length' in step)) {
            if (step.kind === 'take') transport.take()
            else output.flush(transport)
          } else {
            const before = output.byteLength
            const bytes = Uint8Array.from({ length: step.length }, () => value++ & 0xff)
            if (step.kind === 'append') output.append(bytes)
            else {
              // As a packet is written whose length was estimated: fewer bytes than were asked for.
              output.slabFor(bytes.byteLength + step.reserved).set(bytes, output.offset)
              output.advance(bytes.byteLength)
            }
            for (const byte of bytes) expected.push(byte)
            expect(output.byteLength).toBe(before + bytes.byteLength)
          }
        }
        for (const { output, transport, expected } of ends) {
          output.flush(transport)
          transport.take()
          expect(Buffer.from(transport.taken).equals(Buffer.from(expected))).toBe(true)
          expect([output.byteLength, transport.corks]).toEqual([0, 0])
        }
      }),
      { numRuns: 60 }
    )
  })

  it('given that the transport has taken everything, then the slab is lent again; while it holds some, it is not', () => {
    const pool = new SlabPool()
    const output = new OutputBuffer(pool)
    const [swift, holding] = [new SwiftTransport(), new HoldingTransport()]
    const first = output.slabFor(10)
    output.advance(10)
    output.flush(swift)
    expect(output.slabFor(10)).toBe(first)
    output.advance(10)
    output.flush(holding)
    expect(output.slabFor(10)).not.toBe(first)
  })

  it.each([
    [BY_REFERENCE_BYTES - 1, false],
    [BY_REFERENCE_BYTES, true]
  ])('given %d bytes, then they are sent from where they are: %s', (length, isByReference) => {
    const output = new OutputBuffer(new SlabPool())
    const transport = new HoldingTransport()
    const bytes = new Uint8Array(length)
    output.append(Uint8Array.of(1))
    output.append(bytes)
    output.append(Uint8Array.of(2))
    output.flush(transport)
    expect(transport.writes.includes(bytes)).toBe(isByReference)
    expect(transport.writes).toHaveLength(isByReference ? 3 : 1)
  })

  it('given nothing to send, then nothing is written, and no slab is held', () => {
    const output = new OutputBuffer(new SlabPool())
    const transport = new HoldingTransport()
    expect(output.flush(transport)).toBe(true)
    expect(transport.writes).toEqual([])
  })

  it('given a transport in memory, then what arrives is what was written', async () => {
    const [ours, theirs] = memoryTransportPair()
    const arrived: Uint8Array[] = []
    const receiver: TransportReceiver = {
      onData: (chunk) => void arrived.push(new Uint8Array(chunk)),
      onDrain() {},
      onClose() {}
    }
    theirs.start(receiver)
    const output = new OutputBuffer(new SlabPool())
    const sent = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index & 0xff))
    for (let at = 0; at < sent.length; at += 700) output.append(sent.subarray(at, at + 700))
    output.flush(ours)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(Buffer.concat(arrived).equals(sent)).toBe(true)
  })
})
