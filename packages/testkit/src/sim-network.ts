import { memoryTransportPair, type MemoryTransport, type MemoryWire } from '@godwit/transport'
import { randomBelow, seededRandom } from './random.ts'

/**
 * How the network treats the byte streams:
 * - `whole`: everything written arrives in one chunk, connections in turn;
 * - `bytes`: every byte arrives alone (long streams in small odd chunks, so that they end in time);
 * - a seed: chunks of random size, and any connection may be overtaken by any other.
 */
export type NetworkShape = 'whole' | 'bytes' | { readonly seed: number }

/** Streams longer than this are not cut into single bytes. */
const SINGLE_BYTES_MAX = 2048
const ODD_CHUNK_BYTES = 1021
/** Random chunks have up to 2^16 bytes, short ones as often as long ones. */
const CHUNK_BITS_MAX = 16

/** Every connection of a test, in memory. Nothing moves but by `step`. */
export class SimNetwork {
  readonly #shape: NetworkShape
  readonly #random: () => number
  readonly #tasks: (() => void)[] = []
  readonly #ready: MemoryWire[] = []

  constructor(shape: NetworkShape) {
    this.#shape = shape
    this.#random = seededRandom(typeof shape === 'string' ? 0 : shape.seed)
  }

  /** A new connection: the server's end and the client's. */
  connect(): [server: MemoryTransport, client: MemoryTransport] {
    return memoryTransportPair({
      schedule: (task) => this.#tasks.push(task),
      carry: (wire) => this.#ready.push(wire)
    })
  }

  /** Runs one task or delivers one chunk; false: nothing was on its way. */
  step(): boolean {
    const task = this.#tasks.shift()
    if (task !== undefined) {
      task()
      return true
    }
    const index = typeof this.#shape === 'string' ? 0 : randomBelow(this.#random, this.#ready.length)
    const [wire] = this.#ready.splice(index, 1)
    if (wire === undefined) return false
    wire.deliver(this.#chunkBytes(wire.waitingBytes))
    return true
  }

  #chunkBytes(waitingBytes: number): number {
    if (this.#shape === 'whole') return Infinity
    if (this.#shape === 'bytes') return waitingBytes > SINGLE_BYTES_MAX ? ODD_CHUNK_BYTES : 1
    return 1 + randomBelow(this.#random, 2 ** randomBelow(this.#random, CHUNK_BITS_MAX + 1))
  }
}
