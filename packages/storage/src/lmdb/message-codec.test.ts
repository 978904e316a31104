import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageProperties } from '../suite/history-steps.ts'
import { fullMessage, message, plain } from '../suite/samples.ts'
import type { StoredMessage } from '../stored-message.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { readMessage, writeMessage } from './message-codec.ts'
import { StoreError } from './store-error.ts'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('', 'x'.repeat(43), 'ü'.repeat(42)))
const whole = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 127, 128, 65_535, 0xff_ff_ff_ff, Number.MAX_SAFE_INTEGER))
const time = fc.oneof(whole, fc.double({ noNaN: true }), fc.constant(Infinity))

const messages: fc.Arbitrary<StoredMessage> = fc.record({
  topicName: text,
  payload: fc.uint8Array({ maxLength: 200 }),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  properties: messageProperties(text, 130),
  publisherClientId: text,
  publishedAtMs: time,
  expiresAtMs: time
})

test('what is read is what was written, one message after another', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 4 }), (given) => {
      const reader = new ByteReader(encoded(given))
      expect(given.map(() => plain(readMessage(reader)))).toEqual(given.map(plain))
    })
  )
})

test('a message that ends anywhere too early is damaged', () => {
  const bytes = encoded([fullMessage('t/ü')])
  for (let length = 0; length < bytes.length; length++) {
    const read = (): unknown => readMessage(new ByteReader(bytes.subarray(0, length)))
    expect(read).toThrow(StoreError)
  }
})

test('bytes that were changed are a message or damaged, and never anything else', () => {
  const bytes = encoded([fullMessage('t/ü')])
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Uint8Array.from(bytes)
      changed[at] = value
      try {
        readMessage(new ByteReader(changed))
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError)
      }
    })
  )
})

test('a payload longer than the room there was is written whole', () => {
  const payload = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251)
  const read = readMessage(
    new ByteReader(encoded([message('t'), message('u', payload)]).subarray(encoded([message('t')]).length))
  )
  expect(plain(read)).toEqual(plain(message('u', payload)))
})

function encoded(given: readonly StoredMessage[]): Uint8Array {
  const writer = new ByteWriter()
  for (const each of given) writeMessage(writer, each)
  return writer.copy()
}
