import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteRingReader, ByteRingWriter, makeByteRing } from './byte-ring.ts'

interface Item {
  readonly kind: number
  readonly connection: number
  readonly bytes: readonly number[]
}

class Ends {
  readonly writer: ByteRingWriter
  readonly reader: ByteRingReader
  readonly received: Item[] = []
  wakes = 0
  roomsMade = 0

  constructor(capacityBytes: number) {
    const ring = makeByteRing(capacityBytes)
    this.writer = new ByteRingWriter(ring, () => this.wakes++)
    this.reader = new ByteRingReader(ring, () => this.roomsMade++)
  }

  append({ kind, connection, bytes }: Item): boolean {
    return this.writer.append(kind, connection, Uint8Array.from(bytes))
  }

  read(): Item[] {
    const items: Item[] = []
    this.reader.read((kind, connection, payload) => items.push({ kind, connection, bytes: [...payload] }))
    this.received.push(...items)
    return items
  }
}

function item(length: number, kind = 1, connection = 0): Item {
  return { kind, connection, bytes: Array.from({ length }, (_, index) => (index * 7 + length) & 0xff) }
}

describe('a ring of bytes', () => {
  test('carries nothing before it is published', () => {
    const ends = new Ends(64)
    ends.append(item(3))
    expect(ends.read()).toEqual([])
    ends.writer.publish()
    expect(ends.read()).toEqual([item(3)])
    expect(ends.read()).toEqual([])
  })

  test.each([0, 1, 7, 8, 9, 15, 16])('carries records of %i bytes past its end', (length) => {
    const ends = new Ends(64)
    for (let round = 0; round < 40; round++) {
      expect(ends.append(item(length, 255, round - 20))).toBe(true)
      ends.writer.publish()
      expect(ends.read()).toEqual([item(length, 255, round - 20)])
    }
  })

  test('takes the longest payload when it is empty, wherever its positions are', () => {
    for (let before = 0; before < 8; before++) {
      const ends = new Ends(64)
      for (let count = 0; count < before; count++) {
        ends.append(item(0))
        ends.writer.publish()
        ends.read()
      }
      expect(ends.append(item(ends.writer.payloadBytesMax))).toBe(true)
      ends.writer.publish()
      expect(ends.read()).toEqual([item(16)])
    }
  })

  test('refuses what does not fit, and takes it after a read', () => {
    const ends = new Ends(64)
    expect([1, 2, 3, 4].map((kind) => ends.append(item(8, kind)))).toEqual([true, true, true, true])
    expect(ends.append(item(0, 5))).toBe(false)
    ends.writer.publish()
    ends.read()
    expect(ends.append(item(8, 5))).toBe(true)
  })

  test('hands over copies: what is written later does not change them', () => {
    const ends = new Ends(64)
    const kept: Buffer[] = []
    for (let round = 0; round < 10; round++) {
      ends.append(item(16, 1, round))
      ends.writer.publish()
      ends.reader.read((_kind, _connection, payload) => kept.push(payload))
    }
    expect(kept.map((payload) => [...payload])).toEqual(kept.map(() => item(16).bytes))
  })

  test('wakes a reader that sleeps, once', () => {
    const ends = new Ends(64)
    ends.append(item(1))
    ends.writer.publish()
    expect(ends.wakes).toBe(0)
    expect(ends.reader.sleep()).toBe(false)
    ends.read()
    expect(ends.reader.sleep()).toBe(true)
    ends.writer.publish()
    expect(ends.wakes).toBe(0)
    for (let count = 0; count < 2; count++) {
      ends.append(item(1))
      ends.writer.publish()
    }
    expect(ends.wakes).toBe(1)
  })

  test('tells of room once it was asked for, when it is made', () => {
    const ends = new Ends(64)
    while (ends.append(item(8)));
    ends.writer.askForRoom()
    expect(ends.roomsMade).toBe(0)
    ends.read()
    expect(ends.roomsMade).toBe(1)
    ends.append(item(8))
    ends.writer.publish()
    ends.read()
    expect(ends.roomsMade).toBe(1)
  })

  test('counts past 2^32 bytes', () => {
    const ends = new Ends(1 << 25)
    const large = { ...item(0), bytes: [] }
    const payload = new Uint8Array(ends.writer.payloadBytesMax)
    let carriedBytes = 0
    let records = 0
    for (let round = 0; carriedBytes < 2 ** 32 + 2 ** 26; round++) {
      payload[0] = round & 0xff
      expect(ends.writer.append(1, round, payload)).toBe(true)
      ends.append(large)
      ends.writer.publish()
      ends.reader.read((_kind, connection, { length, [0]: first }) => {
        if (length === 0) return
        records++
        if (connection !== round || first !== (round & 0xff)) throw new Error(`round ${round} brought ${connection}`)
      })
      carriedBytes += payload.length
      expect(records).toBe(round + 1)
    }
  })

  test('keeps records whole and in order, however they are written and read', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.integer({ min: 1, max: 255 }),
        connection: fc.integer({ min: 0, max: 0x7fff_ffff }),
        bytes: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 64 })
      }),
      fc.constant('publish' as const),
      fc.constant('read' as const)
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.constantFrom(256, 512, 1024), (steps, capacityBytes) => {
        const ends = new Ends(capacityBytes)
        const written: Item[] = []
        for (const each of steps) {
          if (each === 'publish') ends.writer.publish()
          else if (each === 'read') ends.read()
          else if (ends.append(each)) written.push(each)
          else {
            // Full: nothing is lost, and reading makes room.
            ends.writer.publish()
            ends.read()
            expect(ends.append(each)).toBe(true)
            written.push(each)
          }
        }
        ends.writer.publish()
        ends.read()
        expect(ends.received).toEqual(written)
      })
    )
  })

  test('carries everything between two threads, one of which stands still when it is full', async () => {
    const records = 200_000
    const ring = makeByteRing(4096)
    const worker = new Worker(new URL('byte-ring.test.worker.ts', import.meta.url), { workerData: { ring, records } })
    const reader = new ByteRingReader(ring, () => undefined)
    let received = 0
    const { promise: done, resolve, reject } = Promise.withResolvers<unknown>()
    const read = (): void => {
      reader.read((kind, connection, payload) => {
        const isAsWritten = kind === 1 + (received % 255) && connection === received && payload.length === received % 700
        if (!isAsWritten || payload.some((byte) => byte !== (received & 0xff))) reject(new Error(`record ${received} is wrong`))
        received++
      })
      if (received === records) resolve(undefined)
      else if (!reader.sleep()) setImmediate(read)
    }
    worker.on('message', read)
    read()
    await done
    await worker.terminate()
    expect(received).toBe(records)
  })
})
