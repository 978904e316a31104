import { FATE_NAMES, type Fate } from './fate-catalogue.ts'

const FATES = FATE_NAMES.length
/** Clients that there is room for at first; doubled as needed. */
const CLIENTS_MIN = 64
const NONE = -1

/** A counter of one client. */
export interface FateCount {
  readonly fate: Fate
  readonly count: number
}

/**
 * How many messages of each client ended in which way: rows of a table, one for each client. Once there are as many as it
 * may have, a row that was not touched for long goes to the next client: the hand goes round, takes the mark from each
 * row that was touched since it last came by, and stops at the first without one. A list in the order of touching would
 * find the very oldest, but costs three cache misses more for each drop. Counting allocates nothing. Bench:
 * `bench/micro/fates.ts`.
 */
export class FateClients {
  readonly #clientsMax: number
  readonly #rows = new Map<string, number>()
  readonly #clientIds: string[] = []
  #counts: Float64Array = new Float64Array(CLIENTS_MIN * FATES)
  /** In which period each of the counters changed last, and in which any of the row. */
  #countChanged: Uint32Array = new Uint32Array(CLIENTS_MIN * FATES)
  #rowChanged: Uint32Array = new Uint32Array(CLIENTS_MIN)
  /** 1: touched since the hand came by. */
  #isTouched: Uint8Array = new Uint8Array(CLIENTS_MIN)
  #hand = 0
  #period = 1
  #forgotten = 0

  constructor(clientsMax: number) {
    this.#clientsMax = clientsMax
  }

  /** How many rows there are, from 0 on; a row that goes to another client stays one. */
  get rows(): number {
    return this.#clientIds.length
  }

  /** How many clients have been forgotten for the sake of others. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** @param fate its index in the catalogue */
  add(clientId: string, fate: number, count: number): void {
    const row = this.#rows.get(clientId) ?? this.#newRow(clientId)
    if (row === NONE) return
    const cell = row * FATES + fate
    this.#counts[cell] = (this.#counts[cell] ?? 0) + count
    this.#countChanged[cell] = this.#period
    this.#rowChanged[row] = this.#period
    this.#isTouched[row] = 1
  }

  /** The counters of a client that are not 0, in the catalogue's order. */
  of(clientId: string): ReadonlyMap<Fate, number> {
    const row = this.#rows.get(clientId)
    return new Map(row === undefined ? [] : this.#changesOf(row, 0).map(({ fate, count }) => [fate, count]))
  }

  /** Changes belong to a period. Ends it, and begins the next; returns the one that has ended. */
  nextPeriod(): number {
    return this.#period++
  }

  rowOf(clientId: string): number | undefined {
    return this.#rows.get(clientId)
  }

  clientIdOf(row: number): string {
    return this.#clientIds[row] ?? ''
  }

  /** Whether a counter of a row has changed in a later period. */
  hasChanged(row: number, sincePeriod: number): boolean {
    return (this.#rowChanged[row] ?? 0) > sincePeriod
  }

  /** The counters of a row that have changed in a later period. */
  changes(row: number, sincePeriod: number): readonly FateCount[] {
    return this.hasChanged(row, sincePeriod) ? this.#changesOf(row, sincePeriod) : []
  }

  #changesOf(row: number, sincePeriod: number): FateCount[] {
    const from = row * FATES
    return FATE_NAMES.flatMap((fate, index) => {
      const isChanged = (this.#countChanged[from + index] ?? 0) > sincePeriod
      return isChanged ? [{ fate, count: this.#counts[from + index] ?? 0 }] : []
    })
  }

  /** A row for a client that has none; NONE: nobody may have one. */
  #newRow(clientId: string): number {
    if (this.#clientsMax === 0) return NONE
    let row = this.#clientIds.length
    if (row < this.#clientsMax) {
      if (row === this.#isTouched.length) this.#grow()
      this.#clientIds.push(clientId)
    } else {
      row = this.#takeUntouched()
      this.#clientIds[row] = clientId
    }
    this.#rows.set(clientId, row)
    return row
  }

  #takeUntouched(): number {
    while (this.#isTouched[this.#hand] === 1) {
      this.#isTouched[this.#hand] = 0
      this.#hand = (this.#hand + 1) % this.#clientsMax
    }
    const row = this.#hand
    this.#hand = (row + 1) % this.#clientsMax
    this.#rows.delete(this.clientIdOf(row))
    this.#counts.fill(0, row * FATES, (row + 1) * FATES)
    this.#countChanged.fill(0, row * FATES, (row + 1) * FATES)
    this.#forgotten++
    return row
  }

  #grow(): void {
    const clients = Math.min(this.#isTouched.length * 2, this.#clientsMax)
    this.#counts = grown(this.#counts, new Float64Array(clients * FATES))
    this.#countChanged = grown(this.#countChanged, new Uint32Array(clients * FATES))
    this.#rowChanged = grown(this.#rowChanged, new Uint32Array(clients))
    this.#isTouched = grown(this.#isTouched, new Uint8Array(clients))
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
