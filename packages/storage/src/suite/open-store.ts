import assert from 'node:assert'
import type { ProgressRecord, StoreContents } from '../records.ts'
import type {
  CommitNumber,
  Consumer,
  LogEntry,
  MaybePromise,
  QueuePosition,
  RetainedMessage,
  Store,
  StoreListener
} from '../store.ts'

/** Where the stores of one check keep what they hold. */
export interface StorePlace {
  /** A store on what is kept here, not yet open. Asked again once that one is closed, as by a broker that starts again. */
  store(): Store
  /** Removes what is kept, once the last store is closed. */
  remove?(): MaybePromise<void>
}

/** One behaviour that every store has. */
export interface StoreCheck {
  readonly name: string
  /** Rejects if the store behaves otherwise. */
  readonly run: (bench: StoreBench) => Promise<void>
}

/** Opens a store, and opens it again. */
export class StoreBench {
  readonly #place: StorePlace
  #opened: OpenStore | undefined = undefined

  constructor(place: StorePlace) {
    this.#place = place
  }

  /** Closes the store if it is open, and opens it. */
  async open(): Promise<OpenStore> {
    await this.close()
    const listener = new JournalingListener()
    const store = this.#place.store()
    this.#opened = new OpenStore(store, await store.open(listener), listener)
    return this.#opened
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.store.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#place.remove?.()
  }
}

/** An open store with what it held when it was opened, and a journal of what its listener and consumers heard. */
export class OpenStore {
  readonly store: Store
  readonly contents: StoreContents
  readonly #listener: JournalingListener

  constructor(store: Store, contents: StoreContents, listener: JournalingListener) {
    this.store = store
    this.contents = contents
    this.#listener = listener
  }

  /** `committed 1`, `asked session c1` */
  get journal(): readonly string[] {
    return this.#listener.journal
  }

  get commits(): readonly CommitNumber[] {
    return this.#listener.commits
  }

  /** Resolves when the listener has heard of a commit. */
  committed(commit: CommitNumber): Promise<void> {
    this.store.hasten()
    return this.#listener.committed(commit)
  }

  /** Resolves when the listener has heard of every change made so far, of which there must be one it has not heard of. */
  allCommitted(): Promise<void> {
    return this.committed(this.store.gatheringCommit)
  }

  /** Has something done from within the listener's next `onCommitted`. */
  onceCommitted(action: () => void): void {
    this.#listener.onceCommitted = action
  }

  /** A consumer that notes in the journal when it is asked. */
  consumer(kind: Consumer['kind'], key: string, progress: () => ProgressRecord): Consumer {
    const { journal } = this.#listener
    return {
      kind,
      key,
      progress() {
        journal.push(`asked ${kind} ${key}`)
        return progress()
      }
    }
  }

  /** Everything that the positions' queues hold, read in slices. */
  async readAll(positions: readonly QueuePosition[], limit: number = 100): Promise<LogEntry[]> {
    const entries: LogEntry[] = []
    let reached = 0
    for (;;) {
      const next = positions.map(({ queue, after }) => ({ queue, after: Math.max(after, reached) }))
      const slice = await this.store.read(next, limit)
      assert(slice.length <= limit, `read at most ${limit}, got ${slice.length}`)
      const last = slice.at(-1)
      if (last === undefined) return entries
      assert(last.sequence > reached, 'a slice goes beyond the one before')
      entries.push(...slice)
      reached = last.sequence
    }
  }

  /** A whole scan; `between` is called after each page. */
  async scanRetained(
    topicFilter: string,
    limit: number = 100,
    between: (page: number) => void = () => {}
  ): Promise<RetainedMessage[]> {
    const messages: RetainedMessage[] = []
    let after: string | undefined
    for (let page = 1; ; page++) {
      const { messages: slice, next } = await this.store.readRetained(topicFilter, after, limit)
      assert(slice.length <= limit, `scan at most ${limit}, got ${slice.length}`)
      messages.push(...slice)
      if (next === undefined) return messages
      assert(next !== after, 'a page goes beyond the one before')
      after = next
      between(page)
    }
  }
}

class JournalingListener implements StoreListener {
  readonly journal: string[] = []
  readonly commits: CommitNumber[] = []
  onceCommitted: (() => void) | undefined = undefined
  #failure: Error | undefined = undefined
  readonly #waiting: { readonly commit: CommitNumber; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    []

  onCommitted(commit: CommitNumber): void {
    this.journal.push(`committed ${commit}`)
    this.commits.push(commit)
    const action = this.onceCommitted
    this.onceCommitted = undefined
    action?.()
    for (const waiting of this.#waiting) if (waiting.commit <= commit) waiting.resolve()
  }

  onCommitFailed(commit: CommitNumber, cause: Error): void {
    this.#failure = new Error(`commit ${commit} failed`, { cause })
    for (const { reject } of this.#waiting) reject(this.#failure)
  }

  committed(commit: CommitNumber): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      else if ((this.commits.at(-1) ?? 0) >= commit) resolve()
      else this.#waiting.push({ commit, resolve, reject })
    })
  }
}
