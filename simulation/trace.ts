/** What happened, line by line, where somebody wants to read it. */
export class Trace {
  readonly #lines: string[] | undefined
  readonly #now: () => number

  /** @param isKept whether anybody does: lines cost more than what they tell of */
  constructor(isKept: boolean, nowMs: () => number) {
    this.#lines = isKept ? [] : undefined
    this.#now = nowMs
  }

  add(line: () => string): void {
    this.#lines?.push(`${(this.#now() / 1000).toFixed(1)}  ${line()}`)
  }

  get lines(): readonly string[] {
    return this.#lines ?? []
  }
}
