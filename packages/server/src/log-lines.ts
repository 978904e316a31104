import type { LogFields } from '@godwit/broker'

/** What is written of one entry, but for its fields. */
export interface LogHead {
  /** `2026-01-31T12:00:00.000Z` */
  readonly time: string
  readonly level: string
  readonly message: string
}

/** Causes of causes that are told; an error may be its own. */
const CAUSES_MAX = 8

const PLAIN = /^[\w.:/@+-]+$/
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/g

/** A line for programs: one JSON object. */
export function jsonLine({ time, level, message }: LogHead, fields: LogFields): string {
  const { err } = fields
  const told = err instanceof Error ? { ...fields, err: errorFields(err) } : fields
  return `${JSON.stringify({ level, time, ...told, msg: message })}\n`
}

/** A line for people: `TIME LEVEL message key=value`. An error's stack follows: it says where in our sources it was. */
export function textLine({ time, level, message }: LogHead, fields: LogFields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${message}`
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined && key !== 'err') line += ` ${key}=${fieldText(value)}`
  }
  const { err } = fields
  return err instanceof Error ? `${line}\n${stackOf(err).replaceAll(/^/gm, '    ')}\n` : `${line}\n`
}

/** What a client chose may hold anything: what is not plain is quoted, so that it stays one value on one line. */
function fieldText(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  return JSON.stringify(value).replaceAll(UNPRINTABLE, (character) => `\\u${hex(character)}`)
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0')
}

function errorFields(error: Error): LogFields {
  const code = 'code' in error ? error.code : undefined
  return { type: error.name, message: error.message, code, stack: stackOf(error) }
}

function stackOf(error: Error): string {
  const stacks: string[] = []
  for (let at: unknown = error; at instanceof Error && stacks.length <= CAUSES_MAX; at = at.cause) {
    stacks.push(at.stack ?? `${at.name}: ${at.message}`)
  }
  return stacks.join('\ncaused by: ')
}
