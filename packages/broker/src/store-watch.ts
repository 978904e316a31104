import type { CommitNumber, Store, StoreListener } from '@godwit/storage'
import type { Commits } from './commits.ts'
import type { Engine } from './engine.ts'

/** Sees how each commit ends before those who wait for it do, and tells when the store begins to fail and when it is well again. */
export class StoreWatch implements StoreListener {
  readonly #engine: Engine
  readonly #store: Store
  readonly #commits: Commits
  #isFailing = false

  constructor(engine: Engine) {
    this.#engine = engine
    this.#store = engine.store
    this.#commits = engine.commits
  }

  onCommitted(commit: CommitNumber): void {
    const { failure } = this.#store
    if (failure !== undefined) this.#fails(failure)
    else if (this.#isFailing) this.#recovers()
    this.#commits.onCommitted(commit)
    this.#engine.elisions.committed(commit)
  }

  onCommitFailed(commit: CommitNumber, error: Error): void {
    this.#fails(error)
    this.#commits.onCommitFailed(commit, error)
  }

  #fails(failure: Error): void {
    if (this.#isFailing) return
    this.#isFailing = true
    const { logger } = this.#engine
    logger.error({ err: failure }, 'the store is failing: nothing is acknowledged that it would have to keep')
    this.#engine.tell((events) => events.emit('storeFailing', failure))
  }

  #recovers(): void {
    this.#isFailing = false
    this.#engine.logger.info({}, 'the store is well again: messages are accepted and acknowledged')
    this.#engine.tell((events) => events.emit('storeRecovered'))
  }
}
