const BLOCK_MAX = 512

/**
 * Topic names in the order of their UTF-16 code units, in blocks small enough that inserting into one is a short move.
 * A million names are some thousands of blocks: finding a place halves twice, once among the blocks and once inside one.
 */
export class SortedTopics {
  /** Each sorted and not empty; every name of a block lies before every name of the next. */
  readonly #blocks: string[][] = []

  add(topicName: string): void {
    const at = this.#blockOf(topicName)
    const block = this.#blocks[at]
    if (block === undefined) {
      this.#blocks.push([topicName])
      return
    }
    const index = lowerBound(block, topicName)
    if (block[index] === topicName) return
    block.splice(index, 0, topicName)
    if (block.length > BLOCK_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_MAX / 2))
  }

  delete(topicName: string): void {
    const at = this.#blockOf(topicName)
    const block = this.#blocks[at]
    if (block === undefined) return
    const index = lowerBound(block, topicName)
    if (block[index] !== topicName) return
    block.splice(index, 1)
    const next = this.#blocks[at + 1]
    if (block.length === 0) this.#blocks.splice(at, 1)
    else if (next !== undefined && block.length + next.length <= BLOCK_MAX / 2) {
      block.push(...next)
      this.#blocks.splice(at + 1, 1)
    }
  }

  /** The names from `lowest` on, itself included. Nothing may be added or deleted meanwhile. */
  *from(lowest: string): Generator<string, void, undefined> {
    const start = this.#blockOf(lowest)
    for (let at = start; at < this.#blocks.length; at++) {
      const block = this.#blocks[at] ?? []
      for (let index = at === start ? lowerBound(block, lowest) : 0; index < block.length; index++) yield block[index] ?? ''
    }
  }

  /** The block in which a name is, or belongs: the last one that does not begin after it, else the first. */
  #blockOf(topicName: string): number {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const first = this.#blocks[middle]?.[0]
      if (first !== undefined && first <= topicName) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** The index of the first name that is not below `topicName`. */
function lowerBound(block: readonly string[], topicName: string): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >> 1
    const name = block[middle]
    if (name !== undefined && name < topicName) low = middle + 1
    else high = middle
  }
  return low
}
