import { FATE_INDEXES, FATE_NAMES, type Fate } from './fate-catalogue.ts'
import { FateClients } from './fate-clients.ts'
import { LIMITS } from './limits.ts'

export { type Fate, type FateDescription, FATES } from './fate-catalogue.ts'

/** What the ring of recent drops remembers: one message, or several that went together. */
export interface Drop {
  readonly fate: Fate
  /** A topic filter where a queue was dropped as a whole; empty: not known. */
  readonly topicName: string
  /**
   * Whom it was for, or who published it: `FATES` tells which. `$share/NAME/FILTER` where it was for a group; empty: the
   * application, nobody in particular, or several.
   */
  readonly clientId: string
  /** 0 where a queue was dropped as a whole. */
  readonly payloadBytes: number
  /** How many messages this entry stands for, or how many clients one message was lost to. */
  readonly count: number
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number
  /** What the fate alone does not tell: the limit, the Reason Code, the error. Undefined: it does. */
  readonly reason: string | undefined
}

/** What a drop is recorded from; a whole queue has no single topic or size. */
interface DroppedMessage {
  readonly topicName: string
  readonly payload: { readonly byteLength: number }
}

/** Counts what was not delivered, in all and for each client, remembers the latest, and tells whoever listens. */
export class FateLedger {
  readonly clients: FateClients
  readonly #counts = new Float64Array(FATE_NAMES.length)
  readonly #recent: Drop[] = []
  readonly #recentMax: number
  readonly #now: () => number
  #oldest = 0
  #listener: ((drop: Drop) => void) | undefined

  /** @param clientsMax how many clients have counters of their own */
  constructor(recentMax: number, now: () => number, clientsMax: number = LIMITS.fateClientsMax.default) {
    this.#recentMax = recentMax
    this.#now = now
    this.clients = new FateClients(clientsMax)
  }

  /** Has every drop reported; one listener, the broker's own events. */
  listen(listener: (drop: Drop) => void): void {
    this.#listener = listener
  }

  /** @param reason what the fate alone does not tell; best a constant, since most drops come in thousands */
  record(fate: Fate, message: DroppedMessage, clientId: string, reason?: string): void {
    this.#add(fate, message.topicName, clientId, message.payload.byteLength, 1, reason)
    if (clientId !== '') this.clients.add(clientId, indexOf(fate), 1)
  }

  /** Records a message that was lost to several clients at once: counted for each, told as one. */
  recordForMany(fate: Fate, message: DroppedMessage, clientIds: readonly string[], reason?: string): void {
    const { length } = clientIds
    const [only = ''] = clientIds
    if (length === 0) return
    this.#add(fate, message.topicName, length === 1 ? only : '', message.payload.byteLength, length, reason)
    const index = indexOf(fate)
    for (const clientId of clientIds) this.clients.add(clientId, index, 1)
  }

  /** Records messages that went together, of which only the number is known. */
  recordMany(fate: Fate, count: number, topicFilter: string, clientId: string, reason?: string): void {
    if (count <= 0) return
    this.#add(fate, topicFilter, clientId, 0, count, reason)
    if (clientId !== '') this.clients.add(clientId, indexOf(fate), count)
  }

  count(fate: Fate): number {
    return this.#counts[indexOf(fate)] ?? 0
  }

  /** How many messages ended other than delivered, whichever way. */
  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Every fate with its count since the broker started, in the catalogue's order. */
  counts(): ReadonlyMap<Fate, number> {
    return new Map(FATE_NAMES.map((fate) => [fate, this.count(fate)]))
  }

  /** The latest drops, oldest first. */
  recent(): readonly Drop[] {
    return [...this.#recent.slice(this.#oldest), ...this.#recent.slice(0, this.#oldest)]
  }

  /** The last so many of them, oldest first. */
  latest(count: number): readonly Drop[] {
    return this.recent().slice(-count)
  }

  #add(fate: Fate, topicName: string, clientId: string, payloadBytes: number, count: number, reason: string | undefined): void {
    const index = indexOf(fate)
    this.#counts[index] = (this.#counts[index] ?? 0) + count
    const drop: Drop = { fate, topicName, clientId, payloadBytes, count, atMs: this.#now(), reason }
    if (this.#recent.length < this.#recentMax) {
      this.#recent.push(drop)
    } else if (this.#recentMax > 0) {
      this.#recent[this.#oldest] = drop
      this.#oldest = (this.#oldest + 1) % this.#recentMax
    }
    this.#listener?.(drop)
  }
}

function indexOf(fate: Fate): number {
  return FATE_INDEXES.get(fate) ?? 0
}
