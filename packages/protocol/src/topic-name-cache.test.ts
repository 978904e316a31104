import { expect, it } from 'vitest'
import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'
import { TopicNameCache } from './topic-name-cache.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function decodeWith(cache: TopicNameCache, text: string): string {
  const encoded = encode(`/${text}/`)
  return cache.decode(encoded, 1, encoded.length - 1)
}

it('gives each name as it is, however many take turns', () => {
  const cache = new TopicNameCache()
  const names = Array.from({ length: 300 }, (_, index) => `device/${index % 7}/ü/${index}`)
  // Same length and same last characters, so that they fall on each other.
  names.push('ab/x/c', 'ba/x/c', 'x', 'y', 'xy', 'n'.repeat(256), 'n'.repeat(257), `m${'n'.repeat(256)}`)
  for (let round = 0; round < 3; round++) {
    for (const name of names) {
      expect(decodeWith(cache, name)).toBe(name)
      expect(decodeWith(cache, name)).toBe(name)
    }
  }
})

it.each([
  ['a Uint8Array', encode('a/b')],
  ['a Buffer', Buffer.from('a/b')]
])('keeps no hold of the chunk that a name came in: %s', (_title, chunk) => {
  const cache = new TopicNameCache()
  expect(cache.decode(chunk, 0, 3)).toBe('a/b')
  chunk.fill(0x78)
  expect(cache.decode(encode('a/b'), 0, 3)).toBe('a/b')
  expect(cache.decode(chunk, 0, 3)).toBe('xxx')
})

it.each(['a/+', '#', 'n'.repeat(300) + '+'])('[5.0 MQTT-3.3.2-2] [3.1.1 MQTT-3.3.2-2] refuses %j each time', (name) => {
  const cache = new TopicNameCache()
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(() => decodeWith(cache, name)).toThrow(MqttError)
    expect(() => decodeWith(cache, name)).toThrow(expect.objectContaining({ reasonCode: ReasonCode.TopicNameInvalid }))
  }
})
