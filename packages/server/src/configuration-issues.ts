import { inspect } from 'node:util'
import type { z } from 'zod'
import { acceptedKeys, acceptedText, type SchemaNode, schemaAt } from './accepted-values.ts'
import { type ConfigurationPath, isMapping, pathText, valueAt } from './configuration-path.ts'
import { didYouMean } from './did-you-mean.ts'

/** One mistake: where it is, and the rest of the sentence that begins with the key or flag there. */
export interface Mistake {
  readonly path: ConfigurationPath
  /** Whether the key itself is wrong, not its value. */
  readonly isKey: boolean
  readonly problem: string
  /** The key that a wrong one probably meant, as a path. */
  readonly meant?: string
}

const FOUND_LENGTH_MAX = 60

/** What zod found, in our words. A list of unknown keys becomes a mistake for each of them. */
export function mistakesOf(issues: readonly z.core.$ZodIssue[], schema: SchemaNode, root: unknown): Mistake[] {
  const mistakes = issues.flatMap((issue) => mistakesOfIssue(issue, schema, root))
  const meant = new Set(mistakes.map((mistake) => mistake.meant).filter((path) => path !== undefined))
  const isSaidOnce = ({ path }: Mistake, index: number): boolean =>
    mistakes.findIndex((other) => pathText(other.path) === pathText(path)) === index
  // A mistyped key is one mistake, though zod misses the right one as well.
  return mistakes.filter((mistake, index) => isSaidOnce(mistake, index) && !meant.has(pathText(mistake.path)))
}

function mistakesOfIssue(issue: z.core.$ZodIssue, schema: SchemaNode, root: unknown): Mistake[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  const node = schemaAt(schema, path, root) ?? {}
  if (issue.code === 'unrecognized_keys') {
    const keys = acceptedKeys(node)
    return issue.keys.map((key) => unknownKey(path, key, keys))
  }
  // zod's own messages name no keys or flags; ours, from custom checks, say what is accepted.
  const accepted = issue.code === 'custom' && issue.message !== 'Invalid input' ? issue.message : acceptedText(node)
  return [{ path, isKey: false, problem: problemOf(valueAt(root, path), accepted, node['secret'] === true) }]
}

/** The rest of the sentence about a value that is not accepted. */
export function problemOf(value: unknown, accepted: string, isSecret = false): string {
  if (value === undefined) return `is missing; accepted is ${accepted}`
  return isSecret ? `is not ${accepted}` : `is ${foundText(value)}; accepted is ${accepted}`
}

function unknownKey(path: ConfigurationPath, key: string, keys: readonly string[]): Mistake {
  const meant = didYouMean(key, keys)
  const wrong = { path: [...path, key], isKey: true }
  if (meant === undefined) return { ...wrong, problem: `is not a key; accepted are ${keys.join(', ')}` }
  return { ...wrong, problem: `is not a key; did you mean ${meant}?`, meant: pathText([...path, meant]) }
}

function foundText(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (isMapping(value)) return 'a mapping'
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value)
  return text.length <= FOUND_LENGTH_MAX ? text : `${text.slice(0, FOUND_LENGTH_MAX)}...`
}
