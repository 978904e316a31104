import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The versions that have numbered statements; 3.1 has none. */
export const SPECIFICATIONS = ['5.0', '3.1.1'] as const

/** A numbered normative statement. The two specifications use the same numbers for different things. */
export interface Statement {
  /** As tests name it: `5.0 MQTT-3.1.2-8`. */
  readonly id: string
  /** Who must do or avoid the thing. */
  readonly binds: 'server' | 'client' | 'both'
}

/** The two ends of a connection. */
export const ROLES = ['server', 'client'] as const

export type Role = (typeof ROLES)[number]

/** A statement that is left out of something, and why. */
export interface Exception {
  readonly id: string
  readonly reason: string
}

/** A statement without a test of one of the ends that it binds. */
export interface Untested extends Exception {
  readonly role: Role
}

const directory = join(import.meta.dirname, '..')

export function statements(): Statement[] {
  return SPECIFICATIONS.flatMap((specification) =>
    rows(`statements/mqtt-${specification}.tsv`).map((row) => ({
      id: `${specification} ${row('id')}`,
      binds: bindsOf(row('binds'))
    }))
  )
}

/** Statements that bind what goes on inside clients: no server can see whether they are kept. */
export function clientOnly(): Exception[] {
  return rows('statements/client-only.tsv').map(exceptionOf)
}

/** The debt: statements without a test. */
export function untested(): Untested[] {
  return rows('untested.tsv').map((row) => ({ ...exceptionOf(row), role: roleOf(row('role')) }))
}

function exceptionOf(row: (column: string) => string): Exception {
  return { id: `${row('version')} ${row('id')}`, reason: row('reason') }
}

/** Each row of a table, as a function from column to value. */
function rows(path: string): ((column: string) => string)[] {
  const [header = '', ...lines] = readFileSync(join(directory, path), 'utf8').trimEnd().split('\n')
  const columns = header.split('\t')
  return lines.map((line) => {
    const values = line.split('\t')
    return (column) => {
      const value = values[columns.indexOf(column)]
      if (value === undefined || value === '') throw new Error(`${path}: no ${column} in: ${line}`)
      return value
    }
  })
}

function bindsOf(value: string): Statement['binds'] {
  if (value === 'server' || value === 'client' || value === 'both') return value
  throw new Error(`a statement binds ${value}, neither server, client nor both`)
}

function roleOf(value: string): Role {
  if (value === 'server' || value === 'client') return value
  throw new Error(`the role is ${value}, neither server nor client`)
}
