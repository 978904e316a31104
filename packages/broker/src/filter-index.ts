import type { FilterNode } from './subscription-tree.ts'

const SLOTS_MIN = 64

/**
 * Finds a node by the node above it and its own text, which may be a part of a longer one. It is a hash table with open
 * addressing: a text need not be cut out to be looked for, and looking for one of a million nodes that is not there costs
 * one access to memory, where a Map of Maps costs a dozen; mostly not even that, because a tag is a single byte, and all
 * tags together are small enough for a processor's cache. Bench: `bench/micro/matching.ts`.
 *
 * ```
 *   tags    │ tag  │  0   │ tag  │ ...      a byte of the hash, to tell most others apart; 0: the slot is free
 *   nodes   │ node │  -   │ node │ ...
 *   hashes  │ hash │  -   │ hash │ ...      for when slots change: nodes far away in memory are not asked for theirs
 *                                           a power of two, at most half of them used
 * ```
 */
export class FilterIndex {
  /** Chosen anew for each index, so that texts which all have the same hash in one do not in another. */
  readonly #seed: number
  readonly #multiplier: number
  #tags = new Uint8Array(SLOTS_MIN)
  #nodes = freeSlots(SLOTS_MIN)
  #hashes = new Int32Array(SLOTS_MIN)
  #mask = SLOTS_MIN - 1
  #size = 0

  /** @param random numbers from 0 to below 1 */
  constructor(random: () => number) {
    this.#seed = (random() * 0x1_0000_0000) | 0
    this.#multiplier = (random() * 0x1_0000_0000) | 1
  }

  get size(): number {
    return this.#size
  }

  /** The node with the text from `start` to `end` below `parent`, or below none. */
  get(parent: FilterNode | undefined, text: string, start: number, end: number): FilterNode | undefined {
    const tags = this.#tags
    const hash = this.#hash(parent, text, start, end)
    const tag = tagOf(hash)
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = tags[slot]
      if (found === 0) return undefined
      if (found !== tag) continue
      const node = this.#nodes[slot]
      if (node?.parent === parent && node?.level.length === end - start && text.startsWith(node.level, start)) return node
    }
  }

  /** Adds a node that is not among them. */
  add(node: FilterNode): void {
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#resize((this.#mask + 1) * 2)
    node.hash = this.#hash(node.parent, node.level, 0, node.level.length)
    this.#size++
    this.#put(node, node.hash)
  }

  delete(node: FilterNode): void {
    let slot = node.hash & this.#mask
    while (this.#nodes[slot] !== node) slot = (slot + 1) & this.#mask
    this.#free(slot)
    this.#size--
    if (this.#mask + 1 > SLOTS_MIN && this.#size * 8 < this.#mask + 1) this.#resize((this.#mask + 1) / 2)
  }

  /** Frees a slot, and closes the gap: what was put behind it for want of room moves up. */
  #free(freed: number): void {
    let gap = freed
    for (let slot = (gap + 1) & this.#mask; this.#tags[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const hash = this.#hashes[slot] ?? 0
      const wayFromHome = (slot - hash) & this.#mask
      const wayFromGap = (slot - gap) & this.#mask
      if (wayFromHome < wayFromGap) continue
      this.#set(gap, this.#nodes[slot], hash)
      gap = slot
    }
    this.#tags[gap] = 0
    this.#nodes[gap] = undefined
  }

  #resize(size: number): void {
    const tags = this.#tags
    const nodes = this.#nodes
    const hashes = this.#hashes
    this.#tags = new Uint8Array(size)
    this.#nodes = freeSlots(size)
    this.#hashes = new Int32Array(size)
    this.#mask = size - 1
    for (let slot = 0; slot < tags.length; slot++) if (tags[slot] !== 0) this.#put(nodes[slot], hashes[slot] ?? 0)
  }

  #put(node: FilterNode | undefined, hash: number): void {
    let slot = hash & this.#mask
    while (this.#tags[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#set(slot, node, hash)
  }

  #set(slot: number, node: FilterNode | undefined, hash: number): void {
    this.#tags[slot] = tagOf(hash)
    this.#nodes[slot] = node
    this.#hashes[slot] = hash
  }

  #hash(parent: FilterNode | undefined, text: string, start: number, end: number): number {
    const multiplier = this.#multiplier
    let hash = this.#seed ^ (parent?.hash ?? -1)
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), multiplier)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return hash ^ (hash >>> 13)
  }
}

/** From bits that a slot is not found by; never 0. */
function tagOf(hash: number): number {
  return hash >>> 24 || 1
}

function freeSlots(size: number): (FilterNode | undefined)[] {
  const slots: (FilterNode | undefined)[] = []
  for (let slot = 0; slot < size; slot++) slots.push(undefined)
  return slots
}
