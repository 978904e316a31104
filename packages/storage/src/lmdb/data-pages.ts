import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { TABLES, type TableName } from './layout.ts'
import { damaged, StoreError } from './store-error.ts'

// What LMDB (data format 2) writes, in the machine's byte order. LMDB itself trusts the file: where that is cut short or
// scribbled over, reading it ends the process. Therefore it is looked at first.
//
//   page  => page_number (64 bits), transaction (64), pad (16), flags (16), lower (16), upper (16), then
//            a meta page, or node offsets (16 each), from the header's end, and the nodes at the page's end; the first of
//            pages that hold a value says in place of lower and upper how many they are (32)
//   meta  => magic (32), version (32), address (64), map_size (64), free tree, main tree, last_page (64), transaction (64)
//   tree  => pad (32: page size, in the free tree), flags (16), depth (16), page counts (3 × 64), entries (64), root (64)
//   node  => low (16), high (16), flags (16), key_size (16), key, data; on a branch page low, high and flags are a page
const HEADER = 24
const META_SIZE = HEADER + 136
const MAGIC = 0xbe_ef_c0_de
const DATA_FORMAT = 2
const TREE_SIZE = 48
const NODE_HEADER = 8
const OVERFLOW_SIZE = 24

const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
/** Leaves of keys alone, and pages within pages: those of tables with duplicates, which we have none of. */
const FOREIGN = 0x60
const IN_OVERFLOW_PAGES = 0x01
const IS_TREE = 0x02

/** The kind of the free tree: keys that are numbers, and of one length, which LMDB does not doubt. */
const INTEGER_KEYS = 0x08
/** Set where whoever wrote the file last left the syncing to later. */
const SYNCED_LATER = 0x1000

/** LMDB's own limit of a tree's depth. */
const DEPTH_MAX = 32
const PAGE_SIZE_MIN = 512
const PAGE_SIZE_MAX = 65_536

/** Pages that one transaction took, and let go of unwritten, can be in use behind the file's end: at most 131,072, by LMDB's own limit. */
const UNWRITTEN_MAX = 1_048_576n

const NO_PAGE = 0xffff_ffff_ffff_ffffn
const LITTLE_ENDIAN = endianness() === 'LE'

/** Where a tree of pages begins. */
export interface Tree {
  /** What its keys and values are said to be is not what ours are. */
  readonly isOfAnotherKind: boolean
  readonly depth: number
  readonly root: bigint
}

/** One of the two pages that say where everything is: LMDB writes them in turn, at the end of each transaction. */
export interface Meta {
  readonly pageSize: number
  readonly transaction: bigint
  /** No page behind it is in use. */
  readonly lastPage: bigint
  readonly free: Tree
  readonly main: Tree
}

/** An entry of a table. Its bytes are views of the page that was read. */
export interface PageEntry {
  readonly key: Buffer
  /** Where the entry is a table. */
  readonly tree: Tree | undefined
  /** @throws StoreError if the pages that it is in cannot be what was written; see DataPages.valueOf */
  value(): Buffer
}

/** Told of what cannot be what was written; the reading goes on behind it, unless this throws. */
export type OnDamage = (error: StoreError) => void

/**
 * Reads a data file page by page without LMDB, and without trust: whatever a page says is looked at before it is followed.
 * Only a page in use by no one holds still: where a broker writes to the file, hold a transaction that reads meanwhile.
 */
export class DataPages {
  readonly #path: string
  readonly #descriptor: number
  readonly #size: number
  readonly #onDamage: OnDamage
  #pageSize = META_SIZE
  /** Of the state that is read. */
  #transaction = 0n
  #lastPage = 0n
  /** One bit for each page that was read. */
  #seen = new Uint8Array(0)

  /** @throws StoreError if the file cannot be opened */
  constructor(path: string, onDamage: OnDamage) {
    this.#path = path
    this.#onDamage = onDamage
    try {
      this.#descriptor = openSync(path, 'r')
    } catch (cause) {
      throw new StoreError('failed', `cannot read ${path}`, { cause })
    }
    this.#size = fstatSync(this.#descriptor).size
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /**
   * The state after the last transaction.
   *
   * @throws StoreError if one of the meta pages cannot be what was written
   */
  latest(): Meta {
    const first = this.#meta(0)
    this.#pageSize = first.pageSize
    const second = this.#meta(1)
    const latest = first.transaction >= second.transaction ? first : second
    // LMDB asks for as much memory, and could end the process where it gets none.
    if (latest.lastPage > BigInt(Math.floor(this.#size / latest.pageSize)) + UNWRITTEN_MAX) {
      this.#fail(`page ${latest.lastPage} is said to be in use, and the file is ${this.#size} bytes long`)
    }
    return latest
  }

  /** The states that can be found, the last first: at best those after the last transaction and the one before. */
  states(): Meta[] {
    const states: Meta[] = []
    for (let pageSize = PAGE_SIZE_MIN; pageSize <= PAGE_SIZE_MAX; pageSize *= 2) {
      this.#pageSize = pageSize
      for (const page of [0, 1]) {
        try {
          const meta = this.#meta(page)
          if (meta.pageSize === pageSize) states.push(meta)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
        }
      }
      if (states.length > 0) break
    }
    return states.toSorted((a, b) => (a.transaction < b.transaction ? 1 : -1))
  }

  /** Begins to read a state, no page of which may be used twice. */
  tables({ pageSize, transaction, lastPage, main }: Meta): Map<TableName, Tree> {
    this.#pageSize = pageSize
    this.#transaction = transaction
    this.#lastPage = lastPage
    this.#seen = new Uint8Array(Math.ceil(this.#size / pageSize / 8))
    const tables = new Map<TableName, Tree>()
    for (const { key, tree } of this.entries('the list of tables', main)) {
      const name = TABLES.find((table) => table === key.toString().replace(/\0$/, ''))
      if (name === undefined) continue
      if (tree === undefined) this.#attempt(() => this.#fail(`${JSON.stringify(name)} is not a table`))
      else tables.set(name, tree)
    }
    // Who opens the file would make those that are missing.
    const missing = TABLES.find((name) => !tables.has(name))
    if (missing !== undefined && tables.size > 0) this.#attempt(() => this.#fail(`there is no table ${JSON.stringify(missing)}`))
    return tables
  }

  /** What a tree holds, by its keys. */
  *entries(what: string, tree: Tree): Generator<PageEntry, void, undefined> {
    for (const page of this.leaves(what, tree)) {
      yield* this.#attempt(() => this.#nodes(what, page, LEAF).map((node) => this.#entry(what, node))) ?? []
    }
  }

  /** undefined, and told of: it cannot be read. */
  valueOf(entry: PageEntry): Buffer | undefined {
    return this.#attempt(() => entry.value())
  }

  /**
   * Looks at the list of the pages that LMDB will write to again, once everything else was read that must not be among
   * them.
   */
  checkFree({ free }: Meta): void {
    const what = 'the list of free pages'
    for (const entry of this.entries(what, free)) {
      this.#attempt(() => {
        if (entry.key.length !== 8) this.#fail(`${what} has a key that is none`)
        for (const { page, count } of freePages(entry.value(), what)) {
          if (page < 2n || page + count - 1n > this.#lastPage) this.#fail(`${what} has page ${page}, which is none`)
          for (let next = page; next < page + count; next++) {
            if (this.#isUsed(next)) this.#fail(`${what} has page ${next}, which is in use`)
          }
        }
      })
    }
  }

  /** A tree's leaves, which are in the file and not looked at, in the order of their keys. */
  leaves(what: string, { isOfAnotherKind, root, depth }: Tree): Generator<bigint, void, undefined> {
    if (isOfAnotherKind) this.#attempt(() => this.#fail(`${what} is of another kind`))
    if (depth <= DEPTH_MAX) return this.#leavesBelow(what, root, depth)
    this.#attempt(() => this.#fail(`${what} is too deep`))
    return this.#leavesBelow(what, NO_PAGE, 0)
  }

  *#leavesBelow(what: string, page: bigint, height: number): Generator<bigint, void, undefined> {
    if (page === NO_PAGE) return
    if (height <= 1) {
      if (this.#attempt(() => this.#demand(page, 1n, what)) === true) yield page
      return
    }
    const children = this.#attempt(() => this.#nodes(what, page, BRANCH))
    for (const { child } of children ?? []) yield* this.#leavesBelow(what, child, height - 1)
  }

  #attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#onDamage(error)
      return undefined
    }
  }

  #entry(what: string, { key, flags, size, data }: Node): PageEntry {
    const isTree = (flags & IS_TREE) !== 0
    const tree = isTree ? treeAt(data, 0) : undefined
    if ((flags & IN_OVERFLOW_PAGES) === 0) {
      return { key, tree, value: () => Buffer.from(data.buffer, data.byteOffset, data.byteLength) }
    }
    return { key, tree, value: () => this.#overflow(what, data, size) }
  }

  #overflow(what: string, data: DataView, size: number): Buffer {
    const page = data.getBigUint64(0, LITTLE_ENDIAN)
    const pages = data.getBigUint64(16, LITTLE_ENDIAN)
    this.#demand(page, pages, what)
    if (BigInt(size) > pages * BigInt(this.#pageSize) - BigInt(HEADER)) this.#fail(`page ${page} of ${what} holds too little`)
    const first = this.#page(what, page, OVERFLOW)
    // So many LMDB frees, once the value is removed.
    if (BigInt(first.getUint32(20, LITTLE_ENDIAN)) !== pages) this.#fail(`page ${page} of ${what} begins another number of pages`)
    for (let next = page + 1n; next < page + pages; next++) this.#use(what, next)
    const value = Buffer.allocUnsafe(size)
    this.#readInto(value, page * BigInt(this.#pageSize) + BigInt(HEADER), what)
    return value
  }

  #meta(page: number): Meta {
    const bytes = Buffer.allocUnsafe(META_SIZE)
    this.#readInto(bytes, BigInt(page * this.#pageSize), `meta page ${page}`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, META_SIZE)
    if ((view.getUint16(18, LITTLE_ENDIAN) & META) === 0 || view.getUint32(HEADER, LITTLE_ENDIAN) !== MAGIC) {
      this.#fail(`meta page ${page} is not one`)
    }
    const format = view.getUint32(HEADER + 4, LITTLE_ENDIAN) & 0xffff
    if (format !== DATA_FORMAT) {
      throw new StoreError('format', `${this.#path} is of LMDB's data format ${format}; this version reads ${DATA_FORMAT}`)
    }
    const pageSize = view.getUint32(HEADER + 24, LITTLE_ENDIAN)
    if (pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX) this.#fail('its page size is impossible')
    return {
      pageSize,
      transaction: view.getBigUint64(HEADER + 128, LITTLE_ENDIAN),
      lastPage: view.getBigUint64(HEADER + 120, LITTLE_ENDIAN),
      free: treeAt(view, HEADER + 24, INTEGER_KEYS),
      main: treeAt(view, HEADER + 24 + TREE_SIZE)
    }
  }

  /** The nodes of a branch or leaf page, each within it. */
  #nodes(what: string, page: bigint, kind: typeof BRANCH | typeof LEAF): Node[] {
    const view = this.#page(what, page, kind)
    const lower = view.getUint16(20, LITTLE_ENDIAN)
    const upper = view.getUint16(22, LITTLE_ENDIAN)
    const end = this.#pageSize - HEADER
    if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > end) this.#fail(`page ${page} of ${what} has no valid header`)
    const nodes: Node[] = []
    let taken = 0
    for (let index = 0; index < lower; index += 2) {
      const at = view.getUint16(HEADER + index, LITTLE_ENDIAN)
      if (at < upper || at + NODE_HEADER > end) this.#fail(`page ${page} of ${what} has a node outside of it`)
      const node = this.#node(what, page, view, HEADER + at, kind)
      nodes.push(node)
      // At even addresses.
      taken += (NODE_HEADER + node.key.length + node.data.byteLength + 1) & ~1
    }
    // Nodes lie close together. Where one says that it is larger than it is, LMDB moves more than there is.
    if (taken !== end - upper) this.#fail(`page ${page} of ${what} has nodes of impossible sizes`)
    return nodes
  }

  #node(what: string, page: bigint, view: DataView, at: number, kind: typeof BRANCH | typeof LEAF): Node {
    const low = view.getUint16(at, LITTLE_ENDIAN)
    const high = view.getUint16(at + 2, LITTLE_ENDIAN)
    const flags = view.getUint16(at + 4, LITTLE_ENDIAN)
    const keySize = view.getUint16(at + 6, LITTLE_ENDIAN)
    const size = low + high * 0x1_0000
    const isHere = kind === LEAF && (flags & IN_OVERFLOW_PAGES) === 0
    const dataSize = isHere ? size : kind === LEAF ? OVERFLOW_SIZE : 0
    const keyStart = at + NODE_HEADER
    const isTooSmall = (flags & IS_TREE) !== 0 && kind === LEAF && dataSize < TREE_SIZE
    if (keyStart + keySize + dataSize > this.#pageSize || isTooSmall) {
      this.#fail(`page ${page} of ${what} has a node that does not fit`)
    }
    if (kind === LEAF && (flags & ~(IN_OVERFLOW_PAGES | IS_TREE)) !== 0) {
      this.#fail(`page ${page} of ${what} has a node of another kind`)
    }
    return {
      key: Buffer.from(view.buffer, view.byteOffset + keyStart, keySize),
      flags,
      size,
      child: BigInt(size) + (BigInt(flags) << 32n),
      data: new DataView(view.buffer, view.byteOffset + keyStart + keySize, dataSize)
    }
  }

  #page(what: string, page: bigint, kind: number): DataView {
    this.#demand(page, 1n, what)
    const bytes = Buffer.allocUnsafeSlow(this.#pageSize)
    this.#readInto(bytes, page * BigInt(this.#pageSize), what)
    const view = new DataView(bytes.buffer)
    const flags = view.getUint16(18, LITTLE_ENDIAN)
    if (view.getBigUint64(0, LITTLE_ENDIAN) !== page || (flags & kind) === 0 || (flags & FOREIGN) !== 0) {
      this.#fail(`page ${page} of ${what} holds something else`)
    }
    // LMDB takes a page of a transaction to come for one that it may change in place.
    if (view.getBigUint64(8, LITTLE_ENDIAN) > this.#transaction) this.#fail(`page ${page} of ${what} is of no transaction yet`)
    this.#use(what, page)
    return view
  }

  #use(what: string, page: bigint): void {
    if (this.#isUsed(page)) this.#fail(`page ${page} of ${what} is used twice`)
    const at = Number(page >> 3n)
    this.#seen[at] = (this.#seen[at] ?? 0) | (1 << Number(page & 7n))
  }

  #isUsed(page: bigint): boolean {
    return ((this.#seen[Number(page >> 3n)] ?? 0) & (1 << Number(page & 7n))) !== 0
  }

  /** Pages must be in the file, behind the meta pages. */
  #demand(page: bigint, count: bigint, what: string): true {
    const end = page + count
    if (page < 2n || count < 1n || end * BigInt(this.#pageSize) > BigInt(this.#size)) {
      this.#fail(`page ${page} of ${what} is not in the file, which is ${this.#size} bytes long`)
    }
    if (end - 1n > this.#lastPage) this.#fail(`page ${page} of ${what} is behind the last page in use`)
    return true
  }

  #readInto(bytes: Buffer, position: bigint, what: string): void {
    if (readSync(this.#descriptor, bytes, 0, bytes.length, position) !== bytes.length) {
      this.#fail(`${what} is not in the file, which is ${this.#size} bytes long`)
    }
  }

  #fail(what: string): never {
    throw damaged(`${this.#path}: ${what}`)
  }
}

interface Node {
  readonly key: Buffer
  readonly flags: number
  /** On a leaf page: of the value. */
  readonly size: number
  /** On a branch page. */
  readonly child: bigint
  /** On a leaf page: the value, or where it is. */
  readonly data: DataView
}

/**
 * What an entry of the list of free pages says, in signed numbers of 64 bits: how many follow, and then page numbers, each
 * the first of so many as a negative number before it says; 0 stands for nothing.
 */
function* freePages(list: Buffer, what: string): Generator<{ readonly page: bigint; readonly count: bigint }, void, undefined> {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  const numbers = list.byteLength < 8 ? -1n : view.getBigInt64(0, LITTLE_ENDIAN)
  if (numbers < 0n || (numbers + 1n) * 8n > BigInt(list.byteLength)) throw damaged(`${what} has an entry of an impossible length`)
  let count = 1n
  for (let at = 8; at <= Number(numbers) * 8; at += 8) {
    const number = view.getBigInt64(at, LITTLE_ENDIAN)
    if (number > 0n) yield { page: number, count }
    count = number < 0n ? -number : 1n
  }
  if (count !== 1n) throw damaged(`${what} ends within an entry`)
}

function treeAt(view: DataView, offset: number, kind = 0): Tree {
  return {
    isOfAnotherKind: (view.getUint16(offset + 4, LITTLE_ENDIAN) & ~SYNCED_LATER) !== kind,
    depth: view.getUint16(offset + 6, LITTLE_ENDIAN),
    root: view.getBigUint64(offset + 40, LITTLE_ENDIAN)
  }
}
