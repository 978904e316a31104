import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { jsonSchemaOf } from './accepted-values.ts'
import { ConfigurationError } from './configuration-error.ts'
import type { ConfigurationFile } from './configuration-file.ts'
import { type Mistake, mistakesOf, problemOf } from './configuration-issues.ts'
import { type ConfigurationPath, isMapping, pathText, valueAt, withValueAt } from './configuration-path.ts'
import { configurationSchema, DEFAULT_LISTENERS } from './configuration-schema.ts'
import type { Configuration } from './configuration.ts'

/** A value that was given elsewhere than in the file, and goes before it. */
export interface Override {
  /** How messages call it: `--port`. */
  readonly origin: string
  readonly value: unknown
  /** Where it belongs, given everything so far; the first path is that of the value, others are set to what comes with it. */
  readonly place: (soFar: unknown) => readonly [ConfigurationPath, ...(readonly [ConfigurationPath, unknown])[]]
}

export interface ConfigurationSources {
  /** The path of a YAML or JSON file. Default: none. */
  readonly file?: string | undefined
  /** Each with an absolute path where it is one. */
  readonly overrides?: readonly Override[] | undefined
}

/** A configuration is some kilobytes; what is larger was named by mistake. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Reads and checks a configuration; paths in it become absolute, relative to the file's directory.
 * @throws ConfigurationError with a line for each mistake
 */
export async function loadConfiguration({ file, overrides = [] }: ConfigurationSources = {}): Promise<Configuration> {
  const parsed = file === undefined ? undefined : await readConfigurationFile(file)
  const base = resolvePaths(withDefaultListeners(parsed?.value ?? {}), file === undefined ? '.' : dirname(file))
  const placed: { readonly origin: string; readonly path: ConfigurationPath }[] = []
  let root = base
  for (const { origin, value, place } of overrides) {
    const [path, ...others] = place(root)
    placed.push({ origin, path })
    for (const [otherPath, otherValue] of others) root = withValueAt(root, otherPath, otherValue)
    root = withValueAt(root, path, value)
  }

  const fail = (mistakes: readonly Mistake[]): never => {
    throw new ConfigurationError(mistakes.map((mistake) => lineOf(mistake, parsed, placed)))
  }
  const result = configurationSchema.safeParse(root)
  if (!result.success) return fail(mistakesOf(result.error.issues, jsonSchemaOf(configurationSchema), root))
  const unreadable = unreadableFiles(root)
  return unreadable.length === 0 ? result.data : fail(unreadable)
}

async function readConfigurationFile(file: string): Promise<ConfigurationFile> {
  let text: string
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`)
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError([`${file}: the configuration file cannot be read: ${reasonOf(cause)}`], { cause })
  }
  const { parseConfigurationFile } = await import('./configuration-file.ts')
  return parseConfigurationFile(file, text)
}

/** Flags may change a listener: the default one has to be there for that. */
function withDefaultListeners(root: unknown): unknown {
  return isMapping(root) && root['listeners'] === undefined ? { ...root, listeners: [...DEFAULT_LISTENERS] } : root
}

function lineOf(
  { path, isKey, problem }: Mistake,
  file: ConfigurationFile | undefined,
  placed: readonly { readonly origin: string; readonly path: ConfigurationPath }[]
): string {
  const override = placed.find((each) => pathText(each.path) === pathText(path))
  if (override !== undefined) return `${override.origin} ${problem}`
  const key = path.length === 0 ? 'the configuration' : pathText(path)
  return file === undefined ? `${key} ${problem}` : `${file.locate(path, isKey)}: ${key} ${problem}`
}

function resolvePaths(root: unknown, directory: string): unknown {
  return pathsToFiles(root)
    .concat(pathsToPlaces(root))
    .reduce((soFar: unknown, path) => {
      const value = valueAt(soFar, path)
      return typeof value === 'string' && value !== '' ? withValueAt(soFar, path, resolve(directory, value)) : soFar
    }, root)
}

/** The keys of listeners that name files for us to read. */
const FILE_KEYS = ['certificateFile', 'keyFile', 'keyPassphraseFile', 'caFile'] as const

function pathsToFiles(root: unknown): ConfigurationPath[] {
  const listeners = valueAt(root, ['listeners'])
  if (!Array.isArray(listeners)) return []
  return [...listeners.keys()].flatMap((index) => FILE_KEYS.map((key) => ['listeners', index, key]))
}

/** The keys that name what we make: the store's directory, and Unix sockets. */
function pathsToPlaces(root: unknown): ConfigurationPath[] {
  const listeners = valueAt(root, ['listeners'])
  const sockets = Array.isArray(listeners) ? [...listeners.keys()].filter((index) => isUnix(listeners[index])) : []
  return [['data'], ...sockets.map((index) => ['listeners', index, 'path'])]
}

function isUnix(listener: unknown): boolean {
  return isMapping(listener) && listener['kind'] === 'unix'
}

function unreadableFiles(root: unknown): Mistake[] {
  return pathsToFiles(root).flatMap((path) => {
    const value = valueAt(root, path)
    if (typeof value !== 'string') return []
    try {
      accessSync(value, constants.R_OK)
      if (statSync(value).isFile()) return []
      return [{ path, isKey: false, problem: problemOf(value, 'the path of a file') }]
    } catch (error) {
      return [{ path, isKey: false, problem: `is ${JSON.stringify(value)}, which cannot be read: ${reasonOf(error)}` }]
    }
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a directory',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory'
}

/** What the operating system says of a file, without its path. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return REASONS[code] ?? error.message
}
