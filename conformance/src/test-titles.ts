import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from './tables.ts'

/** A test's title, and the file that it stands in, relative to the repository's root. */
export interface TestTitle {
  readonly title: string
  readonly path: string
  /** The end of the connection that it tests. */
  readonly role: Role
}

const root = join(import.meta.dirname, '../..')

/** Everywhere that tests of statements may stand; not here, where they are only counted. */
const TESTS = ['packages/*/src/**/*.test*.ts', 'conformance/src/*/**/*.test.ts']

/** Where the tests of our client are; all others count for the broker. */
const CLIENT_TESTS = ['packages/client/', 'conformance/src/client']

/**
 * A test that begins a line, with its title in one literal string. Skipped tests (`test.skip`, `test.todo`) and tests in
 * comments do not count.
 */
const TEST =
  /^[ \t]*(?:scenario|served|brokered|test|it|describe)(?:\.(?:for|each)\([^()]*\))?\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/gm

/** `[5.0 MQTT-3.1.2-8]`, also where the number is one that does not exist. */
const STATEMENT = /\[([^\]\s]+ MQTT-[^\]\s]+)\]/g

export function testTitles(): TestTitle[] {
  return globSync(TESTS, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .flatMap((path) => titlesIn(readFileSync(join(root, path), 'utf8')).map((title) => ({ title, path, role: roleOf(path) })))
}

function roleOf(path: string): Role {
  return CLIENT_TESTS.some((each) => path.startsWith(each)) ? 'client' : 'server'
}

export function titlesIn(source: string): string[] {
  return Array.from(source.matchAll(TEST), ([, single, double, template]) => single ?? double ?? template ?? '')
}

/** The statements that a title names: `5.0 MQTT-3.1.2-8`. */
export function statementsNamed(title: string): string[] {
  return Array.from(title.matchAll(STATEMENT), ([, id = '']) => id)
}
