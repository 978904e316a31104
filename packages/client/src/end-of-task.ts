/**
 * Calls back after the present task of a browser and the microtasks behind it: what promises and iterators make of the input of this turn is
 * then among what is written at its end, for which a microtask would be too early. A message to oneself is not held back in a hidden page, as
 * timers are.
 */
export class EndOfTask {
  readonly #deferred: (() => void)[] = []
  #post: (() => void) | undefined = undefined

  defer(callback: () => void): void {
    this.#deferred.push(callback)
    this.#post ??= this.#open()
    this.#post()
  }

  /** At the first use: a channel would keep a process alive that only loads the module. */
  #open(): () => void {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => this.#deferred.shift()?.())
    port1.start()
    return () => port2.postMessage(undefined)
  }
}
