import type { Transport } from '@godwit/transport'

/** Slabs come in these sizes: most connections have one small packet to send per turn, busy ones have thousands. */
const SLAB_BYTES = [1024, 8 * 1024, 64 * 1024] as const
/** From this size on bytes are sent from where they are; below, copying costs less than another entry in the write. */
const BY_REFERENCE_BYTES = 4096
/** Bytes of free slabs kept per size: small ones are many, because a broadcast takes one for each of its receivers. */
const FREE_BYTES_MAX = 8 * 1024 * 1024

interface Slab {
  readonly bytes: Uint8Array
  readonly sizeClass: number
}

/** Lends slabs to the output buffers of all connections, so that an idle connection holds none. */
export class SlabPool {
  readonly #free: Slab[][] = SLAB_BYTES.map(() => [])

  /** A slab of at least `length` bytes, from a size class on; longer ones than the largest class are made to measure. */
  take(length: number, fromClass = 0): Slab {
    for (let sizeClass = fromClass; sizeClass < SLAB_BYTES.length; sizeClass++) {
      const size = SLAB_BYTES[sizeClass]
      if (size !== undefined && size >= length) {
        return this.#free[sizeClass]?.pop() ?? { bytes: Buffer.allocUnsafeSlow(size), sizeClass }
      }
    }
    return { bytes: Buffer.allocUnsafeSlow(length), sizeClass: SLAB_BYTES.length }
  }

  giveBack(slab: Slab): void {
    const free = this.#free[slab.sizeClass]
    if (free !== undefined && free.length * slab.bytes.byteLength < FREE_BYTES_MAX) free.push(slab)
  }
}

/**
 * What one connection has to send in this turn of the event loop: packets side by side in a slab, written to the
 * transport at the turn's end in one call. Bench: `bench/README.md`, p2p-q0 and fanout-q0, where a write per packet
 * costs five times as much.
 *
 * ```
 *   full slabs and large payloads, in order          the slab being filled
 *   ┌──────────────┐ ┌───────────────────┐           ┌──────────────┬───────┐
 *   │ packets      │ │ payload, by ref.  │   ...     │ packets      │ free  │
 *   └──────────────┘ └───────────────────┘           └──────────────┴───────┘
 * ```
 */
export class OutputBuffer {
  readonly #pool: SlabPool
  #queued: Uint8Array[] = []
  #queuedBytes = 0
  #slab: Slab | undefined
  #length = 0

  constructor(pool: SlabPool) {
    this.#pool = pool
  }

  /** Bytes that wait for the end of the turn. */
  get byteLength(): number {
    return this.#queuedBytes + this.#length
  }

  /** The slab to write up to `length` more bytes to, at `offset`; followed by `advance` with what was written. */
  slabFor(length: number): Uint8Array {
    const slab = this.#slab
    if (slab !== undefined && this.#length + length <= slab.bytes.byteLength) return slab.bytes
    return this.#grow(length).bytes
  }

  /** Where the next byte goes in the slab that `slabFor` returned. */
  get offset(): number {
    return this.#length
  }

  advance(length: number): void {
    this.#length += length
  }

  /** Appends bytes: copied if they are few, otherwise sent from where they are, so they must not change. */
  append(bytes: Uint8Array): void {
    if (bytes.byteLength >= BY_REFERENCE_BYTES) {
      this.#closeSlab()
      this.#queued.push(bytes)
      this.#queuedBytes += bytes.byteLength
    } else {
      this.slabFor(bytes.byteLength).set(bytes, this.#length)
      this.#length += bytes.byteLength
    }
  }

  /** Hands everything to the transport. Returns false when the peer reads more slowly than we write. */
  flush(transport: Transport): boolean {
    if (this.#queued.length > 0) return this.#flushQueued(transport)
    const slab = this.#slab
    if (slab === undefined) return true
    const ready = transport.write(slab.bytes.subarray(0, this.#length))
    this.#releaseSlab(slab, transport)
    return ready
  }

  #flushQueued(transport: Transport): boolean {
    this.#closeSlab()
    const queued = this.#queued
    this.#queued = []
    this.#queuedBytes = 0
    let ready = true
    transport.cork()
    for (const bytes of queued) ready = transport.write(bytes)
    transport.uncork()
    return ready
  }

  /** A slab may be lent again only once the operating system has all of it. */
  #releaseSlab(slab: Slab, transport: Transport): void {
    if (transport.bufferedBytes === 0) this.#pool.giveBack(slab)
    this.#slab = undefined
    this.#length = 0
  }

  #grow(length: number): Slab {
    const slab = this.#slab
    if (slab === undefined) {
      this.#slab = this.#pool.take(length)
    } else if (slab.sizeClass < SLAB_BYTES.length - 1) {
      this.#slab = this.#pool.take(this.#length + length, slab.sizeClass + 1)
      this.#slab.bytes.set(slab.bytes.subarray(0, this.#length))
      this.#pool.giveBack(slab)
    } else {
      this.#closeSlab()
      this.#slab = this.#pool.take(length, SLAB_BYTES.length - 1)
    }
    return this.#slab
  }

  #closeSlab(): void {
    if (this.#slab === undefined) return
    this.#queued.push(this.#slab.bytes.subarray(0, this.#length))
    this.#queuedBytes += this.#length
    this.#slab = undefined
    this.#length = 0
  }
}
