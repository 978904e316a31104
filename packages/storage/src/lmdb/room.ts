import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { BatchGrowth } from './batch.ts'
import { TABLES, type TableName } from './layout.ts'
import { damaged } from './store-error.ts'
import type { Tables } from './tables.ts'
import { TRIMMED_MAX, TRIMMED_MAX_WITH_PLENTY } from './trim-queues.ts'

/**
 * Kept behind what a commit needs, besides what two more like it need, or one that cuts queues: while that is used up, who
 * is told can stop in time, and make room.
 */
const RESERVE_BYTES_MIN = 1_024 * 1_024

/**
 * A file system that has so much more to give is not going to be full before this transaction is done, nor the next ones,
 * which the journal will have made promises for by then.
 */
const PLENTY_BYTES = 256 * 1_024 * 1_024

/** Where there is plenty the file grows by so much more than is needed, at least: in length, not in what it takes up. */
const AHEAD_BYTES = 16 * 1_024 * 1_024

/** Where there is not, it is filled so much at a time. */
const STEP_BYTES = 256 * 1_024

const META_PAGES = 2

/**
 * Room in the data file, taken from the system before LMDB writes to it. Where a write of LMDB's fails, lmdb 3.5.6 notes
 * that in a buffer too short for it, which can end the process: a full disk or a limit must be met here, where it is an
 * error and no more. So the file is made longer than its pages: where there is plenty, by setting its length; else by
 * zeros, which take up what they stand for, and which LMDB replaces. Not foreseen are quotas, and full file systems that
 * write to new places (btrfs, ZFS).
 */
export class Room {
  readonly #folder: string
  readonly #tables: Tables
  readonly #descriptor: number
  /** As the last transactions found them. */
  #freePages: readonly number[] = [0, 0, 0]
  /** From the last page up to here the file is filled with zeros. */
  #filledTo = 0

  constructor(folder: string, tables: Tables) {
    this.#folder = folder
    this.#tables = tables
    this.#descriptor = openSync(join(folder, 'data.mdb'), 'r+')
  }

  /**
   * Makes room for a transaction, and for the reserve.
   *
   * @param cuts the queues it cuts
   * @throws if there is none for the transaction
   */
  provide(growth: BatchGrowth, cuts: number): Provided {
    const { pageSize, pages, freePages, growthPages, cuttingPages, plentyCuttingPages } = surveyRoom(this.#tables, growth, cuts)
    this.#freePages = [...this.#freePages.slice(1), freePages]
    const end = pages * pageSize
    const reserve = Math.max(RESERVE_BYTES_MIN, 2 * growthPages * pageSize, cuttingPages * pageSize)
    const plenty = (growthPages + (cuts === 0 ? 0 : plentyCuttingPages)) * pageSize
    if (this.#lengthen(end, end + plenty + reserve)) {
      return { hasPlenty: true, shortage: undefined, trimmedMax: TRIMMED_MAX_WITH_PLENTY }
    }
    const needed = (growthPages + (cuts === 0 ? 0 : cuttingPages)) * pageSize
    return { hasPlenty: false, shortage: this.#reserve(end, needed, reserve), trimmedMax: TRIMMED_MAX }
  }

  /** Whether there is plenty for the transactions to come. */
  hasPlenty(): boolean {
    const { pageSize, lastPageNumber } = fileStatistics(this.#tables)
    const end = (lastPageNumber + 1) * pageSize
    return this.#lengthen(end, end + RESERVE_BYTES_MIN)
  }

  #reserve(end: number, needed: number, reserve: number): string | undefined {
    try {
      this.#fill(end, end + needed + reserve)
      return undefined
    } catch (error) {
      // Free pages can be used some transactions later, and not all by what needs several that follow one another.
      const { pageSize } = fileStatistics(this.#tables)
      const usable = (Math.min(...this.#freePages) / 2) * pageSize
      const left = this.#filledTo - end - needed + usable
      if (left < 0) throw error
      return left >= reserve ? undefined : error instanceof Error ? error.message : String(error)
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** False: there is not plenty. */
  #lengthen(end: number, wanted: number): boolean {
    const { bavail, bsize } = statfsSync(this.#folder)
    const isPlenty = bavail * bsize >= wanted - end + PLENTY_BYTES
    // Not only for this one: a limit on the size of files is to be met well before it.
    if (isPlenty && fstatSync(this.#descriptor).size >= wanted + AHEAD_BYTES / 2) return true
    // Of a process that was killed while it read the file, LMDB keeps noted that it reads, and all that became free since.
    this.#tables.root.readerCheck()
    if (!isPlenty) return false
    try {
      ftruncateSync(this.#descriptor, wanted + AHEAD_BYTES)
      return true
    } catch {
      return false
    }
  }

  #fill(end: number, wanted: number): void {
    const zeros = Buffer.alloc(STEP_BYTES)
    this.#filledTo = Math.max(this.#filledTo, end)
    while (this.#filledTo < wanted) this.#filledTo += writeSync(this.#descriptor, zeros, 0, STEP_BYTES, this.#filledTo)
  }
}

interface Provided {
  /** Some transactions that follow will have room as well. */
  readonly hasPlenty: boolean
  /** Why there was no room for the reserve. */
  readonly shortage: string | undefined
  /** How many entries of queues the transaction may cut. */
  readonly trimmedMax: number
}

export interface RoomSurvey {
  readonly pageSize: number
  /** All that the file's trees have ever used. */
  readonly pages: number
  /** Of those, what no tree uses any longer. */
  readonly freePages: number
  /** A bound on the new pages that a batch needs. */
  readonly growthPages: number
  /** A bound on the new pages that cutting queues needs, beside a batch. */
  readonly cuttingPages: number
  /** The same where there is plenty of room, and more is cut. */
  readonly plentyCuttingPages: number
}

/**
 * LMDB never changes a page in place: a place that is changed costs its leaf and the branches on the way to it, each at
 * most once, and in the worst case as many again, where they are split or merged. What is added fills pages half at least.
 */
export function surveyRoom(tables: Tables, growth: BatchGrowth, cuts: number): RoomSurvey {
  const { pageSize, lastPageNumber, main, free } = fileStatistics(tables)
  let growing = 0
  let cutting = 0
  let plentyCutting = 0
  let used = META_PAGES + treePages(main) + treePages(free)
  for (const name of TABLES) {
    const tree = treeStatistics(tables[name].getStats())
    const { places, bytes } = growth[name]
    growing += pagesTouched(tree, places) + 2 * Math.ceil(bytes / pageSize)
    cutting += pagesCut(name, tree, cuts, TRIMMED_MAX)
    plentyCutting += pagesCut(name, tree, cuts, TRIMMED_MAX_WITH_PLENTY)
    used += treePages(tree)
  }
  // The snapshot that was looked at must not keep pages from being used again.
  tables.root.resetReadTxn()
  const pages = lastPageNumber + 1
  return {
    pageSize,
    pages,
    freePages: Math.max(0, pages - used),
    growthPages: withFreeList(growing),
    cuttingPages: withFreeList(cutting),
    plentyCuttingPages: withFreeList(plentyCutting)
  }
}

/** LMDB merges leaves that are less than a quarter full. */
const INDEX_ENTRIES_PER_LEAF = 4

/** A queue's entries follow one another, and a leaf holds many; their bodies may be far apart. */
function pagesCut(name: TableName, tree: TreeStatistics, cuts: number, entries: number): number {
  if (name === 'index') return pagesTouched(tree, 2 * cuts + Math.ceil(entries / INDEX_ENTRIES_PER_LEAF))
  if (name === 'log') return pagesTouched(tree, entries)
  return name === 'records' ? pagesTouched(tree, cuts) : 0
}

function pagesTouched({ depth, branchPages, leafPages }: TreeStatistics, places: number): number {
  return 2 * (Math.min(places, leafPages) + Math.min(places * depth, branchPages)) + depth + 2
}

/** The list of free pages grows with what is freed. */
function withFreeList(pages: number): number {
  return Math.ceil(pages * 1.1) + 32
}

interface TreeStatistics {
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
}

function treePages({ branchPages, leafPages, overflowPages }: TreeStatistics): number {
  return branchPages + leafPages + overflowPages
}

function treeStatistics(statistics: object): TreeStatistics {
  return {
    depth: numberIn(statistics, 'treeDepth'),
    branchPages: numberIn(statistics, 'treeBranchPageCount'),
    leafPages: numberIn(statistics, 'treeLeafPageCount'),
    overflowPages: numberIn(statistics, 'overflowPages')
  }
}

function fileStatistics(tables: Tables): {
  readonly pageSize: number
  readonly lastPageNumber: number
  readonly main: TreeStatistics
  readonly free: TreeStatistics
} {
  const statistics = tables.root.getStats()
  const free = 'free' in statistics && typeof statistics.free === 'object' ? statistics.free : undefined
  return {
    pageSize: numberIn(statistics, 'pageSize'),
    lastPageNumber: numberIn(statistics, 'lastPageNumber'),
    main: treeStatistics(statistics),
    free: treeStatistics(free ?? {})
  }
}

/** The types of lmdb say nothing of its statistics. */
function numberIn(statistics: object, name: string): number {
  const value: unknown = new Map<string, unknown>(Object.entries(statistics)).get(name)
  if (typeof value !== 'number') throw damaged(`LMDB does not tell its ${name}`)
  return value
}
