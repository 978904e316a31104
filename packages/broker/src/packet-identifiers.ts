/** The highest Packet Identifier; 0 is none ([5.0 MQTT-2.2.1-4]). */
const HIGHEST = 0xffff

/** Those that may not be given: of exchanges that have not ended. */
export interface IdentifiersInUse {
  readonly size: number
  has(packetIdentifier: number): boolean
}

/** How many are not in use. */
export function freeIdentifiers({ size }: IdentifiersInUse): number {
  return HIGHEST - size
}

/** Gives the Packet Identifiers of one session's outgoing messages: in order from 1, passing over those in use. */
export class PacketIdentifiers {
  #last = 0

  /** A free identifier, or 0 when all 65,535 are in use. */
  next(inUse: IdentifiersInUse): number {
    if (freeIdentifiers(inUse) <= 0) return 0
    do {
      this.#last = this.#last === HIGHEST ? 1 : this.#last + 1
    } while (inUse.has(this.#last))
    return this.#last
  }

  /** Goes on after an identifier: that of the last message a restored session had sent. */
  continueAfter(packetIdentifier: number): void {
    this.#last = packetIdentifier
  }
}
