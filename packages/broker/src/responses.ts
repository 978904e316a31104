import { ACKNOWLEDGEMENT_LENGTH, type AcknowledgementType, PacketType, writeAcknowledgement } from '@godwit/protocol'
import type { CommitNumber } from '@godwit/storage'
import type { Delivery } from './inflight.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** Something that a connection may send once a commit is durable; 0: without waiting for one. */
export type Response = { commit: CommitNumber } & (
  | { readonly acknowledgement: AcknowledgementType; readonly packetIdentifier: number }
  | { readonly bytes: Uint8Array }
  | { readonly delivery: Delivery }
)

/** Sends messages that had to wait for a commit. */
export interface LateSender {
  sendLate(delivery: Delivery): void
}

/**
 * What one connection has to answer, in the order of the packets answered ([3.1.1 MQTT-4.6.0-6]). An answer to
 * something that the store has to keep waits for its commit, and what comes after it waits behind it.
 */
export class Responses {
  readonly #output: OutputBuffer
  #waiting: Response[] = []
  #head = 0
  #unanswered = 0

  constructor(output: OutputBuffer) {
    this.#output = output
  }

  get isEmpty(): boolean {
    return this.#head === this.#waiting.length
  }

  get length(): number {
    return this.#waiting.length - this.#head
  }

  /** How many PUBACKs and PUBCOMPs wait: publishes that the client must still count against the Receive Maximum. */
  get unanswered(): number {
    return this.#unanswered
  }

  add(response: Response): void {
    this.#waiting.push(response)
    if (endsPublish(response)) this.#unanswered++
  }

  /** Writes what no longer waits, and returns how many packets these are; the deliveries among them go to `sender` instead. */
  release(durable: CommitNumber, sender: LateSender): number {
    let written = 0
    for (let next = this.#waiting[this.#head]; next !== undefined && next.commit <= durable; next = this.#waiting[this.#head]) {
      this.#head++
      if (endsPublish(next)) this.#unanswered--
      if ('delivery' in next) {
        sender.sendLate(next.delivery)
        continue
      }
      if ('bytes' in next) this.#output.append(next.bytes)
      else this.writeAcknowledgement(next.acknowledgement, next.packetIdentifier)
      written++
    }
    // A busy client always has something waiting for the next commit: what was answered must not stay for that.
    if (this.isEmpty || (this.#head > 256 && this.#head * 2 > this.#waiting.length)) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return written
  }

  /** A PUBACK, PUBREC, PUBREL or PUBCOMP of success: four bytes in every version. */
  writeAcknowledgement(type: AcknowledgementType, packetIdentifier: number): void {
    const output = this.#output
    writeAcknowledgement(output.slabFor(ACKNOWLEDGEMENT_LENGTH), output.offset, type, packetIdentifier)
    output.advance(ACKNOWLEDGEMENT_LENGTH)
  }
}

function endsPublish(response: Response): boolean {
  if (!('acknowledgement' in response)) return false
  return response.acknowledgement === PacketType.Puback || response.acknowledgement === PacketType.Pubcomp
}
