import { FORMAT_VERSION } from '../layout.ts'
import { LmdbStore } from '../lmdb-store.ts'
import { StoreError } from '../store-error.ts'
import { checkStore, type StoreSummary } from './check-store.ts'
import { copyStore } from './copy-store.ts'
import type { Report } from './read-records.ts'
import { StorePlace } from './store-place.ts'
import { StoreSnapshot } from './store-snapshot.ts'

export interface RestoreOptions {
  /** Whether a store that the folder holds is set aside; else there must be none. */
  readonly replace: boolean
  /** Whether the copy is read and checked before it comes into its place; else only what a broker looks at is. */
  readonly verify: boolean
  /** Called for each finding of that. */
  readonly report: Report
}

export interface RestoreResult {
  /** Of the copy; undefined: not verified. */
  readonly summary: StoreSummary | undefined
  /** Where the store is that the folder held; undefined: it held none. */
  readonly replaced: string | undefined
}

/**
 * Puts a copy of a backup into a folder, for a broker to start on. The backup stays as it is; the copy is brought up to the
 * present format before it comes into its place.
 *
 * @throws StoreMisuse if there is no backup, or the folder holds a store that is not to be replaced
 * @throws StoreError if the backup is damaged, or the folder is in use or cannot be written; it is then as it was
 */
export async function restoreStore(backup: string, folder: string, options: RestoreOptions): Promise<RestoreResult> {
  const { replace, verify, report } = options
  const place = StorePlace.take(folder, replace ? undefined : HOLDS_A_STORE)
  try {
    await copyBackup(backup, place.begun)
    const summary = verify ? await checkCopy(backup, place.begun, report) : undefined
    return { summary, replaced: place.finish() }
  } catch (error) {
    place.abandon()
    throw error
  }
}

const HOLDS_A_STORE = 'holds a store; accepted is a folder that holds none, or --replace, which sets that store aside'

async function copyBackup(backup: string, begun: string): Promise<void> {
  const snapshot = await StoreSnapshot.open(backup, 'opening', 'earlier')
  try {
    await copyStore(snapshot, begun)
    if (snapshot.formatVersion === FORMAT_VERSION) return
  } finally {
    await snapshot.close()
  }
  const store = new LmdbStore({ path: begun })
  await store.open({ onCommitted: () => undefined, onCommitFailed: () => undefined })
  await store.close()
}

async function checkCopy(backup: string, begun: string, report: Report): Promise<StoreSummary> {
  let findings = 0
  const summary = await checkStore(begun, (what) => {
    findings++
    report(what)
  })
  if (summary !== undefined && findings === 0) return summary
  throw new StoreError('damaged', `${backup} is not sound, and was not restored; --no-verify restores it all the same`)
}
