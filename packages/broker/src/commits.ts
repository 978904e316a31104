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
  readonly #onFailure: (error: Error) => void

  /** @param onFailure told once per commit that failed */
  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure
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
  }

  onCommitted(commit: CommitNumber): void {
    this.#durable = commit
    for (const { waiter } of this.#takeUpTo(commit)) waiter.onCommitted(commit)
  }

  onCommitFailed(commit: CommitNumber, error: Error): void {
    this.#onFailure(error)
    for (const { waiter } of this.#takeUpTo(commit)) waiter.onCommitFailed(error)
  }

  #takeUpTo(commit: CommitNumber): readonly Waiting[] {
    const later = this.#waiting.findIndex((waiting) => waiting.commit > commit)
    return later < 0 ? this.#waiting.splice(0) : this.#waiting.splice(0, later)
  }
}
