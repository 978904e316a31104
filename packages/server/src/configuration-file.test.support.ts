import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { ConfigurationError } from './configuration-error.ts'
import type { Configuration } from './configuration.ts'
import { loadConfiguration, type Override } from './load-configuration.ts'

/** A folder for one file of tests, gone after the last of them. */
export const directory: string = mkdtempSync(join(tmpdir(), 'godwit-configuration-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** Where the configuration stands while it is read. */
const file = join(directory, 'godwit.yaml')

/** Reads a configuration file that consists of a text. */
export function load(text: string, overrides: readonly Override[] = []): Promise<Configuration> {
  writeFileSync(file, text)
  return loadConfiguration({ file, overrides })
}

/** What is wrong with such a file, each line with `FILE` for its path. */
export async function mistakesIn(text: string, overrides: readonly Override[] = []): Promise<readonly string[]> {
  try {
    await load(text, overrides)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.lines.map((line) => line.replace(file, 'FILE'))
    throw error
  }
  return []
}
