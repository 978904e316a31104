import { writeFileSync } from 'node:fs'
import { readNamedFile, whyNot } from '../connection/read-file.ts'
import { Misuse } from '../misuse.ts'
import type { Report, RunResult } from './results.ts'

/** What is compared with what was measured before. */
export type SavedReport = Pick<Report, 'startedAt' | 'runs' | 'machine' | 'version'>

/**
 * Results that `--save` has kept.
 *
 * @throws {Misuse} if the file holds something else
 */
export function readReport(flag: string, path: string): SavedReport {
  const accepted = 'accepted is a file that godwit bench --save has written'
  let value: unknown
  try {
    value = JSON.parse(readNamedFile(flag, path).toString())
  } catch (error) {
    if (error instanceof Misuse) throw error
    throw new Misuse(`${flag} is ${JSON.stringify(path)}, which is not JSON; ${accepted}`)
  }
  if (isReport(value)) return value
  const version =
    typeof value === 'object' && value !== null && 'formatVersion' in value ? `, version ${String(value.formatVersion)}` : ''
  throw new Misuse(`${flag} is ${JSON.stringify(path)}, which has another format${version}; ${accepted}`)
}

/** @throws {Misuse} that names the flag and says why it cannot be written */
export function writeNamedFile(flag: string, path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why =
      code === 'ENOENT' ? 'there is no such folder' : code === 'EACCES' ? 'this user may not write there' : whyNot(error)
    throw new Misuse(`${flag} is ${JSON.stringify(path)}, which cannot be written: ${why}`)
  }
}

/** Checks what is read of it. */
function isReport(value: unknown): value is SavedReport {
  return (
    isObject(value) &&
    value['format'] === 'godwit-bench' &&
    value['formatVersion'] === 1 &&
    typeof value['startedAt'] === 'string' &&
    typeof value['version'] === 'string' &&
    isObject(value['machine']) &&
    Array.isArray(value['runs']) &&
    value['runs'].every(isRun)
  )
}

function isRun(value: unknown): value is RunResult {
  return (
    isObject(value) &&
    ['scenario', 'broker', 'headline'].every((name) => typeof value[name] === 'string') &&
    typeof value['qos'] === 'number' &&
    ['settings', 'rates', 'latency', 'process'].every((name) => typeof value[name] === 'object') &&
    isObject(value['settings']) &&
    isObject(value['rates'])
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
