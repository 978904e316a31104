const SLOTS_MIN = 16
/** A table that becomes empty lets go of its slots if it has so many times more than were in use since it was empty before. */
const SLOTS_PER_USED_MAX = 8

/**
 * What is kept by packet identifier, in the order in which it was put. Identifiers that are in use at a time follow each
 * other, so that their lowest bits tell them apart; where they do not, the table is doubled.
 *
 * It is not a Map because of what that costs the garbage collector: V8 links each table that a Map has outgrown to the
 * next, so that one which has become old keeps all that came after it, and their messages, from being collected while they
 * are young. Bench: `bench/micro/inflight.ts`.
 */
export class IdentifierTable<Item extends object> {
  #items: (Item | undefined)[] = []
  #identifiers: number[] = []
  /** Counts what is put: the order. */
  #turns: number[] = []
  #turn = 0
  #size = 0
  /** The highest size since the table was empty. */
  #peak = 0

  get size(): number {
    return this.#size
  }

  get(packetIdentifier: number): Item | undefined {
    const slot = packetIdentifier & (this.#items.length - 1)
    return this.#identifiers[slot] === packetIdentifier ? this.#items[slot] : undefined
  }

  /** Puts it behind all others, in place of what has this identifier. */
  put(packetIdentifier: number, item: Item): void {
    let slot = packetIdentifier & (this.#items.length - 1)
    while (this.#items.length === 0 || (this.#items[slot] !== undefined && this.#identifiers[slot] !== packetIdentifier)) {
      this.#grow()
      slot = packetIdentifier & (this.#items.length - 1)
    }
    if (this.#items[slot] === undefined) this.#peak = Math.max(this.#peak, ++this.#size)
    this.#set(slot, packetIdentifier, item, this.#turn++)
  }

  delete(packetIdentifier: number): boolean {
    if (this.get(packetIdentifier) === undefined) return false
    this.#items[packetIdentifier & (this.#items.length - 1)] = undefined
    this.#size--
    if (this.#size === 0) this.#emptied()
    return true
  }

  /** The identifiers, in the order of what they stand for. */
  keys(): number[] {
    return this.#inOrder().map((slot) => this.#identifiers[slot] ?? 0)
  }

  /** All at this moment, in order. */
  values(): Item[] {
    return this.#inOrder().flatMap((slot) => this.#items[slot] ?? [])
  }

  #inOrder(): number[] {
    const slots: number[] = []
    for (const [slot, item] of this.#items.entries()) if (item !== undefined) slots.push(slot)
    return slots.sort((one, other) => (this.#turns[one] ?? 0) - (this.#turns[other] ?? 0))
  }

  #emptied(): void {
    if (this.#items.length > Math.max(SLOTS_MIN, this.#peak * SLOTS_PER_USED_MAX)) this.#allocate(0)
    this.#peak = 0
  }

  #set(slot: number, packetIdentifier: number, item: Item, turn: number): void {
    this.#items[slot] = item
    this.#identifiers[slot] = packetIdentifier
    this.#turns[slot] = turn
  }

  /** Until no two are in each other's way; with a slot for each identifier there are none. */
  #grow(): void {
    const items = this.#items
    const identifiers = this.#identifiers
    const turns = this.#turns
    this.#allocate(Math.max(SLOTS_MIN, items.length * 2))
    for (const [slot, item] of items.entries()) {
      const packetIdentifier = identifiers[slot] ?? 0
      if (item !== undefined) this.#set(packetIdentifier & (this.#items.length - 1), packetIdentifier, item, turns[slot] ?? 0)
    }
  }

  #allocate(slots: number): void {
    this.#items = listOf<Item | undefined>(slots, undefined)
    this.#identifiers = listOf(slots, 0)
    this.#turns = listOf(slots, 0)
  }
}

/** As Array.from does it, in a tenth of the time. */
function listOf<Value>(length: number, value: Value): Value[] {
  const list: Value[] = []
  for (let index = 0; index < length; index++) list.push(value)
  return list
}
