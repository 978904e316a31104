import { ACKNOWLEDGEMENT_LENGTH, type AcknowledgementType, writeAcknowledgement } from '@godwit/protocol'
import type { Transport } from '@godwit/transport/browser'

/** A client that sends little holds little; one that is busy writes its turn in one piece. */
const BUFFER_BYTES_MIN = 2 * 1024
const BUFFER_BYTES_MAX = 64 * 1024
/** From this size on bytes are sent from where they are: copying would cost more than another entry in the write. */
const BY_REFERENCE_BYTES = 4096

/** What there is to send in this turn of the event loop: packets side by side, so that they leave in one call. */
export class OutputBuffer {
  #buffer = new Uint8Array(BUFFER_BYTES_MIN)
  #length = 0
  #full: Uint8Array[] = []

  get isEmpty(): boolean {
    return this.#length === 0 && this.#full.length === 0
  }

  /** Appends a packet, which must not change if it is large. */
  append(packet: Uint8Array): void {
    if (packet.byteLength >= BY_REFERENCE_BYTES) {
      this.#close()
      this.#full.push(packet)
      return
    }
    this.#makeRoom(packet.byteLength)
    this.#buffer.set(packet, this.#length)
    this.#length += packet.byteLength
  }

  /** Appends a PUBACK, PUBREC, PUBREL or PUBCOMP with Reason Code Success. */
  acknowledge(type: AcknowledgementType, packetIdentifier: number): void {
    this.#makeRoom(ACKNOWLEDGEMENT_LENGTH)
    this.#length = writeAcknowledgement(this.#buffer, this.#length, type, packetIdentifier)
  }

  /** Hands everything to the transport. Returns false when the peer reads more slowly than we write. */
  flush(transport: Transport): boolean {
    let isReady = true
    if (this.#full.length > 0) {
      this.#close()
      transport.cork()
      for (const bytes of this.#full) isReady = transport.write(bytes)
      transport.uncork()
      this.#full = []
      return isReady
    }
    if (this.#length === 0) return true
    isReady = transport.write(this.#buffer.subarray(0, this.#length))
    // The bytes are the transport's until the operating system has them all.
    if (transport.bufferedBytes > 0) this.#buffer = new Uint8Array(this.#buffer.byteLength)
    this.#length = 0
    return isReady
  }

  #makeRoom(length: number): void {
    const needed = this.#length + length
    if (needed <= this.#buffer.byteLength) return
    if (needed > BUFFER_BYTES_MAX) {
      this.#close()
      return
    }
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#buffer.byteLength * 2), BUFFER_BYTES_MAX))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }

  /** Sets what was gathered aside, and begins anew. */
  #close(): void {
    if (this.#length === 0) return
    this.#full.push(this.#buffer.subarray(0, this.#length))
    this.#buffer = new Uint8Array(this.#buffer.byteLength)
    this.#length = 0
  }
}
