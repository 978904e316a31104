import { describe, expect, test } from 'vitest'
import { separated } from './separated.ts'

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

async function pieces(...texts: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for await (const piece of separated(chunks(...texts), 0x0a)) found.push(piece.toString())
  return found
}

describe('the pieces of a stream', () => {
  test.each([
    [[], []],
    [['a\n'], ['a']],
    [['a'], ['a']],
    [['a\nb'], ['a', 'b']],
    [['\n\n'], ['', '']],
    [['a\r\n'], ['a\r']],
    [
      ['', 'a', '', 'b\nc', '\n', '\nd'],
      ['ab', 'c', '', 'd']
    ]
  ])('%j are %j', async (texts, expected) => {
    expect(await pieces(...texts)).toEqual(expected)
  })

  test('are the same however it is cut', async () => {
    const text = 'one\n\ntwo\nthree'
    const expected = ['one', '', 'two', 'three']
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        expect(await pieces(text.slice(0, first), text.slice(first, second), text.slice(second))).toEqual(expected)
      }
    }
  })

  test('are refused when no message can hold one', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024, 0x61)
    async function* endless(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from('first\n'))
      for (;;) yield large
    }
    const input = separated(endless(), 0x0a)
    expect(await input.next()).toEqual({ done: false, value: Buffer.from('first') })
    await expect(input.next()).rejects.toThrow('message 2 of standard input is longer than 268435455 bytes')
  })
})
