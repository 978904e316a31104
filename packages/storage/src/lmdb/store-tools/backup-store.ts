import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StoreError } from '../store-error.ts'
import { checkStore, type StoreSummary } from './check-store.ts'
import { copyStore, syncPath } from './copy-store.ts'
import type { Report } from './read-records.ts'
import { StoreMisuse } from './store-misuse.ts'
import { reasonOf } from '../use-folder.ts'
import { StoreSnapshot } from './store-snapshot.ts'

export interface BackupOptions {
  /** Whether the copy is read and checked before it takes its name. */
  readonly verify: boolean
  /** Called for each finding of that. */
  readonly report: Report
}

export interface BackupResult {
  readonly bytes: number
  /** Of the copy; undefined: not verified. */
  readonly summary: StoreSummary | undefined
}

/**
 * Makes a folder with a copy of a store, as it was at one moment: after one commit and before the next. A broker may be
 * running on the store and is not held up. The copy has the name `target` only when it is whole and on disk; before, it is
 * beside, and begins with that name and `.incomplete-`.
 *
 * @throws StoreMisuse if there is no store, or something at the target
 * @throws StoreError if the store or its copy is damaged, or the copy cannot be written
 */
export async function backupStore(folder: string, target: string, { verify, report }: BackupOptions): Promise<BackupResult> {
  const into = dirname(resolve(target))
  if (existsSync(target)) throw new StoreMisuse(`${target} exists; accepted is a path where there is nothing yet`)
  if (!existsSync(into)) throw new StoreMisuse(`${into} does not exist; accepted is a path in a folder that does`)
  const snapshot = await StoreSnapshot.open(folder, 'opening')
  let begun: string | undefined
  try {
    begun = beginBeside(target)
    await copyStore(snapshot, begun)
    const summary = verify ? await verifyCopy(begun, target, report) : undefined
    const { size: bytes } = statSync(join(begun, 'data.mdb'))
    putInPlace(begun, target, into)
    return { bytes, summary }
  } catch (error) {
    if (begun !== undefined) rmSync(begun, { recursive: true, force: true })
    throw error
  } finally {
    await snapshot.close()
  }
}

function beginBeside(target: string): string {
  try {
    return mkdtempSync(`${resolve(target)}.incomplete-`)
  } catch (cause) {
    throw new StoreError('failed', `cannot write ${target}: ${reasonOf(cause)}`, { cause })
  }
}

async function verifyCopy(begun: string, target: string, report: Report): Promise<StoreSummary> {
  let findings = 0
  const summary = await checkStore(begun, (what) => {
    findings++
    report(what)
  })
  // Who reads a store leaves a table of readers.
  rmSync(join(begun, 'lock.mdb'), { force: true })
  if (summary !== undefined && findings === 0) return summary
  throw new StoreError(
    'damaged',
    `${target} was not made: the copy of the store is not sound, and neither, it seems, is the store`
  )
}

function putInPlace(begun: string, target: string, into: string): void {
  try {
    renameSync(begun, target)
    syncPath(into)
  } catch (cause) {
    throw new StoreError('failed', `cannot write ${target}: ${reasonOf(cause)}`, { cause })
  }
}
