import type { Client, Message, Subscription } from '@godwit/client'
import type { QoS } from '@godwit/protocol'
import { recordMs } from './latency.ts'
import { StampReader } from './stamp.ts'
import { StreamLedger } from './stream-ledger.ts'
import type { ThreadFigures } from './thread-figures.ts'
import { findingsOf, type StreamFindings } from './verification.ts'

/** What the subscribers of one thread have in common. */
export interface Receiving {
  readonly run: number
  readonly payloadBytes: number
  readonly qos: QoS
  readonly figures: ThreadFigures
  /** Of each publisher. */
  readonly topics: readonly string[]
  readonly delivered: Int32Array<SharedArrayBuffer>
  /** Told of each delivery. */
  readonly onDelivery: (publisher: number) => void
}

/** One subscriber, which verifies what it gets. */
export class LoadSubscriber {
  readonly #receiving: Receiving
  readonly #filter: string
  readonly #reader: StampReader
  /** By publisher, of those whose messages it is to get. */
  readonly #ledgers: Map<number, StreamLedger>
  readonly #damaged = new Map<number, number>()
  #foreign = 0

  /** @param publishers whose messages it is to get; empty: it takes what comes, and verifies nothing */
  constructor(receiving: Receiving, filter: string, publishers: readonly number[]) {
    this.#receiving = receiving
    this.#filter = filter
    this.#reader = new StampReader(receiving.run, receiving.payloadBytes)
    this.#ledgers = new Map(publishers.map((publisher) => [publisher, new StreamLedger()]))
  }

  get foreign(): number {
    return this.#foreign
  }

  subscribe(client: Client): Subscription {
    return client.subscribe(this.#filter, { qos: this.#receiving.qos }, (message) => this.#take(message))
  }

  /** @param published what each publisher has published */
  findings(published: readonly number[]): StreamFindings[] {
    return [...this.#ledgers].map(([publisher, ledger]) =>
      findingsOf(publisher, ledger, published[publisher] ?? 0, this.#damaged.get(publisher) ?? 0)
    )
  }

  #take(message: Message): void {
    const { figures, topics, delivered, onDelivery } = this.#receiving
    figures.received++
    figures.lastDeliveryAtMs = message.receivedAtMs
    if (this.#ledgers.size === 0) return
    const verdict = this.#reader.read(message.payload)
    if (verdict === 'foreign') {
      this.#foreign++
      return
    }
    const { publisher } = this.#reader
    const ledger = verdict === 'ours' ? this.#ledgers.get(publisher) : undefined
    // Whole, but on another's topic: it was mixed up on its way.
    if (ledger === undefined || topics[publisher] !== message.topic) {
      this.#countDamaged(topics.indexOf(message.topic))
      return
    }
    ledger.take(this.#reader.sequence)
    recordMs(figures.delivering, message.receivedAtMs - this.#reader.sentAtMs)
    Atomics.add(delivered, publisher, 1)
    onDelivery(publisher)
  }

  /** Whose it was, its topic tells; if not even that, it counts as foreign. */
  #countDamaged(publisher: number): void {
    if (this.#ledgers.has(publisher)) this.#damaged.set(publisher, (this.#damaged.get(publisher) ?? 0) + 1)
    else this.#foreign++
  }
}
