import type { ReceivedPublish } from '@godwit/protocol'

const SLAB_BYTES = 16 * 1024
/** A longer message gets memory of its own, so that none keeps much more than itself in use. */
const IN_SLAB_BYTES_MAX = SLAB_BYTES / 8

/** Where messages stay that outlive the chunk they came in: side by side, because memory of its own for each costs as much as sending it. */
export class KeptBytes {
  #slab = new Uint8Array(0)
  #used = 0

  keep(received: ReceivedPublish): void {
    const { keptLength } = received
    if (keptLength > IN_SLAB_BYTES_MAX) {
      received.keepIn(new Uint8Array(keptLength), 0)
      return
    }
    if (this.#used + keptLength > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#used = 0
    }
    received.keepIn(this.#slab, this.#used)
    this.#used += keptLength
  }
}
