import type { LogEntry, MaybePromise, SequenceNumber } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { LogConsumer } from './log-consumer.ts'
import { isPromise } from './maybe-promise.ts'

/** Entries asked of the log at a time. */
const READ_ENTRIES_MAX = 256
/** Entries asked for in one go, before other connections get their turn. */
const ENTRIES_PER_TURN_MAX = 2048

/** Whoever a log is read for: a session, or a group. */
export interface LogReaderOwner {
  /** How many messages could be taken right now. */
  readonly room: number
  /** Takes a message of the log, or lets it go with a fate. False: there is no room after all, so it stays unread. */
  takeEntry(entry: LogEntry): boolean
  /** Goes on, in a later turn of the event loop. */
  pump(): void
  /** The store could not be read; it is tried again at the next occasion. */
  readFailed(error: unknown): void
}

/** Reads a consumer on through the log, for as long as its owner has room for what comes. */
export class LogReader {
  readonly #engine: Engine
  readonly #consumer: LogConsumer
  readonly #owner: LogReaderOwner
  #isReading = false

  constructor(engine: Engine, consumer: LogConsumer, owner: LogReaderOwner) {
    this.#engine = engine
    this.#consumer = consumer
    this.#owner = owner
  }

  /** Reads until the consumer has caught up, or its owner has no room; a store that answers later is waited for. */
  read(): void {
    const { store } = this.#engine
    let asked = 0
    while (!this.#isReading && !this.#consumer.caughtUp) {
      const limit = Math.min(this.#owner.room, READ_ENTRIES_MAX)
      if (limit === 0) return
      if (asked >= ENTRIES_PER_TURN_MAX) {
        this.#engine.defer(() => this.#owner.pump())
        return
      }
      asked += limit
      const end = store.lastSequence
      const entries = this.#ask(limit)
      if (entries === undefined) return
      if (isPromise(entries)) this.#takeLater(entries, limit, end)
      else this.#take(entries, limit, end)
    }
  }

  #takeLater(entries: Promise<readonly LogEntry[]>, limit: number, end: SequenceNumber): void {
    this.#isReading = true
    entries.then(
      (read) => {
        this.#isReading = false
        // An owner that has gone meanwhile is offered nothing more: it must not count as having caught up.
        if (this.#owner.room > 0) this.#take(read, limit, end)
        this.#owner.pump()
      },
      (error: unknown) => {
        this.#isReading = false
        this.#owner.readFailed(error)
      }
    )
  }

  #ask(limit: number): MaybePromise<readonly LogEntry[]> | undefined {
    try {
      return this.#engine.store.read(this.#consumer.positions(), limit)
    } catch (error) {
      this.#owner.readFailed(error)
      return undefined
    }
  }

  #take(entries: readonly LogEntry[], limit: number, end: SequenceNumber): void {
    const consumer = this.#consumer
    consumer.settle()
    const isWhole = entries.length < limit || (entries.at(-1)?.sequence ?? 0) > end
    if (this.#takeEach(entries, end) && isWhole) consumer.reachedEnd(end)
    consumer.settle()
  }

  /**
   * False: there was no room for some of them. What came after the log was asked is left for the next time: since then
   * the consumer may have joined a queue that was not asked for.
   */
  #takeEach(entries: readonly LogEntry[], end: SequenceNumber): boolean {
    const consumer = this.#consumer
    for (const entry of entries) {
      if (entry.sequence > end) return true
      if (this.#owner.room === 0) return false
      if (!consumer.isRestored(entry.sequence) && !this.#owner.takeEntry(entry)) return false
      consumer.advance(entry.sequence)
    }
    return true
  }
}
