import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { TABLES } from './layout.ts'
import { damaged, StoreError } from './store-error.ts'

// What LMDB (data format 2) writes, in the machine's byte order. LMDB itself trusts the file: where that is cut short or
// scribbled over, reading it ends the process. Therefore it is looked at first.
//
//   page  => page_number (64 bits), transaction (64), pad (16), flags (16), lower (16), upper (16), then
//            a meta page, or node offsets (16 each), from the header's end, and the nodes at the page's end
//   meta  => magic (32), version (32), address (64), map_size (64), free tree, main tree, last_page (64), transaction (64)
//   tree  => pad (32: page size, in the free tree), flags (16), depth (16), page counts (3 × 64), entries (64), root (64)
//   node  => low (16), high (16), flags (16), key_size (16), key, data; on a branch page low, high and flags are a page
const HEADER = 24
const META_SIZE = HEADER + 136
const MAGIC = 0xbe_ef_c0_de
const DATA_FORMAT = 2
const TREE_SIZE = 48
const NODE_HEADER = 8

const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
const IN_OVERFLOW_PAGES = 0x01
const IS_TREE = 0x02

const NO_PAGE = 0xffff_ffff_ffff_ffffn
const LITTLE_ENDIAN = endianness() === 'LE'

interface Tree {
  readonly depth: number
  readonly root: bigint
}

/**
 * Looks at the pages of a data file through which LMDB finds everything else: the meta pages, all branch pages, and the
 * leaves of the trees that are read when a store is opened. Takes time in the order of a hundredth of the file, and none
 * for what the messages' pages hold.
 *
 * @throws StoreError if they cannot be what was written; the file is not changed
 */
export function checkDataFile(path: string): void {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (cause) {
    throw new StoreError('failed', `cannot read ${path}`, { cause })
  }
  try {
    new DataFileCheck(path, descriptor).run()
  } finally {
    closeSync(descriptor)
  }
}

class DataFileCheck {
  readonly #path: string
  readonly #descriptor: number
  readonly #size: number
  #pageSize = META_SIZE

  constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
    this.#size = fstatSync(descriptor).size
  }

  run(): void {
    const first = this.#meta(0)
    this.#pageSize = first.getUint32(HEADER + 24, LITTLE_ENDIAN)
    if (this.#pageSize < 512 || this.#pageSize > 65_536) this.#fail('its page size is impossible')
    const second = this.#meta(1)
    const isFirst = transactionOf(first) >= transactionOf(second)
    const meta = isFirst ? first : second
    this.#walk('the list of free pages', treeAt(meta, HEADER + 24), true)
    for (const { key, tree } of this.#walk('the list of tables', treeAt(meta, HEADER + 24 + TREE_SIZE), true)) {
      const isReadWhenOpened = key === 'records' || !TABLES.some((table) => table === key)
      this.#walk(`the table ${JSON.stringify(key)}`, tree, isReadWhenOpened)
    }
  }

  #meta(page: number): DataView {
    const view = this.#read(BigInt(page), META_SIZE, `meta page ${page}`)
    if ((view.getUint16(18, LITTLE_ENDIAN) & META) === 0 || view.getUint32(HEADER, LITTLE_ENDIAN) !== MAGIC) {
      this.#fail(`meta page ${page} is not one`)
    }
    const format = view.getUint32(HEADER + 4, LITTLE_ENDIAN) & 0xffff
    if (format !== DATA_FORMAT) {
      throw new StoreError('format', `${this.#path} is of LMDB's data format ${format}; this version reads ${DATA_FORMAT}`)
    }
    return view
  }

  /** Follows a tree to its leaves, and into those if they are wanted. Returns the trees that it holds. */
  #walk(what: string, { root, depth }: Tree, withLeaves: boolean): { readonly key: string; readonly tree: Tree }[] {
    const held: { readonly key: string; readonly tree: Tree }[] = []
    if (root === NO_PAGE) return held
    let level: bigint[] = [root]
    for (let height = depth; height > 1; height--) {
      level = level.flatMap((page) => this.#nodes(what, page, BRANCH).map(({ child }) => child))
    }
    for (const page of level) {
      if (!withLeaves) this.#demand(page, 1n, what)
      else for (const node of this.#nodes(what, page, LEAF)) held.push(...this.#leafNode(what, node))
    }
    return held
  }

  #leafNode(what: string, { key, flags, data }: Node): { readonly key: string; readonly tree: Tree }[] {
    if ((flags & IN_OVERFLOW_PAGES) !== 0) {
      const page = data.getBigUint64(0, LITTLE_ENDIAN)
      this.#demand(page, data.getBigUint64(16, LITTLE_ENDIAN), what)
      this.#page(what, page, OVERFLOW)
    }
    return (flags & IS_TREE) === 0 ? [] : [{ key, tree: treeAt(data, 0) }]
  }

  /** The nodes of a branch or leaf page, each within it. */
  #nodes(what: string, page: bigint, kind: typeof BRANCH | typeof LEAF): Node[] {
    const view = this.#page(what, page, kind)
    const lower = view.getUint16(20, LITTLE_ENDIAN)
    const upper = view.getUint16(22, LITTLE_ENDIAN)
    const end = this.#pageSize - HEADER
    if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > end) this.#fail(`page ${page} of ${what} has no valid header`)
    const nodes: Node[] = []
    for (let index = 0; index < lower; index += 2) {
      const at = view.getUint16(HEADER + index, LITTLE_ENDIAN)
      if (at < upper || at + NODE_HEADER > end) this.#fail(`page ${page} of ${what} has a node outside of it`)
      nodes.push(this.#node(what, page, view, HEADER + at, kind))
    }
    return nodes
  }

  #node(what: string, page: bigint, view: DataView, at: number, kind: typeof BRANCH | typeof LEAF): Node {
    const low = view.getUint16(at, LITTLE_ENDIAN)
    const high = view.getUint16(at + 2, LITTLE_ENDIAN)
    const flags = view.getUint16(at + 4, LITTLE_ENDIAN)
    const keySize = view.getUint16(at + 6, LITTLE_ENDIAN)
    const size = low + high * 0x1_0000
    const isHere = kind === LEAF && (flags & IN_OVERFLOW_PAGES) === 0
    const dataSize = isHere ? size : kind === LEAF ? HEADER : 0
    const keyStart = at + NODE_HEADER
    const isTooSmall = (flags & IS_TREE) !== 0 && kind === LEAF && dataSize < TREE_SIZE
    if (keyStart + keySize + dataSize > this.#pageSize || isTooSmall) {
      this.#fail(`page ${page} of ${what} has a node that does not fit`)
    }
    return {
      key: Buffer.from(view.buffer, view.byteOffset + keyStart, keySize)
        .toString()
        .replace(/\0$/, ''),
      flags,
      child: BigInt(size) + (BigInt(flags) << 32n),
      data: new DataView(view.buffer, view.byteOffset + keyStart + keySize, dataSize)
    }
  }

  #page(what: string, page: bigint, kind: number): DataView {
    this.#demand(page, 1n, what)
    const view = this.#read(page, this.#pageSize, what)
    if (view.getBigUint64(0, LITTLE_ENDIAN) !== page || (view.getUint16(18, LITTLE_ENDIAN) & kind) === 0) {
      this.#fail(`page ${page} of ${what} holds something else`)
    }
    return view
  }

  /** Pages must be in the file, behind the meta pages. */
  #demand(page: bigint, count: bigint, what: string): void {
    if (page < 2n || (page + count) * BigInt(this.#pageSize) > BigInt(this.#size)) {
      this.#fail(`page ${page} of ${what} is not in the file, which is ${this.#size} bytes long`)
    }
  }

  #read(page: bigint, size: number, what: string): DataView {
    const bytes = Buffer.allocUnsafe(size)
    if (readSync(this.#descriptor, bytes, 0, size, page * BigInt(this.#pageSize)) !== size) {
      this.#fail(`${what} is not in the file, which is ${this.#size} bytes long`)
    }
    return new DataView(bytes.buffer, bytes.byteOffset, size)
  }

  #fail(what: string): never {
    throw damaged(`${this.#path}: ${what}`)
  }
}

interface Node {
  readonly key: string
  readonly flags: number
  /** On a branch page. */
  readonly child: bigint
  /** On a leaf page: the value, or where it is. */
  readonly data: DataView
}

function transactionOf(meta: DataView): bigint {
  return meta.getBigUint64(HEADER + 128, LITTLE_ENDIAN)
}

function treeAt(view: DataView, offset: number): Tree {
  return { depth: view.getUint16(offset + 6, LITTLE_ENDIAN), root: view.getBigUint64(offset + 40, LITTLE_ENDIAN) }
}
