import type { CommitNumber, StoreListener } from '@godwit/storage'

/** Someone who may not go on before a commit is durable. */
export interface CommitWaiter {
  /** The commit it waited for, and every one before, is durable. */
  onCommitted(commit: CommitNumber): void
  /** The commit is lost: nothing in it may be acknowledged. */
  onCommitFailed(error: Error): void
}

interface Waiting {
  readonly commit: CommitNumber
  readonly waiter: CommitWaiter
}

/** Knows which commits are durable, and who waits for the next. */
export class Commits implements StoreListener {
  #durable: CommitNumber = 0
  /** In the order of their commits, since those only rise. */
  readonly #waiting: Waiting[] = []
  readonly #hasten: () => void
  readonly #onFailure: (error: Error) => void
  readonly #onWaiterError: (error: unknown) => void

  /**
   * @param hasten has the store make the commit being gathered as soon as can be
   * @param onFailure told once per commit that failed
   * @param onWaiterError told of a waiter that threw; those behind it are told of the commit all the same
   */
  constructor(hasten: () => void, onFailure: (error: Error) => void, onWaiterError: (error: unknown) => void) {
    this.#hasten = hasten
    this.#onFailure = onFailure
    this.#onWaiterError = onWaiterError
  }

  isDurable(commit: CommitNumber): boolean {
    return commit <= this.#durable
  }

  /** The last commit that somebody waits for; 0: nobody waits. */
  get awaited(): CommitNumber {
    return this.#waiting.at(-1)?.commit ?? 0
  }

  wait(commit: CommitNumber, waiter: CommitWaiter): void {
    this.#waiting.push({ commit, waiter })
    this.#hasten()
  }

  onCommitted(commit: CommitNumber): void {
    this.#durable = commit
    this.#tell(commit, (waiter) => waiter.onCommitted(commit))
  }

  onCommitFailed(commit: CommitNumber, error: Error): void {
    this.#onFailure(error)
    this.#tell(commit, (waiter) => waiter.onCommitFailed(error))
  }

  #tell(commit: CommitNumber, tell: (waiter: CommitWaiter) => void): void {
    for (const { waiter } of this.#takeUpTo(commit)) {
      try {
        tell(waiter)
      } catch (error) {
        this.#onWaiterError(error)
      }
    }
  }

  #takeUpTo(commit: CommitNumber): readonly Waiting[] {
    const later = this.#waiting.findIndex((waiting) => waiting.commit > commit)
    return later < 0 ? this.#waiting.splice(0) : this.#waiting.splice(0, later)
  }
}
