import { describe, expect, test } from 'vitest'
import { textMatching } from '../expectations.test.support.ts'
import type { PubFlags } from './pub-flags.ts'
import { publicationsOf } from './publications.ts'

const options = { qos: 0, retain: false } as const

async function* input(text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text))
}

/** Topics and payloads that arguments, flags and standard input come to. */
async function published(
  args: readonly string[],
  flags: PubFlags,
  stdin = '',
  repeat = 1,
  inUrls: readonly string[] = []
): Promise<string[]> {
  const all: string[] = []
  const publications = await publicationsOf(args, flags, inUrls, options, repeat, input(stdin))
  for await (const { topic, payload } of publications) all.push(`${topic} ${payload.toString()}`)
  return all
}

describe('what is published', () => {
  const cases: readonly (readonly [args: readonly string[], flags: PubFlags, stdin: string, expected: readonly unknown[]])[] = [
    [['t', 'x'], {}, '', ['t x']],
    [[], { topic: 't', message: 'x' }, '', ['t x']],
    [['x'], { topic: 'x', message: '' }, '', ['x ']],
    [['t'], { nullMessage: true }, '', ['t ']],
    [['t'], { stdinFile: true }, 'a\nb\n', ['t a\nb\n']],
    [['t'], { file: import.meta.filename }, '', [textMatching(/^t import/)]],
    [['t'], { stdinLine: true }, 'a\n\nb', ['t a', 't ', 't b']],
    [['t'], { stdinNull: true }, 'a\nb\0c\0', ['t a\nb', 't c']],
    [['t'], { jsonLines: true }, '{"payload":1}\n\n{"topic":"u","payload":"2"}\n', ['t 1', 'u 2']],
    // Delivers what is stored.
    [[], { outbox: 'x' }, '', []]
  ]
  test.each(cases)('%j %j %j', async (args, flags, stdin, expected) => {
    expect(await published(args, flags, stdin)).toEqual(expected)
  })

  test('a topic may come from a URL, and a message may be repeated', async () => {
    expect(await published([], { message: 'x' }, '', 3, ['u'])).toEqual(['u x', 'u x', 'u x'])
  })
})

describe('what is refused', () => {
  const cases: readonly (readonly [args: readonly string[], flags: PubFlags, message: string])[] = [
    [[], { message: 'x' }, 'the topic is missing'],
    [['t'], {}, 'the payload is missing'],
    [['t'], { outbox: 'x' }, 'the payload is missing'],
    [[], { stdinLine: true }, 'the topic is missing'],
    [['t'], { topic: 'u', message: 'x' }, 'there is one topic to publish to, not "t" and "u"'],
    [
      ['t/+', 'x'],
      {},
      'the topic is "t/+": a Topic Name must not contain the wildcards + and #; they are for those who subscribe'
    ],
    [['', 'x'], {}, 'the topic is "": a Topic Name must have at least one character'],
    [['t', 'x'], { message: 'y' }, 'there is one payload'],
    [['t'], { message: 'y', nullMessage: true }, 'there is one payload'],
    [['t', 'x'], { stdinLine: true }, '--stdin-line, --stdin-null and --json-lines go without another payload'],
    [['t'], { stdinLine: true, stdinNull: true }, '--stdin-line, --stdin-null and --json-lines go without another payload'],
    [['t'], { stdinLine: true, repeat: '2' }, '--repeat is for a single message'],
    [['t'], { file: '/none' }, '--file is "/none", which cannot be read: there is no such file']
  ]
  test.each(cases)('%j %j', async (args, flags, message) => {
    await expect(published(args, flags)).rejects.toThrow(message)
  })
})
