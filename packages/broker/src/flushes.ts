import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'

/** Has what connections have to send written once per event-loop turn. */
export class Flushes {
  readonly #clock: Clock
  #waiting: Connection[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A connection has something to send; called once per turn, by the first packet. */
  schedule(connection: Connection): void {
    if (this.#waiting.length === 0) this.#clock.defer(() => this.#flush())
    this.#waiting.push(connection)
  }

  #flush(): void {
    const connections = this.#waiting
    this.#waiting = []
    for (const connection of connections) connection.flush()
  }
}
