import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { damaged, OutboxFailure } from './outbox-failure.ts'

// What LMDB (data format 2) writes, in the machine's byte order:
//
//   page  => page_number (64 bits), transaction (64), pad (16), flags (16), lower (16), upper (16), then
//            a meta page, or the places of nodes (16 each), from the header's end, and the nodes, at the page's end;
//            the first of pages that hold a value says in place of lower and upper how many they are (32)
//   meta  => magic (32), version (32), address (64), map_size (64), free tree, main tree, last_page (64), transaction (64)
//   tree  => pad (32: page size, in the free tree), flags (16), depth (16), page counts (3 × 64), entries (64), root (64)
//   node  => low (16), high (16), flags (16), key_size (16), key, data; on a branch page low, high and flags are a page,
//            on a leaf the size of the data, which may be elsewhere: page (64), transaction (64), count (64)
//   free  => the data in the free tree, in signed numbers of 64 bits: how many follow, and then pages, each the first of
//            as many as a negative number before it says; 0 stands for none
const HEADER = 24
const META_LENGTH = HEADER + 136
const MAGIC = 0xbe_ef_c0_de
const DATA_FORMAT = 2
const TREE_LENGTH = 48
const NODE_HEADER = 8
const OVERFLOW_LENGTH = 24

const PageKind = { Branch: 0x01, Leaf: 0x02, Overflow: 0x04, Meta: 0x08 } as const
type PageKind = (typeof PageKind)[keyof typeof PageKind]

const IN_OVERFLOW_PAGES = 0x01
/** The free tree's: its keys are numbers, and nothing else, which LMDB does not doubt. */
const INTEGER_KEYS = 0x08
/** Set where whoever wrote the file last left the syncing to later. */
const SYNCED_LATER = 0x1000
const DEPTH_MAX = 32
const PAGE_SIZE_MIN = 512
const PAGE_SIZE_MAX = 65_536
/** Pages that one transaction took, and let go of unwritten, can be in use behind the file's end: at most 131,072, by LMDB's own limit. */
const UNWRITTEN_MAX = 1_048_576n
const NO_PAGE = 0xffff_ffff_ffff_ffffn
const LITTLE_ENDIAN = endianness() === 'LE'

interface Tree {
  readonly isOfAnotherKind: boolean
  readonly depth: number
  readonly root: bigint
}

interface Meta {
  readonly pageSize: number
  readonly transaction: bigint
  readonly lastPage: bigint
  readonly free: Tree
  readonly main: Tree
}

/**
 * Looks at every page by which LMDB finds what it holds, before LMDB does. It trusts the file: where that is cut short or scribbled over,
 * reading it ends the process.
 *
 * @throws {OutboxFailure} if a page cannot be what was written; the file is not changed
 */
export function checkDataFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    new DataFileCheck(path, descriptor).run()
  } finally {
    closeSync(descriptor)
  }
}

class DataFileCheck {
  readonly #path: string
  readonly #descriptor: number
  readonly #size: bigint
  readonly #meta: Meta
  readonly #used = new Set<bigint>()

  constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
    this.#size = BigInt(fstatSync(descriptor).size)
    const first = this.#readMeta(0n, 0)
    const second = this.#readMeta(BigInt(first.pageSize), 1)
    this.#meta = first.transaction >= second.transaction ? first : second
  }

  run(): void {
    const { free, main, lastPage } = this.#meta
    // LMDB asks for as much memory, and could end the process where it gets none.
    if (lastPage > this.#size / this.#pageSize + UNWRITTEN_MAX) this.#fail(`page ${lastPage} is said to be in use`)
    const lists = [...this.#values(free)]
    for (const _ of this.#values(main));
    for (const list of lists) this.#checkFree(list())
  }

  *#values({ isOfAnotherKind, root, depth }: Tree): Generator<() => DataView, void, undefined> {
    if (isOfAnotherKind) this.#fail('a tree is of another kind')
    if (depth > DEPTH_MAX) this.#fail('a tree is too deep')
    if (root !== NO_PAGE) yield* this.#valuesBelow(root, depth)
  }

  *#valuesBelow(page: bigint, height: number): Generator<() => DataView, void, undefined> {
    const isLeaf = height <= 1
    for (const { view, at, keyLength } of this.#nodes(page, isLeaf ? PageKind.Leaf : PageKind.Branch)) {
      const [low, high] = [view.getUint16(at, LITTLE_ENDIAN), view.getUint16(at + 2, LITTLE_ENDIAN)]
      const flags = view.getUint16(at + 4, LITTLE_ENDIAN)
      const number = low + high * 0x1_0000
      const data = at + NODE_HEADER + keyLength
      if (!isLeaf) yield* this.#valuesBelow(BigInt(number) + (BigInt(flags) << 32n), height - 1)
      else if ((flags & ~IN_OVERFLOW_PAGES) !== 0) this.#fail(`page ${page} has a node of another kind`)
      else if (flags === 0) yield () => new DataView(view.buffer, data, number)
      else yield this.#overflow(view, data, number)
    }
  }

  /** LMDB writes to the pages in the list. */
  #checkFree(list: DataView): void {
    const numbers = list.byteLength < 8 ? -1n : list.getBigInt64(0, LITTLE_ENDIAN)
    if (numbers < 0n || (numbers + 1n) * 8n > BigInt(list.byteLength)) this.#fail('a list of free pages has an impossible length')
    let count = 1n
    for (let at = 8; at <= Number(numbers) * 8; at += 8) {
      const number = list.getBigInt64(at, LITTLE_ENDIAN)
      if (number > 0n) this.#use(number, count)
      count = number < 0n ? -number : 1n
    }
    if (count !== 1n) this.#fail('a list of free pages ends too early')
  }

  #overflow(view: DataView, at: number, size: number): () => DataView {
    const page = view.getBigUint64(at, LITTLE_ENDIAN)
    const count = view.getBigUint64(at + 16, LITTLE_ENDIAN)
    if (count < 1n || BigInt(HEADER + size) > count * this.#pageSize) this.#fail(`page ${page} holds too little`)
    this.#useInFile(page, count)
    const first = this.#readPage(page, PageKind.Overflow, HEADER)
    // So many LMDB frees, once the value is removed.
    if (BigInt(first.getUint32(20, LITTLE_ENDIAN)) !== count) this.#fail(`page ${page} begins another number of pages`)
    return () => this.#read(page * this.#pageSize + BigInt(HEADER), size)
  }

  /** The nodes of a branch or leaf page, each within it. */
  #nodes(page: bigint, kind: PageKind): { readonly view: DataView; readonly at: number; readonly keyLength: number }[] {
    this.#useInFile(page, 1n)
    const pageSize = Number(this.#pageSize)
    const view = this.#readPage(page, kind, pageSize)
    const lower = view.getUint16(20, LITTLE_ENDIAN)
    const upper = view.getUint16(22, LITTLE_ENDIAN)
    const end = pageSize - HEADER
    if (lower === 0 || lower % 2 !== 0 || lower > upper || upper > end) this.#fail(`page ${page} has no valid header`)
    let taken = 0
    const nodes = Array.from({ length: lower / 2 }, (_, index) => {
      const place = view.getUint16(HEADER + 2 * index, LITTLE_ENDIAN)
      if (place < upper || place + NODE_HEADER > end) this.#fail(`page ${page} has a node outside of it`)
      const at = HEADER + place
      const keyLength = view.getUint16(at + 6, LITTLE_ENDIAN)
      const length = NODE_HEADER + keyLength + (kind === PageKind.Leaf ? dataLength(view, at) : 0)
      if (at + length > pageSize) this.#fail(`page ${page} has a node that does not fit`)
      // At even places.
      taken += (length + 1) & ~1
      return { view, at, keyLength }
    })
    // Nodes lie close together. Where one says that it is larger than it is, LMDB moves more than there is.
    if (taken !== end - upper) this.#fail(`page ${page} has nodes of impossible sizes`)
    return nodes
  }

  #readPage(page: bigint, kind: PageKind, length: number): DataView {
    const view = this.#read(page * this.#pageSize, length)
    const isIt = view.getBigUint64(0, LITTLE_ENDIAN) === page && view.getUint16(18, LITTLE_ENDIAN) === kind
    // LMDB takes a page of a transaction to come for one that it may change in place.
    if (!isIt || view.getBigUint64(8, LITTLE_ENDIAN) > this.#meta.transaction) this.#fail(`page ${page} holds something else`)
    return view
  }

  #readMeta(position: bigint, page: number): Meta {
    const view = this.#read(position, META_LENGTH)
    if (view.getUint16(18, LITTLE_ENDIAN) !== PageKind.Meta || view.getUint32(HEADER, LITTLE_ENDIAN) !== MAGIC) {
      this.#fail(`meta page ${page} is not one`)
    }
    const format = view.getUint32(HEADER + 4, LITTLE_ENDIAN) & 0xffff
    if (format !== DATA_FORMAT) {
      throw new OutboxFailure(`${this.#path} is of LMDB's data format ${format}; this version reads ${DATA_FORMAT}`)
    }
    const pageSize = view.getUint32(HEADER + 24, LITTLE_ENDIAN)
    if (pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX) this.#fail('its page size is impossible')
    return {
      pageSize,
      transaction: view.getBigUint64(HEADER + 128, LITTLE_ENDIAN),
      lastPage: view.getBigUint64(HEADER + 120, LITTLE_ENDIAN),
      free: treeAt(view, HEADER + 24, INTEGER_KEYS),
      main: treeAt(view, HEADER + 24 + TREE_LENGTH)
    }
  }

  get #pageSize(): bigint {
    return BigInt(this.#meta.pageSize)
  }

  #useInFile(page: bigint, count: bigint): void {
    if ((page + count) * this.#pageSize > this.#size) this.#fail(`page ${page} is not in the file`)
    this.#use(page, count)
  }

  /** Pages must be behind the meta pages, and each in one place, of the trees or the lists. Free ones may never have been written. */
  #use(page: bigint, count: bigint): void {
    const end = page + count
    if (page < 2n || end - 1n > this.#meta.lastPage) this.#fail(`page ${page} is none in use`)
    for (let next = page; next < end; next++) {
      if (this.#used.has(next)) this.#fail(`page ${next} is used twice`)
      this.#used.add(next)
    }
  }

  #read(position: bigint, length: number): DataView {
    const bytes = Buffer.allocUnsafeSlow(length)
    const read = readSync(this.#descriptor, bytes, 0, length, position)
    if (read !== length) this.#fail(`it ends too early, after ${this.#size} bytes`)
    return new DataView(bytes.buffer)
  }

  #fail(what: string): never {
    throw damaged(`${this.#path}: ${what}`)
  }
}

/** Of a node on a leaf page: of its value, or of where that is. */
function dataLength(view: DataView, at: number): number {
  const isElsewhere = (view.getUint16(at + 4, LITTLE_ENDIAN) & IN_OVERFLOW_PAGES) !== 0
  if (isElsewhere) return OVERFLOW_LENGTH
  return view.getUint16(at, LITTLE_ENDIAN) + view.getUint16(at + 2, LITTLE_ENDIAN) * 0x1_0000
}

function treeAt(view: DataView, at: number, kind = 0): Tree {
  return {
    isOfAnotherKind: (view.getUint16(at + 4, LITTLE_ENDIAN) & ~SYNCED_LATER) !== kind,
    depth: view.getUint16(at + 6, LITTLE_ENDIAN),
    root: view.getBigUint64(at + 40, LITTLE_ENDIAN)
  }
}
