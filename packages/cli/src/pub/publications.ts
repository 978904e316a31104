import { buffer } from 'node:stream/consumers'
import type { PublishOptions } from '@godwit/client'
import { hasWildcard, validateTopicName } from '@godwit/protocol'
import { readNamedFile } from '../connection/read-file.ts'
import { Misuse } from '../misuse.ts'
import { publicationOfJson } from './json-line.ts'
import type { MessageFlags, PubFlags } from './pub-flags.ts'
import type { Publication } from './publication.ts'
import { separated } from './separated.ts'

const NEWLINE = 0x0a
const NULL = 0x00

export const TOPIC_MISSING = 'the topic is missing: the first argument, or --topic'
/** To be completed with the last ways to give one. */
export const PAYLOAD_MISSING = 'the payload is missing: the second argument, --message, --file, --stdin-file'

/**
 * The topic that an argument, `--topic` or a URL names; undefined: none does.
 *
 * @throws {Misuse} for several, or one that nothing can be published to
 */
export function topicOf(argument: string | undefined, { topic }: MessageFlags, inUrls: readonly string[]): string | undefined {
  const named = [...new Set([argument, topic, ...inUrls].filter((each) => each !== undefined))]
  const [found] = named
  const several = named.map((each) => JSON.stringify(each)).join(' and ')
  if (named.length > 1) throw new Misuse(`there is one topic to publish to, not ${several}`)
  if (found === undefined) return undefined
  const reason = validateTopicName(found)
  if (reason === undefined) return found
  const hint = hasWildcard(found) ? '; they are for those who subscribe' : ''
  throw new Misuse(`the topic is ${JSON.stringify(found)}: ${reason}${hint}`)
}

/**
 * The one payload that an argument or flags give; undefined: none.
 *
 * @param input standard input
 * @throws {Misuse} for several
 */
export async function payloadOf(
  argument: string | undefined,
  { message, file, stdinFile, nullMessage }: MessageFlags,
  input: AsyncIterable<Buffer>
): Promise<string | Buffer | undefined> {
  const given = [argument, message, file, stdinFile, nullMessage].filter((each) => each !== undefined)
  if (given.length > 1) throw new Misuse('there is one payload: an argument, --message, --file, --stdin-file or --null-message')
  if (file !== undefined) return readNamedFile('--file', file)
  if (stdinFile === true) return buffer(input)
  if (nullMessage === true) return ''
  return argument ?? message
}

/**
 * The messages that arguments and flags say, as they come.
 *
 * @param options for all of them
 * @param repeat how often a single message comes
 * @throws {Misuse} if they do not say which
 */
export async function publicationsOf(
  [topicArgument, payloadArgument]: readonly string[],
  flags: PubFlags,
  inUrls: readonly string[],
  options: PublishOptions,
  repeat: number,
  input: AsyncIterable<Buffer>
): Promise<AsyncIterable<Publication> | Iterable<Publication>> {
  const topic = topicOf(topicArgument, flags, inUrls)
  const { stdinLine, stdinNull, jsonLines, outbox } = flags
  const streams = [stdinLine, stdinNull, jsonLines].filter((each) => each === true).length
  const payload = streams === 0 ? await payloadOf(payloadArgument, flags, input) : undefined
  if (streams > 0) {
    const { message, file, stdinFile, nullMessage } = flags
    const others = [payloadArgument, message, file, stdinFile, nullMessage].filter((each) => each !== undefined).length
    if (streams + others > 1) throw new Misuse('--stdin-line, --stdin-null and --json-lines go without another payload')
    if (flags.repeat !== undefined) throw new Misuse('--repeat is for a single message')
    if (jsonLines === true) return publicationsOfJson(input, topic, options)
  }
  // Without either: to deliver what an earlier call has stored.
  if (topic === undefined && streams === 0 && payload === undefined && outbox !== undefined) return []
  if (topic === undefined) throw new Misuse(TOPIC_MISSING)
  if (streams > 0) return piecesOf(input, stdinNull === true ? NULL : NEWLINE, topic, options)
  if (payload === undefined) throw new Misuse(`${PAYLOAD_MISSING}, --null-message or --stdin-line`)
  return repeated({ topic, payload, options }, repeat)
}

function* repeated(publication: Publication, count: number): Generator<Publication> {
  for (let number = 0; number < count; number++) yield publication
}

async function* piecesOf(
  input: AsyncIterable<Buffer>,
  separator: number,
  topic: string,
  options: PublishOptions
): AsyncGenerator<Publication> {
  for await (const payload of separated(input, separator)) yield { topic, payload, options }
}

async function* publicationsOfJson(
  input: AsyncIterable<Buffer>,
  topic: string | undefined,
  options: PublishOptions
): AsyncGenerator<Publication> {
  let number = 0
  for await (const line of separated(input, NEWLINE)) {
    number++
    if (line.length > 0) yield publicationOfJson(line.toString(), number, topic, options)
  }
}
