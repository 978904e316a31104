/** Resolves when nothing has happened for a time while something was awaited. */
export class StallWatch {
  readonly stalled: Promise<void>
  readonly #stalled: PromiseWithResolvers<void> = Promise.withResolvers()
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.stalled = this.#stalled.promise
  }

  /** Something happened, or is awaited from now on. */
  expect(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#stalled.resolve(), this.#timeoutMs)
    else this.#timer.refresh()
  }

  /** Nothing is awaited any more. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
