/** A log entry in JSON as a line for people: `TIME LEVEL message key=value`. */
export function textLine(line: string): string {
  const entry: unknown = JSON.parse(line)
  if (typeof entry !== 'object' || entry === null) return line
  const { time, level, msg, err, ...fields }: Readonly<Record<string, unknown>> = { ...entry }
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`)
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${pairs.join('')}${errorText(err)}\n`
}

/** What a client chose may hold anything: what is not plain is quoted, so that it stays one value on one line. */
function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)) return value
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${hex(character)}`)
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0')
}

/** The stack belongs to the entry: it says where in our sources the error was. */
function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { stack, message }: Readonly<Record<string, unknown>> = { ...error }
  const text = typeof stack === 'string' ? stack : String(message)
  return `\n${text.replaceAll(/^/gm, '    ')}`
}
