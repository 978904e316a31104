import { MemoryStore, type StoreContents, type StoreListener } from '@godwit/storage'
import type { SteppedStore } from './stepped-store.ts'

/** A memory store whose commits are made step by step, can be held back until a test lets them go, and can fail. */
export class SimStore extends MemoryStore implements SteppedStore {
  readonly #commits: (() => void)[]
  #isHeld = false
  #failure: Error | undefined = undefined

  constructor() {
    const commits: (() => void)[] = []
    super({ schedule: (commit) => commits.push(commit) })
    this.#commits = commits
  }

  override open(listener: StoreListener): Promise<StoreContents> {
    return super.open({
      onCommitted: (commit) => {
        const failure = this.#failure
        this.#failure = undefined
        if (failure === undefined) listener.onCommitted(commit)
        else listener.onCommitFailed(commit, failure)
      },
      onCommitFailed: (commit, error) => listener.onCommitFailed(commit, error)
    })
  }

  /** From here on commits wait for `releasesCommits`. */
  holdsCommits(): void {
    this.#isHeld = true
  }

  /** Lets the waiting commits, and those that follow, be made. */
  releasesCommits(): void {
    this.#isHeld = false
  }

  /** The listener hears that the next commit failed; what is in memory stays as it is. */
  failsNextCommit(error: Error = new Error('no space left on device')): void {
    this.#failure = error
  }

  /** Makes a commit that waits; false: none waits, or they are held. */
  step(): boolean {
    const commit = this.#isHeld ? undefined : this.#commits.shift()
    commit?.()
    return commit !== undefined
  }

  /** Commits that wait are made all the same: memory loses nothing. */
  async crashes(): Promise<void> {
    this.releasesCommits()
    await this.close()
  }
}
