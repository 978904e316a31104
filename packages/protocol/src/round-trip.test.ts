import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePacket } from './encode-packet.ts'
import { arbitraryPacket, arbitraryPackets } from './testing/arbitraries.ts'
import { concat } from './testing/bytes.ts'
import { byteByByte, connectionFor, decodeChunks, decodeOne } from './testing/decode.ts'

// fast-check prints its seed when a property fails.

describe('what is encoded is decoded to the same packet', () => {
  it.each(Object.entries(arbitraryPackets))('%s', (_title, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ({ packet, protocolVersion }) => {
        const encoded = encodePacket(packet, protocolVersion)
        expect(decodeOne(connectionFor(packet, protocolVersion), encoded)).toEqual({ packets: [packet] })
      }),
      { numRuns: 300 }
    )
  })
})

describe('whatever becomes of the bytes', () => {
  const encodedPacket = arbitraryPacket.map(({ packet, protocolVersion }) => ({
    connection: connectionFor(packet, protocolVersion),
    packet,
    encoded: encodePacket(packet, protocolVersion)
  }))

  it('any chunks give the same packets', () => {
    fc.assert(
      fc.property(encodedPacket, fc.array(fc.nat(), { maxLength: 5 }), ({ connection, packet, encoded }, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (encoded.length + 1)), encoded.length].toSorted((a, b) => a - b)
        const chunks = places.slice(1).map((end, index) => encoded.slice(places[index], end))
        expect(decodeChunks(connection, chunks)).toEqual({ packets: [packet] })
      }),
      { numRuns: 500 }
    )
  })

  it('any truncation needs more bytes', () => {
    fc.assert(
      fc.property(encodedPacket, fc.nat(), ({ connection, encoded }, cut) => {
        expect(decodeOne(connection, encoded.slice(0, cut % encoded.length))).toEqual({ packets: [] })
      }),
      { numRuns: 500 }
    )
  })

  it('any corrupted byte gives a packet, needs more bytes, or is an MqttError, in one chunk as in many', () => {
    fc.assert(
      fc.property(encodedPacket, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ connection, encoded }, at, change) => {
        const corrupted = encoded.slice()
        const place = at % corrupted.length
        corrupted[place] = (corrupted[place] ?? 0) ^ change
        const outcome = decodeOne(connection, corrupted)
        if (corrupted.length < 2000) expect(decodeChunks(connection, byteByByte(corrupted))).toEqual(outcome)
        // What stands behind the packet plays no part in it.
        const surrounded = concat(new Uint8Array(3).fill(0xff), corrupted, new Uint8Array(3).fill(0xff))
        expect(decodeOne(connection, surrounded.subarray(3, 3 + corrupted.length))).toEqual(outcome)
      }),
      { numRuns: 1000 }
    )
  })
})
