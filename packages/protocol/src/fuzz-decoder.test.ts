import { expect, it } from 'vitest'
import { ReasonCode } from './reason-codes.ts'
import { fuzzDecoder } from './testing/fuzz-decoder.ts'

const CASES = 20_000

// For longer: `node --conditions=godwit-source packages/protocol/fuzz/fuzz-decoder.ts --seconds 60`.
it.each([1, Date.now() % 0x7fff_ffff])('whatever arrives, the decoder stands: seed %i', (seed) => {
  const { cases, packets, refusals } = fuzzDecoder({ seed, goOn: (done) => done < CASES / 2 })
  expect(cases).toBe(CASES / 2)
  // Tampering must leave enough alive and kill enough, or it would prove nothing.
  expect(packets).toBeGreaterThan(cases / 2)
  expect(refusals.get(ReasonCode.MalformedPacket)).toBeGreaterThan(cases / 50)
  expect(refusals.get(ReasonCode.ProtocolError)).toBeGreaterThan(cases / 50)
})
