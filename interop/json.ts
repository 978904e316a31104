/** JSON from another process, field by field: what has not the shape it should have is an error that names the field. */
export type Json = Readonly<Record<string, unknown>>

/** @throws TypeError for anything that is not an object */
export function parseObject(line: string): Json {
  return object(JSON.parse(line), line)
}

export function object(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${field} is not an object`)
  return { ...value }
}

export function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new TypeError(`${field} is not a string`)
  return value
}

export function number(value: unknown, field: string): number {
  if (typeof value !== 'number') throw new TypeError(`${field} is not a number`)
  return value
}

export function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${field} is not a list`)
  return value
}

/** What may be missing. */
export function optional<T>(value: unknown, field: string, read: (value: unknown, field: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, field)
}
