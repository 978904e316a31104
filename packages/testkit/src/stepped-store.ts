import type { Store } from '@godwit/storage'

/** A store in a simulation: its commits are made step by step, and it tells what outlives the process. */
export interface SteppedStore extends Store {
  /** Does what the store has to do next; false: there is nothing, or it is held back. */
  step(): boolean
  /** Lets commits be made that a test has held back. */
  releasesCommits(): void
  /** The process dies: the store is closed without another word, and can be opened again. */
  crashes(): Promise<void>
}
