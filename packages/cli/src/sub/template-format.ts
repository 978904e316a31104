import { isUtf8 } from 'node:buffer'
import { Misuse } from '../misuse.ts'
import { latencyMsOf, type ShownMessage } from './shown-message.ts'
import { isoTime, isoTimeMicroseconds, TIME_LETTERS, timePart, unixTime } from './time-parts.ts'

type Piece = (message: ShownMessage) => string | Uint8Array

interface Parameter {
  readonly value: Piece
  /** Filled up with 0 where asked for. */
  readonly zeros?: boolean
  /** Cut to a maximum width where asked for. */
  readonly cut?: boolean
  /** As it is, without width. */
  readonly fixed?: boolean
}

/** The parameters of mosquitto_sub, and %L. */
const PARAMETERS: Readonly<Record<string, Parameter>> = {
  C: { value: ({ properties }) => properties.contentType ?? '', cut: true },
  D: { value: ({ properties }) => properties.correlationData ?? '', fixed: true },
  E: { value: ({ properties }) => `${properties.messageExpiryInterval ?? ''}`, zeros: true },
  F: { value: ({ properties }) => `${properties.payloadFormatIndicator ?? ''}`, zeros: true },
  I: { value: ({ receivedAtMs }) => isoTime(receivedAtMs), cut: true },
  l: { value: ({ payload }) => `${payload.byteLength}`, zeros: true },
  L: { value: (message) => latencyMsOf(message)?.toFixed(3) ?? '', zeros: true },
  p: { value: ({ payload }) => payload },
  P: {
    value: ({ properties }) => (properties.userProperties ?? []).map(([name, value]) => `${name}:${value}`).join(' '),
    fixed: true
  },
  q: { value: ({ qos }) => `${qos}`, fixed: true },
  r: { value: ({ retain }) => (retain ? '1' : '0'), fixed: true },
  R: { value: ({ properties }) => properties.responseTopic ?? '', cut: true },
  S: { value: ({ subscriptionIdentifiers }) => subscriptionIdentifiers.join(','), zeros: true },
  t: { value: ({ topic }) => topic, cut: true },
  U: { value: ({ receivedAtMs }) => unixTime(receivedAtMs), fixed: true },
  x: { value: ({ payload }) => hexadecimal(payload), zeros: true },
  X: { value: ({ payload }) => hexadecimal(payload).toUpperCase(), zeros: true }
}

/** mosquitto_sub has these as well. */
const NOT_TOLD: Readonly<Record<string, string>> = {
  A: 'the Topic Alias',
  m: 'the Packet Identifier'
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v'
}

/**
 * What a template of mosquitto_sub's `-F` makes of a message: % for what is of the message, @ for the time of its arrival, \ for characters
 * that are hard to type.
 *
 * @param isPretty JSON on several lines
 * @param complain told of a payload that was to be JSON and is not
 * @throws {Misuse} for what a template cannot hold
 */
export function templateFormat(
  template: string,
  isPretty: boolean,
  newline: string,
  complain: (what: string) => void
): (message: ShownMessage) => Uint8Array {
  const pieces = [...piecesOf(template, isPretty ? 2 : undefined, complain)]
  return (message) => {
    const parts = pieces.map((piece) => {
      const part = typeof piece === 'string' ? piece : piece(message)
      return typeof part === 'string' ? Buffer.from(part) : part
    })
    return Buffer.concat([...parts, Buffer.from(newline)])
  }
}

function* piecesOf(template: string, indent: number | undefined, complain: (what: string) => void): Generator<string | Piece> {
  const sequence = /%([-0]*)(\d*)(?:\.(\d+))?(.)?|@(.)?|\\(.)?|[^%@\\]+/gsu
  for (const match of template.matchAll(sequence)) {
    const [text, flags = '', width = '', maximum, parameter, time, escape] = match
    if (text.startsWith('%')) yield parameterPiece(text, parameter, { flags, width: Number(width), maximum }, indent, complain)
    else if (text.startsWith('@')) yield timePiece(text, time)
    else if (text.startsWith('\\')) yield escaped(text, escape)
    else yield text
  }
}

interface Field {
  readonly flags: string
  readonly width: number
  readonly maximum: string | undefined
}

function parameterPiece(
  text: string,
  letter: string | undefined,
  field: Field,
  indent: number | undefined,
  complain: (what: string) => void
): string | Piece {
  if (letter === '%') return '%'
  if (letter === 'j') return (message) => JSON.stringify(fieldsOf(message, payloadFields(message.payload)), undefined, indent)
  if (letter === 'J') return (message) => jsonWithJson(message, indent, complain)
  const notTold = letter === undefined ? undefined : NOT_TOLD[letter]
  if (notTold !== undefined) throw new Misuse(`--format has ${text}: ${notTold} is the connection's own and cannot be had`)
  const parameter = letter !== undefined && Object.hasOwn(PARAMETERS, letter) ? PARAMETERS[letter] : undefined
  if (parameter === undefined) {
    throw new Misuse(
      `--format has ${JSON.stringify(text)}; accepted after % is ${[...Object.keys(PARAMETERS), 'j', 'J', '%'].join(' ')}`
    )
  }
  return inField(parameter, field)
}

function inField({ value, zeros = false, cut = false, fixed = false }: Parameter, { flags, width, maximum }: Field): Piece {
  if (fixed || (width === 0 && (maximum === undefined || !cut))) return value
  const isLeft = flags.includes('-')
  const fill = zeros && flags.includes('0') && !isLeft ? '0' : ' '
  return (message) => {
    const found = value(message)
    if (typeof found !== 'string') {
      const padding = Buffer.alloc(Math.max(0, width - found.byteLength), ' ')
      return Buffer.concat(isLeft ? [found, padding] : [padding, found])
    }
    const kept = cut && maximum !== undefined ? found.slice(0, Number(maximum)) : found
    return isLeft ? kept.padEnd(width) : kept.padStart(width, fill)
  }
}

function timePiece(text: string, letter: string | undefined): string | Piece {
  if (letter === '@') return '@'
  if (letter !== undefined && TIME_LETTERS.includes(letter)) return ({ receivedAtMs }) => timePart(letter, receivedAtMs)
  throw new Misuse(`--format has ${JSON.stringify(text)}; accepted after @ is ${TIME_LETTERS.join(' ')} @`)
}

function escaped(text: string, letter: string | undefined): string {
  const character = letter !== undefined && Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
  if (character !== undefined) return character
  throw new Misuse(`--format has ${JSON.stringify(text)}; accepted after \\ is ${Object.keys(ESCAPES).join(' ')}`)
}

function hexadecimal(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** %j as mosquitto_sub has it, but that what is not UTF-8 is there in hexadecimal, too. */
function payloadFields(payload: Uint8Array): object {
  if (payload.byteLength === 0) return { payload: null }
  const text = new TextDecoder().decode(payload)
  return isUtf8(payload) ? { payload: text } : { payload: text, 'payload-hex': hexadecimal(payload) }
}

function jsonWithJson(message: ShownMessage, indent: number | undefined, complain: (what: string) => void): string {
  try {
    const payload: unknown = message.payload.byteLength === 0 ? null : JSON.parse(new TextDecoder().decode(message.payload))
    return JSON.stringify(fieldsOf(message, { payload }), undefined, indent)
  } catch {
    complain(`the payload is not JSON, on topic ${message.topic}`)
    return ''
  }
}

function fieldsOf(message: ShownMessage, payload: object): object {
  const { topic, qos, retain, properties, receivedAtMs } = message
  const named = {
    'content-type': properties.contentType,
    'correlation-data':
      properties.correlationData === undefined ? undefined : new TextDecoder().decode(properties.correlationData),
    'payload-format-indicator': properties.payloadFormatIndicator,
    'user-properties': userPropertiesOf(properties.userProperties),
    'response-topic': properties.responseTopic,
    'message-expiry-interval': properties.messageExpiryInterval
  }
  const hasProperties = Object.values(named).some((value) => value !== undefined)
  return {
    tst: isoTimeMicroseconds(receivedAtMs),
    topic,
    qos,
    retain: retain ? 1 : 0,
    payloadlen: message.payload.byteLength,
    ...(hasProperties ? { properties: named } : {}),
    ...payload
  }
}

/** An object by name; the values of a name that comes more than once are a list. */
function userPropertiesOf(pairs: ShownMessage['properties']['userProperties']): object | undefined {
  if (pairs === undefined || pairs.length === 0) return undefined
  const byName = Map.groupBy(pairs, ([name]) => name)
  return Object.fromEntries(
    [...byName].map(([name, group]) => {
      const values = group.map(([, value]) => value)
      return [name, values.length === 1 ? values[0] : values]
    })
  )
}
