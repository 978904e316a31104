import type { Store } from '@godwit/storage'

/** What takes part in a simulation. */
export interface Stepped {
  /** Does what there is to do next; false: there is nothing, or it is held back. */
  step(): boolean
}

/** A store in a simulation: its commits are made step by step, and it tells what outlives the process. */
export interface SteppedStore extends Store, Stepped {
  /** Lets commits be made that a test has held back. */
  releasesCommits(): void
  /** The process dies: the store is closed without another word, and can be opened again. */
  crashes(): Promise<void>
}
