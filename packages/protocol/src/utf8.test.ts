import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'
import { bytes } from './testing/bytes.ts'
import * as browser from './utf8-browser.ts'
import { encodeUtf8 } from './utf8-encode.ts'
import * as node from './utf8-node.ts'

const LONG = 'x'.repeat(100)

describe.each([
  ['Node', node.decodeUtf8],
  ['browsers', browser.decodeUtf8]
])('decodeUtf8 in %s', (_title, decodeUtf8) => {
  it.each([
    ['the empty string', '', ''],
    ['ASCII', "'a/b'", 'a/b'],
    ['long ASCII', `'${LONG}'`, LONG],
    ['U+0001 and U+007F', '01 7f', '\u0001\u007f'],
    ['the first and the last of two bytes', 'c280 dfbf', '\u0080\u07ff'],
    ['the first and the last of three bytes', 'e0a080 efbfbf', '\u0800\uffff'],
    ['the characters next to the surrogates', 'ed9fbf ee8080', '\ud7ff\ue000'],
    ['the first and the last of four bytes', 'f0908080 f48fbfbf', '\u{10000}\u{10ffff}'],
    ['[5.0 MQTT-1.5.4-3] [3.1.1 MQTT-1.5.3-3] U+FEFF at the start', "efbbbf 'a'", '\ufeffa'],
    ['[5.0 MQTT-1.5.4-3] [3.1.1 MQTT-1.5.3-3] U+FEFF by itself and twice', 'efbbbf efbbbf', '\ufeff\ufeff'],
    ['long text of several scripts', `'${LONG}ü水😀'`, `${LONG}ü水😀`]
  ])('keeps %s', (_title, notation, text) => {
    const encoded = bytes(`ff ${notation} ff`)
    expect(decodeUtf8(encoded, 1, encoded.length - 1)).toBe(text)
    expect(decodeUtf8(encoded.subarray(1), 0, encoded.length - 2)).toBe(text)
  })

  it.each([
    ['[5.0 MQTT-1.5.4-2] [3.1.1 MQTT-1.5.3-2] U+0000', "'a' 00"],
    ['U+0000 in long ASCII', `'${LONG}' 00`],
    ['U+0000 among other characters', 'c3bc 00'],
    ['U+0000 in an overlong form', 'c080'],
    ['an overlong slash of two bytes', 'c0af'],
    ['an overlong slash of three bytes', 'e080af'],
    ['an overlong slash of four bytes', 'f08080af'],
    ['[5.0 MQTT-1.5.4-1] [3.1.1 MQTT-1.5.3-1] the first surrogate', 'eda080'],
    ['[5.0 MQTT-1.5.4-1] [3.1.1 MQTT-1.5.3-1] the last surrogate', 'edbfbf'],
    ['a surrogate pair', 'eda0bd edb880'],
    ['a character above U+10FFFF', 'f4908080'],
    ['five bytes', 'f888808080'],
    ['a continuation byte by itself', '80'],
    ['a character that is cut off', 'e6b0'],
    ['a character that is cut off by another', "c3 'a'"],
    ['FE and FF', 'fe ff'],
    ['long text that ends badly', `'${LONG}' c3`]
  ])('refuses %s', (_title, notation) => {
    const encoded = bytes(notation)
    expect(() => decodeUtf8(encoded, 0, encoded.length)).toThrow(MqttError)
    expect(() => decodeUtf8(encoded, 0, encoded.length)).toThrow(
      expect.objectContaining({ reasonCode: ReasonCode.MalformedPacket })
    )
  })

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (any) => {
        const text = any.replaceAll('\0', '')
        const target = new Uint8Array(text.length * 3 + 2)
        const end = encodeUtf8(text, target, 1)
        expect(target.subarray(1, end)).toEqual(new TextEncoder().encode(text))
        expect(decodeUtf8(target, 1, end)).toBe(text)
      })
    )
  })
})

it('the two decoders agree on any bytes', () => {
  const outcome = (decodeUtf8: typeof node.decodeUtf8, encoded: Uint8Array): string | undefined => {
    try {
      return decodeUtf8(encoded, 0, encoded.length)
    } catch (error) {
      if (error instanceof MqttError) return undefined
      throw error
    }
  }
  const byte = fc.oneof(fc.constantFrom(0, 0x61, 0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), (content) => {
      const encoded = Uint8Array.from(content)
      expect(outcome(browser.decodeUtf8, encoded)).toBe(outcome(node.decodeUtf8, encoded))
    }),
    { numRuns: 2000 }
  )
})

describe('encodeUtf8', () => {
  it.each([
    ['[5.0 MQTT-1.5.4-2] U+0000', 'a\0'],
    ['[5.0 MQTT-1.5.4-1] half a surrogate pair', '\ud83d'],
    ['the other half', 'a\ude00b'],
    ['U+0000 in long text', `${LONG}\0`]
  ])('refuses %s', (_title, text) => {
    expect(() => encodeUtf8(text, new Uint8Array(1000), 0)).toThrow(RangeError)
  })
})

it('nothing but utf8-node.ts depends on Node', () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('testing')
  )
  expect(sources.length).toBeGreaterThan(30)
  const dependent = sources.filter((path) =>
    /\bBuffer[.(]|\bprocess\.|'node:/.test(readFileSync(`${import.meta.dirname}/${path}`, 'utf8'))
  )
  expect(dependent).toEqual(['utf8-node.ts'])
})
