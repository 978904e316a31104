/** When all together hold too much, each is held to this part of its own bound. */
const SQUEEZE = 16

/**
 * A bound in bytes for each of many, and one for all of them together. While the latter is passed, everyone's own is a
 * sixteenth: those who hold much make room for those who hold little.
 */
export class SharedBound {
  /** No one is ever held to less. */
  readonly eachMin: number
  readonly #eachMax: number
  readonly #squeezedMax: number
  readonly #allMax: number
  #held = 0

  constructor(eachMax: number, allMax: number, eachMin: number) {
    this.eachMin = eachMin
    this.#eachMax = eachMax
    this.#squeezedMax = Math.min(eachMax, Math.max(eachMin, eachMax / SQUEEZE))
    this.#allMax = allMax
  }

  /** What one may hold now. */
  get eachMax(): number {
    return this.#held > this.#allMax ? this.#squeezedMax : this.#eachMax
  }

  /** What all hold together. */
  get held(): number {
    return this.#held
  }

  /** Someone holds more, or less, than before. */
  changed(byBytes: number): void {
    this.#held += byBytes
  }
}
