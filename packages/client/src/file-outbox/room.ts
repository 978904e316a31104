import { closeSync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { damaged } from './outbox-failure.ts'

/** Kept behind what messages may fill, for acknowledgements: while a disk is full, what was delivered can still be removed. */
const RESERVE_BYTES = 1_024 * 1_024

/** A file system that has so much more to give is not going to be full before this transaction is done. */
const PLENTY_BYTES = 64 * 1_024 * 1_024

/** Where there is plenty the file grows by so much more than is needed: in length, not in what it takes up. */
const AHEAD_BYTES = 4 * 1_024 * 1_024

/** Where there is not, it is filled so much at a time. */
const STEP_BYTES = 64 * 1_024

const ZEROS = Buffer.alloc(STEP_BYTES)

const META_PAGES = 2

/**
 * Room in the file, taken from the system before LMDB writes to it. Where a write of LMDB's fails, lmdb 3.5.6 notes that in a buffer too
 * short for it, which can end the process: a full disk, or a limit, must be met here, where it is an error and no more. So the file is made
 * longer than its pages: where there is plenty, by setting its length; else by zeros, which take up what they stand for, and which LMDB
 * replaces. Not foreseen are quotas, and full file systems that write to new places (btrfs, ZFS).
 */
export class Room {
  readonly #folder: string
  readonly #table: RootDatabase<Uint8Array, Uint8Array>
  readonly #descriptor: number
  /** As the last transactions found them: LMDB uses a page again only some transactions after it became free. */
  #freePages: readonly number[] = [0, 0, 0]
  /** The file is at least so long. */
  #length = 0
  /** From its last page up to here the file is filled with zeros. */
  #filledTo = 0

  constructor(folder: string, table: RootDatabase<Uint8Array, Uint8Array>) {
    this.#folder = folder
    this.#table = table
    this.#descriptor = openSync(join(folder, 'data.mdb'), 'r+')
  }

  /**
   * Makes room for a transaction.
   *
   * @param records that it puts or deletes
   * @param bytes of the keys and values that it puts
   * @param isAdding whether it puts messages, which leave the reserve alone
   * @returns why there is none
   */
  provide(records: number, bytes: number, isAdding: boolean): Error | undefined {
    const { pageSize, pages, freePages, growthPages } = survey(this.#table, records, bytes)
    // The snapshot that was looked at must not keep pages from being used again.
    this.#table.resetReadTxn()
    this.#freePages = [...this.#freePages.slice(1), freePages]
    const end = pages * pageSize
    const needed = growthPages * pageSize
    if (this.#lengthen(end + needed + RESERVE_BYTES)) return undefined
    const shortage = this.#fill(end, end + needed + RESERVE_BYTES)
    const usable = (Math.min(...this.#freePages) / 2) * pageSize
    const isEnough = this.#filledTo - end + usable >= needed + (isAdding ? RESERVE_BYTES : 0)
    return isEnough ? undefined : shortage
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** False: there is not plenty. */
  #lengthen(wanted: number): boolean {
    const { bavail, bsize } = statfsSync(this.#folder)
    if (bavail * bsize < PLENTY_BYTES) return false
    if (this.#length >= wanted) return true
    try {
      ftruncateSync(this.#descriptor, wanted + AHEAD_BYTES)
      this.#length = wanted + AHEAD_BYTES
      return true
    } catch {
      return false
    }
  }

  /** As far as there is room; returns why no further. */
  #fill(end: number, wanted: number): Error | undefined {
    this.#filledTo = Math.max(this.#filledTo, end)
    try {
      while (this.#filledTo < wanted) this.#filledTo += writeSync(this.#descriptor, ZEROS, 0, STEP_BYTES, this.#filledTo)
      return undefined
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }
}

interface RoomSurvey {
  readonly pageSize: number
  /** All that the file's trees have ever used. */
  readonly pages: number
  /** Of those, what no tree uses any longer. */
  readonly freePages: number
  /** A bound on the new pages that the transaction needs. */
  readonly growthPages: number
}

/**
 * LMDB never changes a page in place: a place that is changed costs its leaf and the branches on the way to it, each at most once, and in the
 * worst case as many again, where they are split or merged. What is added fills pages half at least, and the list of free pages grows too.
 */
function survey(table: RootDatabase<Uint8Array, Uint8Array>, records: number, bytes: number): RoomSurvey {
  const statistics = table.getStats()
  const pageSize = numberIn(statistics, 'pageSize')
  const pages = numberIn(statistics, 'lastPageNumber') + 1
  const [depth, branches, leaves] = [
    numberIn(statistics, 'treeDepth'),
    numberIn(statistics, 'treeBranchPageCount'),
    numberIn(statistics, 'treeLeafPageCount')
  ]
  const free = 'free' in statistics && typeof statistics.free === 'object' && statistics.free !== null ? statistics.free : {}
  const touched = 2 * (Math.min(records, leaves) + Math.min(records * depth, branches)) + depth + 2
  const growthPages = Math.ceil((touched + 2 * Math.ceil(bytes / pageSize)) * 1.1) + 32
  return { pageSize, pages, freePages: Math.max(0, pages - META_PAGES - treePages(statistics) - treePages(free)), growthPages }
}

function treePages(statistics: object): number {
  const counts = ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages'].map((name) => numberIn(statistics, name))
  return counts.reduce((sum, pages) => sum + pages, 0)
}

/** The types of lmdb say nothing of its statistics. */
function numberIn(statistics: object, name: string): number {
  const value: unknown = new Map<string, unknown>(Object.entries(statistics)).get(name)
  if (typeof value !== 'number') throw damaged(`LMDB does not tell its ${name}`)
  return value
}
