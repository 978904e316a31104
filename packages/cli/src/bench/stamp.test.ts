import { describe, expect, test } from 'vitest'
import { STAMP_BYTES, StampReader, StampWriter } from './stamp.ts'

const RUN = 0xdead_beef

describe.each([STAMP_BYTES, STAMP_BYTES + 1, 64, 1_000])('a payload of %i bytes', (bytes) => {
  test('says who sent it, as which message, and when', () => {
    const reader = new StampReader(RUN, bytes)
    for (const publisher of [0, 1, 255, 256, 999_999]) {
      const writer = new StampWriter(RUN, publisher, bytes)
      for (const sequence of [0, 1, 2 ** 32, 2 ** 40]) {
        const payload = writer.write(sequence, 1_795_000_000_000.125)
        expect(payload.byteLength).toBe(bytes)
        expect(reader.read(payload)).toBe('ours')
        expect([reader.publisher, reader.sequence, reader.sentAtMs]).toEqual([publisher, sequence, 1_795_000_000_000.125])
      }
    }
  })

  test('is damaged if any bit of it is another', () => {
    const payload = new StampWriter(RUN, 7, bytes).write(12_345, 1_795_000_000_000)
    const reader = new StampReader(RUN, bytes)
    for (let bit = 0; bit < bytes * 8; bit++) {
      const changed = new Uint8Array(payload)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(reader.read(changed), `bit ${bit}`).toBe('damaged')
    }
  })

  test('is damaged if it is cut, or longer', () => {
    const payload = new StampWriter(RUN, 7, bytes).write(1, 1)
    const reader = new StampReader(RUN, bytes)
    for (let length = 0; length < bytes; length++) {
      expect(reader.read(payload.subarray(0, length)), `${length} bytes`).toBe('damaged')
    }
    expect(reader.read(Uint8Array.from([...payload, 0]))).toBe('damaged')
  })

  test('of another run is foreign', () => {
    const payload = new StampWriter(RUN + 1, 7, bytes).write(1, 1)
    expect(new StampReader(RUN, bytes).read(payload)).toBe('foreign')
  })
})

test("a payload with the filler of another publisher's is damaged", () => {
  const payload = new Uint8Array(new StampWriter(RUN, 7, 64).write(1, 1))
  payload.set(new StampWriter(RUN, 8, 64).write(1, 1).subarray(STAMP_BYTES), STAMP_BYTES)
  expect(new StampReader(RUN, 64).read(payload)).toBe('damaged')
})
