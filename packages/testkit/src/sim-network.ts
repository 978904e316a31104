import { memoryTransportPair, type MemoryTransport, type MemoryWire, type Transport } from '@godwit/transport'
import { handOverInMemory } from '@godwit/transport/io-threads'
import { randomBelow, seededRandom } from './random.ts'
import type { SimClock } from './sim-clock.ts'

/**
 * How the network treats the byte streams:
 * - `whole`: everything written arrives in one chunk, connections in turn;
 * - `bytes`: every byte arrives alone (long streams in small odd chunks, so that they end in time);
 * - a seed: chunks of random size, and any connection may be overtaken by any other;
 * - `handed-over`: whole, and the server's ends reach the broker as those of I/O threads do.
 */
export type NetworkShape = 'whole' | 'bytes' | 'handed-over' | { readonly seed: number }

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

  readonly #handOver: ((transport: Transport) => Transport) | undefined

  /** @param clock for a network that hands over */
  constructor(shape: NetworkShape, clock?: SimClock) {
    this.#shape = shape
    if (shape === 'handed-over' && clock !== undefined) this.#handOver = this.#handsOver(clock)
    this.#random = seededRandom(typeof shape === 'string' ? 0 : shape.seed)
  }

  /** A new connection: the server's end and the client's. */
  connect(): [server: MemoryTransport, client: MemoryTransport] {
    return memoryTransportPair({
      schedule: (task) => this.#tasks.push(task),
      carry: (wire) => this.#ready.push(wire)
    })
  }

  /** What the broker is to be given of a connection, when it is accepted. */
  accepted(serverEnd: Transport): Transport {
    return this.#handOver?.(serverEnd) ?? serverEnd
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

  #handsOver(clock: SimClock): (transport: Transport) => Transport {
    const task = (run: () => void): void => void this.#tasks.push(run)
    return handOverInMemory({
      soon: task,
      later: task,
      after: (milliseconds, run) => void clock.at(clock.now() + milliseconds, run)
    })
  }

  #chunkBytes(waitingBytes: number): number {
    if (this.#shape === 'whole' || this.#shape === 'handed-over') return Infinity
    if (this.#shape === 'bytes') return waitingBytes > SINGLE_BYTES_MAX ? ODD_CHUNK_BYTES : 1
    return 1 + randomBelow(this.#random, 2 ** randomBelow(this.#random, CHUNK_BITS_MAX + 1))
  }
}
