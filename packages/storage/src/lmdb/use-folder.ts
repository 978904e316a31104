import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError } from './store-error.ts'

/**
 * Makes a folder if there is none, for its owner alone, and sees that it can be written to.
 *
 * @throws StoreError that says what it is instead, or what the system refuses
 */
export function useFolder(folder: string): void {
  try {
    makeFolder(folder)
    if (!statSync(folder).isDirectory()) throw new StoreError('failed', `cannot use ${folder}: it is not a directory`)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    throw new StoreError('failed', `cannot use ${folder}: ${reasonOf(cause)}`, { cause })
  }
}

/** Step by step: Node's own `recursive` never returns where the system denies that there is a parent, as in /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no room',
  EDQUOT: 'the quota is used up',
  ENOTDIR: 'a part of its path is not a directory',
  ENOENT: 'it cannot be made there'
}

/** What the system says, without the call and the path. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return REASONS[code] ?? cause.message
}
