import { statfsSync, statSync } from 'node:fs'
import { FORMAT_VERSION } from '../layout.ts'
import { StoreError } from '../store-error.ts'
import { checkConsumers } from './check-consumers.ts'
import { checkLog } from './check-log.ts'
import type { LogSummary } from './log-summary.ts'
import { checkMessageRecords } from './check-message-records.ts'
import { checkRetained } from './check-retained.ts'
import { readRecords, type Report } from './read-records.ts'
import { dataFileIn, StoreSnapshot } from './store-snapshot.ts'

export interface StoreSummary extends LogSummary {
  /** The version of the store's format. */
  readonly formatVersion: number
  readonly sessions: number
  readonly subscriptions: number
  readonly sharedSubscriptions: number
  readonly wills: number
  readonly queues: number
  /** Of those, the filters of the ones that no session and no shared subscription reads: history, or about to be dropped. */
  readonly unreadQueues: readonly string[]
  readonly retainedMessages: number
  /** Of the retained messages' payloads and topic names. */
  readonly retainedBytes: number
  readonly fileBytes: number
  /** Of the file, what is free to be used again. */
  readonly freeBytes: number
  /** Of the file system that it is on, what is free. */
  readonly availableBytes: number
}

/**
 * Verifies what a store relies on, by reading all of it, and tells of each thing that does not hold. Changes nothing; a
 * broker may be running on the store. Memory grows with sessions and queues, not with messages.
 *
 * What cannot be found are changed bytes within a text or a payload: the file has no checksums.
 *
 * @param report called for each finding
 * @returns undefined if the file itself is damaged, so that it could not be read on
 * @throws StoreMisuse if the folder holds no store
 * @throws StoreError if it is of another format, or cannot be read
 */
export async function checkStore(folder: string, report: Report): Promise<StoreSummary | undefined> {
  let snapshot: StoreSnapshot
  try {
    snapshot = await StoreSnapshot.open(folder, 'whole')
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'damaged') throw error
    report(error.message)
    return undefined
  }
  try {
    return check(snapshot, report)
  } finally {
    await snapshot.close()
  }
}

function check(snapshot: StoreSnapshot, report: Report): StoreSummary {
  const records = readRecords(snapshot, report)
  const { summary: log, inFlight } = checkLog(snapshot, records, report)
  const unreadQueues = checkConsumers(snapshot, records, inFlight, report)
  const wills = checkMessageRecords(snapshot, records, report)
  const retained = checkRetained(snapshot, records.totals, report)
  let subscriptions = 0
  for (const session of records.sessions.values()) subscriptions += session.subscriptions.length
  const { bavail, bsize } = statfsSync(snapshot.folder)
  return {
    formatVersion: FORMAT_VERSION,
    sessions: records.sessions.size,
    subscriptions,
    sharedSubscriptions: records.groups.size,
    wills,
    queues: records.queues.size,
    unreadQueues,
    ...log,
    ...retained,
    fileBytes: statSync(dataFileIn(snapshot.folder)).size,
    freeBytes: snapshot.freeBytes,
    availableBytes: bavail * bsize
  }
}
