import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** In the folder of a store that is open, or was when its process ended. */
export const RUNNING_NAME = 'running'

/**
 * Runs that did not end in order, one after another, until the whole file is looked at before it is opened again. What is
 * wrong with a page of messages is not seen at the start, and LMDB may not survive reading it: then this is what keeps the
 * process from ending so again and again. Once is not enough, since most of such ends have other reasons, and looking at
 * everything takes about a second for a million messages.
 */
const UNFINISHED_MAX = 2

/** How the stores before this one in its folder ended. */
export class UnfinishedRuns {
  readonly #path: string
  readonly #count: number

  constructor(folder: string) {
    this.#path = join(folder, RUNNING_NAME)
    this.#count = countIn(this.#path)
  }

  /** Whether the file itself may be why. */
  get areSuspicious(): boolean {
    return this.#count >= UNFINISHED_MAX
  }

  /** Notes that another run begins, after the whole file was looked at if that was called for. */
  begin(): void {
    try {
      writeFileSync(this.#path, `${this.areSuspicious ? 1 : this.#count + 1}\n`)
    } catch {
      // Without room there is nothing to be noted with; the store tells of that.
    }
  }

  /** Notes that the run has ended in order. */
  end(): void {
    rmSync(this.#path, { force: true })
  }
}

function countIn(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, 'latin1')) || 1
  } catch {
    return 0
  }
}
