export type Fate =
  | 'no-subscriber'
  | 'subscriber-offline'
  | 'slow-subscriber'
  | 'queue-full'
  | 'expired'
  | 'not-authorized'
  | 'topic-refused'
  | 'quota-exceeded'
  | 'too-large-for-client'
  | 'refused-by-client'
  | 'session-ended'
  | 'unsubscribed'
  | 'never-released'
  | 'store-failed'
  | 'authorization-failed'

/** The ways in which a message ends other than delivered. Each has a counter; nothing is dropped without one. */
export const FATES: Readonly<Record<Fate, string>> = {
  'no-subscriber': 'nobody had a matching subscription when it was published',
  'subscriber-offline': 'QoS 0 for a session whose client was not connected',
  'slow-subscriber': 'QoS 0 for a client that read too slowly, its write buffer being full',
  'queue-full': 'pushed out of a session’s queue by newer messages, at queuedMessagesMax or queuedBytesMax',
  expired: 'its Message Expiry Interval ended before it was sent',
  'not-authorized': 'the publisher was not allowed to publish to its topic',
  'topic-refused': 'its topic name was not acceptable to this server',
  'quota-exceeded': 'the broker had no room for it and told the publisher so',
  'too-large-for-client': 'larger than the Maximum Packet Size of the client it was for',
  'refused-by-client': 'the client answered with a Reason Code of 0x80 or above',
  'session-ended': 'it waited for a session that ended',
  unsubscribed: 'it waited for a subscription that was ended before it was sent',
  'never-released': 'a QoS 2 message whose PUBREL had not come when the publisher’s session ended',
  'store-failed': 'the store could not keep it, so it was not acknowledged',
  'authorization-failed': 'the authorize hook threw'
}

const FATE_NAMES = Object.keys(FATES).filter((name): name is Fate => Object.hasOwn(FATES, name))

/** One dropped message, as the ring of recent drops remembers it. */
export interface Drop {
  readonly fate: Fate
  readonly topicName: string
  /** Whom it was for, or who published it where it was refused; empty: nobody in particular. */
  readonly clientId: string
  readonly payloadBytes: number
  /** How many messages this entry stands for: more than 1 where a queue was dropped as a whole. */
  readonly count: number
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number
}

/** What a drop is recorded from; a whole queue has no single topic or size. */
interface DroppedMessage {
  readonly topicName: string
  readonly payload: { readonly byteLength: number }
}

/** Counts what was not delivered, remembers the latest, and tells whoever listens. */
export class FateLedger {
  readonly #counts = new Map<Fate, number>(FATE_NAMES.map((fate) => [fate, 0]))
  readonly #recent: Drop[] = []
  readonly #recentMax: number
  readonly #now: () => number
  #oldest = 0
  #listener: ((drop: Drop) => void) | undefined

  constructor(recentMax: number, now: () => number) {
    this.#recentMax = recentMax
    this.#now = now
  }

  /** Has every drop reported; one listener, the broker's own events. */
  listen(listener: (drop: Drop) => void): void {
    this.#listener = listener
  }

  record(fate: Fate, message: DroppedMessage, clientId: string): void {
    this.#add({
      fate,
      topicName: message.topicName,
      clientId,
      payloadBytes: message.payload.byteLength,
      count: 1,
      atMs: this.#now()
    })
  }

  /** Records a message that was lost to several clients at once: counted for each, told as one. */
  recordForMany(fate: Fate, message: DroppedMessage, clientIds: readonly string[]): void {
    const [only = ''] = clientIds
    if (clientIds.length === 0) return
    const { topicName, payload } = message
    const clientId = clientIds.length === 1 ? only : ''
    this.#add({ fate, topicName, clientId, payloadBytes: payload.byteLength, count: clientIds.length, atMs: this.#now() })
  }

  /** Records messages that went together, of which only the number is known. */
  recordMany(fate: Fate, count: number, topicFilter: string, clientId: string): void {
    if (count > 0) this.#add({ fate, topicName: topicFilter, clientId, payloadBytes: 0, count, atMs: this.#now() })
  }

  count(fate: Fate): number {
    return this.#counts.get(fate) ?? 0
  }

  /** Every fate with its count since the broker started, in the catalogue's order. */
  counts(): ReadonlyMap<Fate, number> {
    return this.#counts
  }

  /** The latest drops, oldest first. */
  recent(): readonly Drop[] {
    return [...this.#recent.slice(this.#oldest), ...this.#recent.slice(0, this.#oldest)]
  }

  #add(drop: Drop): void {
    this.#counts.set(drop.fate, this.count(drop.fate) + drop.count)
    if (this.#recent.length < this.#recentMax) {
      this.#recent.push(drop)
    } else if (this.#recentMax > 0) {
      this.#recent[this.#oldest] = drop
      this.#oldest = (this.#oldest + 1) % this.#recentMax
    }
    this.#listener?.(drop)
  }
}
