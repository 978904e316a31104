import type { Clock } from './clock.ts'
import type { PacketSender } from './packet-sender.ts'

/** Has what there is to send written once per event-loop turn. */
export class Flushes {
  readonly #clock: Clock
  #waiting: PacketSender[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** There is something to send to a client; called once per turn, by the first packet. */
  schedule(sender: PacketSender): void {
    if (this.#waiting.length === 0) this.#clock.defer(() => this.#flush())
    this.#waiting.push(sender)
  }

  #flush(): void {
    const senders = this.#waiting
    this.#waiting = []
    for (const sender of senders) sender.flush()
  }
}
