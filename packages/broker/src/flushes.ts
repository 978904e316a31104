import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'

/** When all slow clients together hold too much, each is held to this part of its own bound. */
const SQUEEZE = 16
/** No client is held to less: a transport tells that it has drained only once it has held about this much. */
const UNSENT_BYTES_MIN = 128 * 1024

/** Writes what connections have to send, once per event-loop turn, and knows how much of it clients have not taken. */
export class Flushes {
  readonly #clock: Clock
  readonly #limits: Limits
  #waiting: Connection[] = []
  #unsentBytes = 0

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** How much one connection may hold unsent, now. */
  get unsentBytesMax(): number {
    const { writeBufferBytesMax, writeBuffersBytesMax } = this.#limits
    if (this.#unsentBytes <= writeBuffersBytesMax) return writeBufferBytesMax
    return Math.max(UNSENT_BYTES_MIN, writeBufferBytesMax / SQUEEZE)
  }

  /** A connection has something to send; called once per turn, by the first packet. */
  schedule(connection: Connection): void {
    if (this.#waiting.length === 0) this.#clock.defer(() => this.#flush())
    this.#waiting.push(connection)
  }

  /** What a connection holds unsent has changed. */
  unsentChanged(byBytes: number): void {
    this.#unsentBytes += byBytes
  }

  #flush(): void {
    const connections = this.#waiting
    this.#waiting = []
    for (const connection of connections) connection.flush()
  }
}
