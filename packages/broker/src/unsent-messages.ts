/** Writes that are told apart while a transport holds them; the latest of more than these go as one. */
const WRITES_MAX = 64

interface Write {
  /** Where it ends, in bytes since the connection began. */
  end: number
  messages: number
}

/**
 * How many messages of QoS 0 wait for a client that reads too slowly: they are lost if its connection ends. Only what the
 * transport did not take at once is told apart, since it tells when that has gone; a write that has gone in part counts
 * as if nothing of it had.
 *
 * ```
 *      sent            held by the transport              in the output buffer
 *   ──────────┼────────────┬────────────┬──────────┼──────────▷
 *             │  write     │  write     │  write   │  added
 * ```
 */
export class UnsentMessages {
  /** Messages of this turn. */
  #added = 0
  #writtenBytes = 0
  /** Those that the transport holds at least a part of, and that have messages; undefined: there are none. */
  #writes: Write[] | undefined = undefined

  get messages(): number {
    return (this.#writes ?? []).reduce((sum, { messages }) => sum + messages, this.#added)
  }

  /** A message has been appended to what this turn will write. */
  added(): void {
    this.#added++
  }

  /**
   * The turn's output has been handed to the transport.
   * @param isTaken what `Transport.write` returned: false if it waits for the client
   */
  wrote(bytes: number, isTaken: boolean): void {
    this.#writtenBytes += bytes
    if (!isTaken && this.#added > 0) this.#hold(this.#added)
    this.#added = 0
  }

  /** The transport holds so many bytes: the rest has gone. */
  sent(bufferedBytes: number): void {
    const writes = this.#writes
    if (writes === undefined) return
    const sentBytes = this.#writtenBytes - bufferedBytes
    const held = bufferedBytes === 0 ? -1 : writes.findIndex(({ end }) => end > sentBytes)
    if (held < 0) this.#writes = undefined
    else if (held > 0) writes.splice(0, held)
  }

  #hold(messages: number): void {
    const end = this.#writtenBytes
    const writes = (this.#writes ??= [])
    const last = writes.at(-1)
    if (last === undefined || writes.length < WRITES_MAX) writes.push({ end, messages })
    else {
      last.end = end
      last.messages += messages
    }
  }
}
