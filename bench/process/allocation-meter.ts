import { GCProfiler } from 'node:v8'

export interface Allocations {
  /** Bytes allocated on the heap. */
  readonly bytes: number
  /** The collections of garbage meanwhile, each with the time that the program stood still. */
  readonly pausesMs: readonly number[]
}

/**
 * Counts what this thread allocates on V8's heap. Nothing tells that; but all of it is in use when a collection begins, on
 * top of what the one before it left.
 */
export class AllocationMeter {
  readonly #profiler = new GCProfiler()
  #heapUsedBefore = 0

  start(): void {
    this.#heapUsedBefore = process.memoryUsage().heapUsed
    this.#profiler.start()
  }

  /** What was allocated since `start`. */
  stop(): Allocations {
    const heapUsed = process.memoryUsage().heapUsed
    const { statistics } = this.#profiler.stop()
    let bytes = 0
    let left = this.#heapUsedBefore
    for (const { beforeGC, afterGC } of statistics) {
      bytes += beforeGC.heapStatistics.usedHeapSize - left
      left = afterGC.heapStatistics.usedHeapSize
    }
    return { bytes: bytes + heapUsed - left, pausesMs: statistics.map(({ cost }) => cost / 1000) }
  }
}
