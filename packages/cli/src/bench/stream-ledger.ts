/** Gaps that are remembered; what is missing in older ones counts as lost, and as repeated should it come after all. */
const GAPS_MAX = 1_000

interface Gap {
  first: number
  last: number
}

/** What one subscriber got of one publisher, whose messages are numbered from 0 and published in this order. */
export class StreamLedger {
  #next = 0
  #received = 0
  #duplicated = 0
  #reordered = 0
  #givenUp = 0
  /** In their order. */
  readonly #gaps: Gap[] = []

  /** Messages that came, each once. */
  get received(): number {
    return this.#received
  }

  /** Came again. */
  get duplicated(): number {
    return this.#duplicated
  }

  /** Came after one that was published later. */
  get reordered(): number {
    return this.#reordered
  }

  take(sequence: number): void {
    if (sequence === this.#next) {
      this.#next++
      this.#received++
    } else if (sequence > this.#next) {
      this.#skip(this.#next, sequence - 1)
      this.#next = sequence + 1
      this.#received++
    } else if (this.#fill(sequence)) {
      this.#received++
      this.#reordered++
    } else {
      this.#duplicated++
    }
  }

  /** How many have not come, of so many that were published. */
  missing(published: number): number {
    const inGaps = this.#gaps.reduce((sum, { first, last }) => sum + last - first + 1, this.#givenUp)
    return inGaps + Math.max(0, published - this.#next)
  }

  #skip(first: number, last: number): void {
    this.#gaps.push({ first, last })
    if (this.#gaps.length <= GAPS_MAX) return
    const oldest = this.#gaps.shift()
    if (oldest !== undefined) this.#givenUp += oldest.last - oldest.first + 1
  }

  /** Returns whether the message was missing. */
  #fill(sequence: number): boolean {
    const index = this.#gaps.findIndex(({ first, last }) => sequence >= first && sequence <= last)
    const gap = this.#gaps[index]
    if (gap === undefined) return false
    const { first, last } = gap
    const rest = [
      { first, last: sequence - 1 },
      { first: sequence + 1, last }
    ].filter((each) => each.first <= each.last)
    this.#gaps.splice(index, 1, ...rest)
    return true
  }
}
