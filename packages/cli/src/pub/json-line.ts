import type { PublishOptions } from '@godwit/client'
import type { UserProperty } from '@godwit/protocol'
import { Misuse } from '../misuse.ts'
import type { Publication } from './publication.ts'

/** What says how a message came, and is not published: a line may come from `sub --json`. */
const OF_THE_RECEIVER: ReadonlySet<string> = new Set(['bytes', 'dup', 'receivedAt', 'latencyMs', 'subscriptionIdentifiers'])

/**
 * The message that a line of JSON describes, in the fields of `sub --json`.
 *
 * @param number of the line, for what is wrong with it
 * @param usualTopic and `usual`: for what the line leaves out
 * @throws {Misuse}
 */
export function publicationOfJson(
  line: string,
  number: number,
  usualTopic: string | undefined,
  usual: PublishOptions
): Publication {
  const where = `line ${number} of standard input`
  const given = new Map(Object.entries(objectOf(where, parsed(where, line))))
  for (const name of OF_THE_RECEIVER) given.delete(name)
  const take = (name: string): unknown => {
    const value: unknown = given.get(name)
    given.delete(name)
    return value
  }
  const topic = take('topic') ?? usualTopic
  if (typeof topic !== 'string') throw new Misuse(`${where}: topic is missing, and there is no --topic for all`)
  const payload = payloadOf(where, take('payload'), take('payloadBase64'))
  const qos = take('qos') ?? usual.qos ?? 0
  if (qos !== 0 && qos !== 1 && qos !== 2) throw new Misuse(`${where}: qos is ${JSON.stringify(qos)}; accepted is 0, 1 or 2`)
  const retain = take('retain') ?? usual.retain ?? false
  if (typeof retain !== 'boolean') throw new Misuse(`${where}: retain is ${JSON.stringify(retain)}; accepted is true or false`)
  const properties = propertiesOf(where, take('properties'))
  const [unknown] = given.keys()
  if (unknown !== undefined) {
    throw new Misuse(`${where}: ${unknown} is not known; accepted is topic, payload, payloadBase64, qos, retain, properties`)
  }
  return { topic, payload, options: { ...usual, ...properties, qos, retain } }
}

function parsed(where: string, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new Misuse(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function objectOf(where: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Misuse(`${where} is not a JSON object`)
}

/** Text as it is, bytes as Base64, and any other JSON as JSON. */
function payloadOf(where: string, payload: unknown, base64: unknown): Publication['payload'] {
  if (base64 !== undefined) {
    if (payload !== undefined) throw new Misuse(`${where}: either payload or payloadBase64, not both`)
    return bytesOf(`${where}: payloadBase64`, base64)
  }
  if (payload === undefined) throw new Misuse(`${where}: payload is missing; "" is an empty one`)
  return typeof payload === 'string' ? payload : JSON.stringify(payload)
}

function bytesOf(what: string, base64: unknown): Buffer {
  if (typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return Buffer.from(base64, 'base64')
  throw new Misuse(`${what} is not Base64`)
}

function propertiesOf(where: string, value: unknown = {}): PublishOptions {
  const options: { -readonly [Name in keyof PublishOptions]: PublishOptions[Name] } = {}
  for (const [name, each] of Object.entries(objectOf(`${where}: properties`, value)) as Iterable<[string, unknown]>) {
    const what = `${where}: properties.${name}`
    switch (name) {
      case 'payloadFormatIndicator':
        options.isUtf8 = each === 1
        break
      case 'messageExpiryInterval':
        if (typeof each !== 'number') throw new Misuse(`${what} is not a number`)
        options.expirySeconds = each
        break
      case 'contentType':
        options.contentType = textOf(what, each)
        break
      case 'responseTopic':
        options.responseTopic = textOf(what, each)
        break
      case 'correlationDataBase64':
        options.correlationData = bytesOf(what, each)
        break
      case 'userProperties':
        options.userProperties = pairsOf(what, each)
        break
      default:
        throw new Misuse(`${what} is not known`)
    }
  }
  return options
}

function textOf(what: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new Misuse(`${what} is not text`)
}

function pairsOf(what: string, value: unknown): UserProperty[] {
  if (!Array.isArray(value)) throw new Misuse(`${what} is not a list of pairs`)
  return value.map((pair: unknown): UserProperty => {
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'string')
    if (isPair) return [String(pair[0]), String(pair[1])]
    throw new Misuse(`${what} is not a list of pairs of texts, as in [["name", "value"]]`)
  })
}
