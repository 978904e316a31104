import type { FilterNode } from './subscription-tree.ts'

const SLOTS_MIN = 64
/** A slot is two numbers: the hash of a node, and its place among the nodes; 0: the slot is free. */
const SLOT_LENGTH = 2

/**
 * Finds a node by the node above it and its own text, which may be a part of a longer one. It is a hash table with open
 * addressing: looking for one of a million nodes that is not there costs one access to memory, where a Map of Maps costs
 * a dozen, and a text need not be cut out to be looked for. Bench: `bench/micro/matching.ts`.
 *
 * ```
 *   slots   │ hash  place │   free   │ hash  place │ ...      a power of two, at most half of them used
 *                    └────────────────────┐ └──┐
 *   nodes   │    -    │  node  │  node  │ node  │ ...
 * ```
 */
export class FilterIndex {
  /** Chosen anew for each index, so that nobody can prepare texts that all have the same hash. */
  readonly #seed: number
  readonly #multiplier: number
  #slots = new Int32Array(SLOTS_MIN * SLOT_LENGTH)
  #mask = SLOTS_MIN - 1
  /** By place; the first is never used. */
  readonly #nodes: (FilterNode | undefined)[] = [undefined]
  readonly #freePlaces: number[] = []
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
    const slots = this.#slots
    const hash = this.#hash(parent, text, start, end)
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = slots[slot * SLOT_LENGTH + 1] ?? 0
      if (place === 0) return undefined
      if (slots[slot * SLOT_LENGTH] !== hash) continue
      const node = this.#nodes[place]
      if (node?.parent === parent && node?.level.length === end - start && text.startsWith(node.level, start)) return node
    }
  }

  /** Adds a node that is not among them. */
  add(node: FilterNode): void {
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#resize((this.#mask + 1) * 2)
    const place = this.#freePlaces.pop() ?? this.#nodes.length
    node.place = place
    this.#nodes[place] = node
    this.#size++
    this.#put(this.#hashOf(node), place)
  }

  delete(node: FilterNode): void {
    const slots = this.#slots
    let slot = this.#hashOf(node) & this.#mask
    while (slots[slot * SLOT_LENGTH + 1] !== node.place) slot = (slot + 1) & this.#mask
    this.#free(slot)
    this.#nodes[node.place] = undefined
    this.#freePlaces.push(node.place)
    this.#size--
    if (this.#mask + 1 > SLOTS_MIN && this.#size * 8 < this.#mask + 1) this.#resize((this.#mask + 1) / 2)
  }

  /** Frees a slot, and closes the gap: what was put behind it for want of room moves up. */
  #free(freed: number): void {
    const slots = this.#slots
    let gap = freed
    for (let slot = (gap + 1) & this.#mask; slots[slot * SLOT_LENGTH + 1] !== 0; slot = (slot + 1) & this.#mask) {
      const hash = slots[slot * SLOT_LENGTH] ?? 0
      const wayFromHome = (slot - hash) & this.#mask
      const wayFromGap = (slot - gap) & this.#mask
      if (wayFromHome < wayFromGap) continue
      slots[gap * SLOT_LENGTH] = hash
      slots[gap * SLOT_LENGTH + 1] = slots[slot * SLOT_LENGTH + 1] ?? 0
      gap = slot
    }
    slots[gap * SLOT_LENGTH + 1] = 0
  }

  #resize(size: number): void {
    const before = this.#slots
    this.#slots = new Int32Array(size * SLOT_LENGTH)
    this.#mask = size - 1
    for (let at = 0; at < before.length; at += SLOT_LENGTH) {
      const place = before[at + 1] ?? 0
      if (place > 0) this.#put(before[at] ?? 0, place)
    }
  }

  #put(hash: number, place: number): void {
    const slots = this.#slots
    let slot = hash & this.#mask
    while (slots[slot * SLOT_LENGTH + 1] !== 0) slot = (slot + 1) & this.#mask
    slots[slot * SLOT_LENGTH] = hash
    slots[slot * SLOT_LENGTH + 1] = place
  }

  #hashOf({ parent, level }: FilterNode): number {
    return this.#hash(parent, level, 0, level.length)
  }

  #hash(parent: FilterNode | undefined, text: string, start: number, end: number): number {
    const multiplier = this.#multiplier
    let hash = this.#seed ^ (parent?.place ?? -1)
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), multiplier)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    return hash ^ (hash >>> 13)
  }
}
