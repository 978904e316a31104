/** The highest Packet Identifier; 0 is none ([5.0 MQTT-2.2.1-4]). */
const HIGHEST = 0xffff

/** Gives the Packet Identifiers of one session's outgoing messages: in order from 1, passing over those in use. */
export class PacketIdentifiers {
  readonly #inUse: { has(packetIdentifier: number): boolean; readonly size: number }
  #last = 0

  /** @param inUse the identifiers that may not be given: those of exchanges that have not ended */
  constructor(inUse: { has(packetIdentifier: number): boolean; readonly size: number }) {
    this.#inUse = inUse
  }

  /** How many are not in use. */
  get free(): number {
    return HIGHEST - this.#inUse.size
  }

  /** A free identifier, or 0 when all 65,535 are in use. */
  next(): number {
    if (this.free <= 0) return 0
    do {
      this.#last = this.#last === HIGHEST ? 1 : this.#last + 1
    } while (this.#inUse.has(this.#last))
    return this.#last
  }

  /** Goes on after an identifier: that of the last message a restored session had sent. */
  continueAfter(packetIdentifier: number): void {
    this.#last = packetIdentifier
  }
}
